"""What the scorer does with a question and with a swap; everything that reaches out is handed in.

Owns the order: take the generation once, answer with it alone, hand the records over without waiting. Knows
no socket. A log that is full or away costs its records, which are counted, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from hotpath.clock import Clock, Micros
from hotpath.handoffs import RECEIPTS, Receipt, scores_topic
from hotpath.kafka import Log
from serve import infer
from serve.answer import Answer, answer, record
from serve.folder import Pointer
from serve.generation import Generation
from serve.metrics import Metrics
from serve.slots import Outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scorer:
    """Answers of one process. `name` is what its receipts call it."""

    name: str
    clock: Clock
    log: Log
    metrics: Metrics

    def infer(self, generation: Generation, body: object, asked_at: Micros) -> dict[str, object]:
        """The answer to a parsed request, all rows by one generation. Raises BadInput naming the field."""
        asked = infer.question(body, generation.contract)
        answers = [answer(generation, row, asked_at, uuid4().hex) for row in asked.rows]
        self._hand_over(generation, answers, asked_at)
        return infer.response(generation, asked, answers, asked_at)

    def tell(self, pipeline: str, kind: Outcome, pointer: Pointer, why: str) -> None:
        """A swap happened here, or did not: say so (`slots.Told`)."""
        self.metrics.swaps.labels(pipeline, kind).inc()
        receipt = Receipt(pipeline, self.name, pointer.sequence, pointer.bundle, kind, why, self.clock.now())
        if not self.log.send(RECEIPTS, receipt.to_bytes(), key=pipeline.encode()):
            log.warning("%s: no room to send the receipt of sequence %s", pipeline, pointer.sequence)

    def _hand_over(self, generation: Generation, answers: Sequence[Answer], asked_at: Micros) -> None:
        pipeline, answered_at = generation.contract.name, self.clock.now()
        topic, dropped = scores_topic(pipeline), self.metrics.dropped.labels(pipeline)

        def delivered(why: Exception | None) -> None:
            if why is not None:
                dropped.inc()

        for one in answers:
            self.metrics.decisions.labels(one.decision).inc()
            value = record(generation, one, asked_at, answered_at).to_bytes()
            key = None if one.entity is None else one.entity.encode()
            if not self.log.send(topic, value, key=key, on_delivery=delivered):
                dropped.inc()
