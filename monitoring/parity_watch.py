"""Parity all the time: a sample of the answers that land, computed again from the lake.

A watch of the monitoring job, one a pipeline. What it finds stands on `hotpath.parity`, where the trainer's
gate reads it, and in points. It begins at the lake's newest batch; what it found in the last domain hour is
kept in `parity.json`, so that a restart does not lift what blocks the gate.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from hotpath import files
from hotpath.bundle_store import BundleStore
from hotpath.clock import HOUR, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.handoffs import PARITY, Parity
from hotpath.kafka import Log
from hotpath.lake import Lake, Manifest
from hotpath.parity import Differs, Judged, Logged, logged, recomputed, sampled, tally
from hotpath.points import Points

SPAN = HOUR
"""Of the domain: what is older is forgotten."""
SAMPLE = 100
"""Answers of a look, at the most."""
EVERY_S = 5.0
SHARE = 0.05
"""Of real time that looking may take: the more there is to read, the seldomer."""
EXAMPLES = 20
BEHIND = 5
"""Batches more than this behind the newest are passed over: a sample need not be whole."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What one look came to: verdicts of the answers asked up to `at`, and values that differ."""

    at: Micros
    verdicts: Mapping[str, int]
    examples: tuple[Differs, ...] = ()


@dataclass
class Found:
    """The looks of the last SPAN, oldest first. Pure."""

    looks: list[Look] = field(default_factory=list)

    def add(self, look: Look) -> None:
        """Remember a look, forget what is older than SPAN before it."""
        self.looks.append(look)
        self.forget(look.at)

    def forget(self, now: Micros) -> None:
        """Only the looks of the last SPAN before `now` are left."""
        self.looks = [look for look in self.looks if look.at > now - SPAN]

    def said(self, pipeline: str, now: Micros) -> Parity:
        """The record of all of them."""
        total: Counter[str] = Counter()
        for look in self.looks:
            total.update(look.verdicts)
        examples = [asdict(one) for look in reversed(self.looks) for one in look.examples][:EXAMPLES]
        since = min((look.at for look in self.looks), default=now)
        kinds = {kind: total[kind] for kind in ("equal", "late", "degraded", "differing")}
        return Parity(pipeline, sum(kinds.values()), **kinds, examples=examples, since=since, at=now)

    def to_bytes(self) -> bytes:
        """The state file's content."""
        return json.dumps([asdict(look) for look in self.looks]).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Found:
        """What `to_bytes` wrote; nothing where it does not read, for it is no more than a memory."""
        try:
            return cls([_look(look) for look in json.loads(raw)])
        except (ValueError, TypeError, KeyError):
            return cls()


class ParityWatch:
    """One pipeline's parity; `cursor` is the next batch it wants."""

    def __init__(
        self,
        lake: Lake,
        contract: Contract,
        store: BundleStore,
        log: Log,
        points: Points,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._lake, self._pipeline, self._store = lake, contract.name, store
        self._log, self._points, self._clock = log, points, clock
        self._state = folder / "parity.json"
        self._found = Found.from_bytes(self._state.read_bytes()) if self._state.exists() else Found()
        self._waiting: list[Logged] = []
        self._next = -inf
        newest = lake.newest()
        self.cursor = 0 if newest is None else newest + 1

    def take(self, manifest: Manifest) -> None:
        """A batch was landed. Raises BadArtifact on a file of it that does not read."""
        if manifest.batch < self.cursor:
            return
        self.cursor = manifest.batch + 1
        if (self._lake.newest() or 0) - manifest.batch > BEHIND:
            return
        now = self._clock.now()
        # Anyone can write to the topic: an instant out of all bounds would make the whole lake be read.
        landed = [a for a in logged(self._lake, [manifest]) if now - SPAN < a.asked_at < now + SPAN]
        self._waiting = sampled([*self._waiting, *landed], SAMPLE)

    def tick(self) -> None:
        """Compute again what waits, say what came of it; seldom. Raises BadArtifact."""
        began = self._clock.elapsed()
        if began < self._next:
            return
        waiting, self._waiting = self._waiting, []
        try:
            if waiting:
                self._look(waiting)
            self._say()
        finally:
            self._next = began + max(EVERY_S, (self._clock.elapsed() - began) / SHARE)

    def _look(self, answers: Sequence[Logged]) -> None:
        found = recomputed(answers, self._lake, self._store)
        wrong = [one for one in found if one.verdict == "differing"]
        for one in wrong[:EXAMPLES]:
            log.error("%s: %s", self._pipeline, told(one))
        examples = tuple(value for one in wrong for value in one.differs)[:EXAMPLES]
        if unknown := len(answers) - len(found):
            log.warning("%s: %d answers of bundles that are not kept", self._pipeline, unknown)
        # Never ahead of our own clock: what differs would block the gate for longer than SPAN.
        at = min(self._clock.now(), max(one.asked_at for one in answers))
        self._found.add(Look(at, dict(tally(found)), examples))
        files.replace(self._state, self._found.to_bytes())

    def _say(self) -> None:
        now = self._clock.now()
        self._found.forget(now)
        said = self._found.said(self._pipeline, now)
        self._log.send(PARITY, said.to_bytes(), key=self._pipeline.encode())
        counts = ("checked", "equal", "late", "degraded", "differing")
        self._points.say("parity", {name: getattr(said, name) for name in counts})


def told(one: Judged) -> str:
    """A judged answer's differences, a line."""
    values = "; ".join(
        f"{d.feature} answered {d.answered!r}, the lake gives {d.recomputed!r}" for d in one.differs
    )
    return f"answer {one.prediction_id} is {one.verdict}: {values}"


def _look(raw: Mapping[str, Any]) -> Look:
    examples = tuple(Differs(**one) for one in raw["examples"])
    return Look(int(raw["at"]), {str(kind): int(n) for kind, n in raw["verdicts"].items()}, examples)
