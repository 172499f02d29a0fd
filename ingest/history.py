"""The days before the replay, brought in at once: sent on-prem, awaited in the cloud, recorded in the lake.

Each record says in headers when it arrived and by which import. Anyone could write such headers, so the
import ends by recording which offsets of the cloud's topics it filled; the headers are believed there alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hotpath.errors import BadInput, Unavailable
from hotpath.handoffs import IMPORT_HEADER
from hotpath.kafka import Entry, Tail
from hotpath.lake import Import
from ingest.records import Due
from ingest.sender import Sender

SILENCE_S = 60.0
"""The import fails if for so long none of its records comes across."""
TOLD_EVERY = 5_000

Ranges = dict[str, dict[int, tuple[int, int]]]


@dataclass(frozen=True)
class History:
    """One import. `told` hears the records counted so far by topic; once `stopping` says so, it ends early.

    `elapsed` gives real seconds.
    """

    id: str
    told: Callable[[Counter[str]], None]
    stopping: Callable[[], bool]
    elapsed: Callable[[], float]

    def sent(self, records: Iterable[Due], sender: Sender) -> Counter[str] | None:
        """Sends what is missing of `records`: all of them by topic, acknowledged; None when told to stop.

        Raises Unavailable where the broker does not acknowledge in the time that the client allows it.
        """
        counts: Counter[str] = Counter()
        for record in records:
            while not sender.send(record, self.id) and not self.stopping():
                sender.log.flush(0.1)
            if self.stopping():
                return None
            self._count(counts, record.topic)
        while sender.log.flush(0.5):
            if self.stopping():
                return None
        return counts

    def crossed(self, cloud: Tail, expected: Counter[str]) -> Import | None:
        """Waits until every record stands in the cloud's topics: the offsets there. None when told to stop.

        Raises Unavailable where nothing comes for `SILENCE_S`, BadInput where others claim this import.
        """
        counts: Counter[str] = Counter()
        ranges: Ranges = {topic: {} for topic in expected}
        heard = self.elapsed()
        while counts != expected:
            entry = cloud.poll(0.2)
            if self.stopping():
                return None
            if entry is None:
                self._patient(heard, counts, expected)
            elif entry.headers.get(IMPORT_HEADER) == self.id.encode():
                _widen(ranges, entry)
                self._count(counts, entry.topic)
                heard = self.elapsed()
            if counts > expected:
                raise BadInput(self._name, dict(counts), f"{dict(expected)} records: others claim its header")
        return Import(self.id, ranges)

    @property
    def _name(self) -> str:
        return f"import {self.id}"

    def _count(self, counts: Counter[str], topic: str) -> None:
        counts[topic] += 1
        if counts.total() % TOLD_EVERY == 0:
            self.told(counts)

    def _patient(self, heard: float, counts: Counter[str], expected: Counter[str]) -> None:
        if self.elapsed() - heard > SILENCE_S:
            found = f"{dict(counts)} in the cloud for {SILENCE_S:.0f} s"
            raise Unavailable(self._name, found, f"{dict(expected)}", "look at the mirror's log")


def _widen(ranges: Ranges, entry: Entry) -> None:
    first, _ = ranges[entry.topic].get(entry.partition, (entry.offset, entry.offset))
    ranges[entry.topic][entry.partition] = (first, entry.offset)
