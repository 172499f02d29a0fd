"""What the scorer does with a question and with a swap; everything that reaches out is handed in.

Owns the order: take the generation once, answer with it alone, hand the records over without waiting. Knows
no socket. A log that is full or away costs its records, which are counted, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from hotpath.clock import Clock, Micros
from hotpath.handoffs import RECEIPTS, Receipt, scores_topic
from hotpath.kafka import Log
from serve import infer, strict_json
from serve.answer import Answer, Timed, answer, record
from serve.folder import Pointer
from serve.generation import Generation
from serve.metrics import Metrics
from serve.slots import Outcome
from serve.stages import Since, Sums

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scorer:
    """Answers of one process. `name` is what its receipts call it; `stages` holds each pipeline's sums."""

    name: str
    clock: Clock
    log: Log
    metrics: Metrics
    stages: dict[str, Since] = field(default_factory=dict)

    def sums(self, pipeline: str) -> Sums:
        """Where the request path adds up what a pipeline takes; the name must be one that is served."""
        since = self.stages.get(pipeline)
        return (since or self.stages.setdefault(pipeline, Since.start())).sums

    def parsed(self, pipeline: str, raw: bytes) -> object:
        """The JSON of a body. Raises BadInput."""
        sums, began = self.sums(pipeline), self.clock.elapsed()
        try:
            return strict_json.parse(raw)
        finally:
            sums.parse_s += self.clock.elapsed() - began

    def infer(self, generation: Generation, body: object, asked_at: Micros) -> dict[str, object]:
        """The answer to a parsed request, all rows by one generation. Raises BadInput naming the field."""
        elapsed, sums = self.clock.elapsed, self.sums(generation.contract.name)
        began = elapsed()
        asked = infer.question(body, generation)
        sums.parse_s += elapsed() - began
        sums.unknown += asked.unknown
        timed = Timed(sums, elapsed)
        answers = [
            answer(generation, row, asked_at, uuid4().hex, asked.parameters, timed) for row in asked.rows
        ]
        began = elapsed()
        self._hand_over(generation, answers, asked_at, sums)
        sums.record_s += elapsed() - began
        return infer.response(generation, asked, answers, asked_at)

    def finished(self, pipeline: str, status: int, seconds: float) -> None:
        """A request was answered, whatever the answer; a name that nobody serves is nobody's sum."""
        self.metrics.requests.labels(str(status)).inc()
        self.metrics.latency.observe(seconds)
        if (since := self.stages.get(pipeline)) is not None:
            since.sums.answered(status, seconds)

    def tell(self, pipeline: str, kind: Outcome, pointer: Pointer, why: str) -> None:
        """A swap happened here, or did not: say so (`slots.Told`)."""
        self.sums(pipeline)
        self.metrics.swaps.labels(pipeline, kind).inc()
        receipt = Receipt(pipeline, self.name, pointer.sequence, pointer.bundle, kind, why, self.clock.now())
        if not self.log.send(RECEIPTS, receipt.to_bytes(), key=pipeline.encode()):
            log.warning("%s: no room to send the receipt of sequence %s", pipeline, pointer.sequence)

    def _hand_over(
        self, generation: Generation, answers: Sequence[Answer], asked_at: Micros, sums: Sums
    ) -> None:
        pipeline, answered_at = generation.contract.name, self.clock.now()
        topic, dropped = scores_topic(pipeline), self.metrics.dropped.labels(pipeline)

        def delivered(why: Exception | None) -> None:
            if why is not None:
                dropped.inc()
                sums.dropped += 1

        for one in answers:
            self.metrics.decisions.labels(one.decision).inc()
            sums.degraded += bool(one.degraded)
            value = record(generation, one, asked_at, answered_at).to_bytes()
            key = None if one.entity is None else one.entity.encode()
            if not self.log.send(topic, value, key=key, on_delivery=delivered):
                dropped.inc()
                sums.dropped += 1
