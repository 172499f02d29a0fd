"""What the scorer does with a question and with a swap; everything that reaches out is handed in.

Owns the order: take the generation once, answer with it alone, hand the records over without waiting. Knows
no socket. A log that is full or away costs its records, which are counted, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from hotpath.champion import LIVE
from hotpath.clock import Clock, Micros
from hotpath.handoffs import RECEIPTS, Receipt, scores_topic
from hotpath.kafka import Log
from serve import infer, strict_json
from serve.answer import Answer, Row, Timed, answer, decoded, record
from serve.folder import Pointer
from serve.generation import Generation
from serve.infer import Question
from serve.metrics import Metrics
from serve.slots import Outcome
from serve.stages import Since, Sums
from serve.state import Held, State, without

log = logging.getLogger(__name__)

AGAIN_S = 86_400.0
"""Between two times that the same receipt is said: the topic keeps it for seven days."""


@dataclass(frozen=True)
class Scorer:
    """Answers of one process. `name` is what its receipts call it; `stages` holds each pipeline's sums.

    `state`: where rows read tiles; None: nowhere, so aggregates are the contract's defaults.
    """

    name: str
    clock: Clock
    log: Log
    metrics: Metrics
    stages: dict[str, Since] = field(default_factory=dict)
    state: State | None = None
    _answering: dict[str, tuple[Receipt, float]] = field(default_factory=dict)
    """By pipeline: what was said of the model that answers, and when last (real seconds)."""

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
        answers = self._answers(generation, asked, asked_at, Timed(sums, elapsed))
        began = elapsed()
        self._hand_over(generation, answers, asked_at, sums)
        sums.record_s += elapsed() - began
        return infer.response(generation, asked, answers, asked_at)

    @property
    def breaker(self) -> bool:
        """Whether Redis is left alone just now, though a model has asked for it."""
        return self.state is not None and self.state.breaker.failures > 0 and self.state.breaker.open

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
        if kind in LIVE:
            self._answering[pipeline] = receipt, self.clock.elapsed()
        if not self.log.send(RECEIPTS, receipt.to_bytes(), key=pipeline.encode()):
            log.warning("%s: no room to send the receipt of sequence %s", pipeline, pointer.sequence)

    def say_again(self, now: float) -> None:
        """Repeat once a day what answers here; `now` in real seconds.

        The topic forgets after seven days, and without a swap nothing else would name the champion. It is the
        same receipt, with the instant of the swap: whoever knows it learns nothing new.
        """
        for pipeline, (receipt, said) in list(self._answering.items()):
            if now - said >= AGAIN_S and self.log.send(RECEIPTS, receipt.to_bytes(), key=pipeline.encode()):
                self._answering[pipeline] = receipt, now

    def _answers(
        self, generation: Generation, asked: Question, asked_at: Micros, timed: Timed
    ) -> list[Answer]:
        """One a row. A contract without aggregates pays nothing for those of others."""
        given = asked.parameters
        if not generation.reads.windows:
            return [answer(generation, row, asked_at, uuid4().hex, given, timed) for row in asked.rows]
        rows = [decoded(generation, row, asked_at, timed) for row in asked.rows]
        helds = self._held(generation, rows, asked_at, timed.sums)
        return [
            answer(generation, request, asked_at, uuid4().hex, given, timed, row, held)
            for request, row, held in zip(asked.rows, rows, helds, strict=True)
        ]

    def _held(
        self, generation: Generation, rows: Sequence[Row], asked_at: Micros, sums: Sums
    ) -> Sequence[Held]:
        """What each row reads of the tiles; what could not be had is counted."""
        if self.state is None:
            return [without(generation.reads)] * len(rows)
        sums.stated += 1
        before = (sums.defaulted, sums.late)
        helds = self.state.read(generation.reads, rows, asked_at, sums)
        for how, count, had in zip(("defaulted", "late"), (sums.defaulted, sums.late), before, strict=True):
            if count > had:
                self.metrics.aggregates.labels(generation.contract.name, how).inc(count - had)
        return helds

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
