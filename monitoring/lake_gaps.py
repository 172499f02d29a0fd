"""Records that the cloud's topics lost before the stream job had landed them: one pipeline's watch.

The lake's reader is the stream job, its positions are the ends of the manifests. It never skips: it stops,
and what is said here names what is missing. Keeps no memory: a gap is there to be seen until the lake is
past it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.errors import Unavailable
from hotpath.handoffs import scores_topic
from hotpath.kafka_admin import Logs
from hotpath.lake import Lake, Manifest
from hotpath.points import Points
from monitoring.gaps import Found, Look, Place, looked
from monitoring.remembered import Remembered, Subject, said

LOOK_EVERY_S = 5.0
SAY_EVERY_S = 2.0

log = logging.getLogger("monitoring")


class LakeGaps:
    """`cursor` is the next batch it wants."""

    def __init__(self, lake: Lake, contract: Contract, logs: Logs, points: Points, clock: Clock) -> None:
        self._lake, self._points, self._clock = lake, points, clock
        self._topics = topics_of(contract)
        self._logs = logs
        self._asked: dict[Place, Look] = {}
        self._taken: dict[Place, int] = {}
        self._memory = Remembered()
        self._looked = self._said = -LOOK_EVERY_S
        newest = lake.newest()
        self.cursor = 0 if newest is None else newest

    @property
    def standing(self) -> dict[Subject, int]:
        """Records that are missing, of the gaps that are told of now."""
        return self._memory.standing(self._clock.real())

    def take(self, manifest: Manifest) -> None:
        """The lake holds what came before its ends."""
        for topic, parts in manifest.end.items():
            self._taken |= {(topic, partition): end for partition, end in parts.items()}
        self.cursor = manifest.batch + 1

    def tick(self) -> None:
        """Look and say, when it is time."""
        now = self._clock.elapsed()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._look()
        if now - self._said >= SAY_EVERY_S:
            self._said = now
            self._say()

    def _look(self) -> None:
        # Against what has landed since the logs were asked: a batch of meanwhile must not seem missing.
        if self._lake.manifest(self.cursor) is None:
            self._judge()
        try:
            self._asked = self._ask()
        except Unavailable:  # whoever reads marks and models says so; what was seen stands
            self._asked = {}

    def _judge(self) -> None:
        known = self._memory.seen.keys() | self._taken.keys()
        looks = {
            place: replace(look, taken=(self._taken.pop(place),) if place in self._taken else ())
            for place, look in self._asked.items()
            if place in known
        }
        # The job never skips, so a batch however large was read.
        seen, found = looked(self._memory.seen, looks, most=None)
        self._memory = self._memory.after({}, seen, found, self._clock.real())
        _told(found)

    def _ask(self) -> dict[Place, Look]:
        """Raises Unavailable."""
        ids, starts = self._logs.ids(self._topics), self._logs.starts(self._topics)
        ends = self._logs.ends(self._topics)
        return {
            place: Look(ids[place[0]], starts[place], end)
            for place, end in ends.items()
            if place in starts and place[0] in ids
        }

    def _say(self) -> None:
        for fields, tags in said("lake", self.standing):
            self._points.say("gap", fields, tags)


def topics_of(contract: Contract) -> tuple[str, ...]:
    """Every topic that lands in the pipeline's lake."""
    streams = (stream.topic for stream in contract.streams)
    return (contract.events.topic, contract.labels.topic, *streams, scores_topic(contract.name))


def _told(found: Iterable[Found]) -> None:
    for (topic, partition), gap in found:
        log.error(
            "gap: up to %d records of %s, partition %d, from offset %d on, were %s before they landed",
            gap.records,
            topic,
            partition,
            gap.first,
            gap.why,
        )
