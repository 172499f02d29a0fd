"""One direction of the mirror, looked at: what has not crossed yet, and what never will.

MirrorMaker 2 keeps its source offsets in a topic on the target cluster; this follows it. Where the target is
away the last positions stand, so that a cut line shows as a lag that grows, and no gap is judged: what had
crossed by then is not known.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hotpath.clock import SECOND, Micros
from hotpath.errors import BadArtifact, Unavailable
from hotpath.files import replace
from hotpath.handoffs import Direction, Topic
from hotpath.kafka import KafkaTail
from hotpath.kafka_admin import Admin
from monitoring.gaps import Found, Look, Place, looked
from monitoring.remembered import Remembered

MOST_A_LOOK = 50_000
"""Of the mirror's own records: that topic is never silent while records cross."""
POLL_S = 0.02
PATIENCE_S = 2.0
"""With a cluster that does not answer: the other figures must not wait for it."""
SAVE_EVERY: Micros = 5 * SECOND
OFFSETS_TOPIC: Mapping[Direction, str] = {
    "onprem->cloud": "mm2-offsets.onprem.internal",
    "cloud->onprem": "mm2-offsets.cloud.internal",
}
"""Where MM2 keeps its source offsets, on the target cluster (compacted)."""

log = logging.getLogger("mirror")


def mirrored(key: bytes | None, value: bytes | None) -> tuple[str, int, int] | None:
    """(topic, partition, records of it that have crossed) from a record of MM2's offsets topic.

    None for its other records, and for what MM2 did not write.
    """
    try:
        match json.loads(key or b""), json.loads(value or b""):
            case [[_, {"topic": str(topic), "partition": int(partition)}], {"offset": int(offset)}]:
                return topic, partition, offset + 1
    except ValueError:
        return None
    return None


def lag(ends: Mapping[Place, int], crossed: Mapping[Place, int]) -> dict[str, int]:
    """Records by topic that stand at the source and have not crossed. `ends`: one past the last offset."""
    behind: dict[str, int] = {}
    for (topic, partition), end in ends.items():
        behind[topic] = behind.get(topic, 0) + max(0, end - crossed.get((topic, partition), 0))
    return behind


@dataclass
class Way:
    """`topics`, `behind`, `memory` are replaced whole, for any thread to set and read.

    `file`: where what is remembered outlives the process; None: nowhere.
    """

    source: str
    target: str
    direction: Direction
    file: Path | None = None
    topics: tuple[Topic, ...] = ()
    behind: Mapping[str, int] = field(default_factory=dict)
    memory: Remembered = field(default_factory=Remembered)
    _crossed: dict[Place, int] = field(default_factory=dict)
    _taken: dict[Place, list[int]] = field(default_factory=dict)
    _tail: KafkaTail | None = None
    _here: Admin | None = None
    _there: Admin | None = None
    _saved: Micros = 0

    def __post_init__(self) -> None:
        if self.file is None or not self.file.exists():
            return
        try:
            self.memory = Remembered.from_bytes(self.file.read_bytes(), str(self.file))
        except BadArtifact as error:
            log.warning("%s", error)

    def look(self, now: Micros) -> None:
        """Bring `behind` and `memory` up to date. Raises Unavailable or BadConfig where it cannot be told."""
        self._tail = self._tail or KafkaTail(self.target, [self._offsets], False, PATIENCE_S)
        self._here = self._here or Admin(self.source, PATIENCE_S)
        self._there = self._there or Admin(self.target, PATIENCE_S)
        logs = self._logs(self._here)
        said = self._said(self._there)
        self._catch_up(self._tail, said)
        if self._tail.at_end():  # before, what has crossed is not known and all would seem behind
            self.behind = lag({place: look.end for place, look in logs.items()}, self._crossed)
        # Only against all that the mirror had said when the logs were looked at, and only once it has spoken.
        if said is not None and _read(self._tail, said) and self._crossed:
            self._judge(logs, self._tail, now)

    def save(self, now: Micros) -> None:
        """Make what is remembered outlive the process."""
        if self.file is not None:
            replace(self.file, self.memory.to_bytes())
            self._saved = now

    @property
    def _offsets(self) -> str:
        return OFFSETS_TOPIC[self.direction]

    def _logs(self, here: Admin) -> dict[Place, Look]:
        names = [topic.name for topic in self.topics]
        before, starts, ends = here.ids(names), here.starts(names), here.ends(names)
        after = here.ids(names)
        # What compaction takes away is no loss.
        compacted = {topic.name for topic in self.topics if topic.compacted}
        return {
            place: Look(before[place[0]], 0 if place[0] in compacted else starts[place], end)
            for place, end in ends.items()
            # One that was recreated between these questions is looked at next time.
            if place in starts and place[0] in before and before[place[0]] == after.get(place[0])
        }

    def _said(self, there: Admin) -> Mapping[Place, int] | None:
        """How far the mirror's own topic goes now; None where the target does not say."""
        try:
            return there.committed_ends([self._offsets])
        except Unavailable:
            return None

    def _catch_up(self, tail: KafkaTail, said: Mapping[Place, int] | None) -> None:
        silent = 0
        for _ in range(MOST_A_LOOK):
            if (entry := tail.poll(POLL_S)) is None:
                silent += 1
                if said is None or _read(tail, said) or silent > PATIENCE_S / POLL_S:
                    return
            elif (found := mirrored(entry.key, entry.value)) is not None:
                place, position = found[:2], found[2]
                self._crossed[place] = position
                if entry.offset >= self.memory.read.get(entry.partition, 0):
                    self._taken.setdefault(place, []).append(position)

    def _judge(self, logs: Mapping[Place, Look], tail: KafkaTail, now: Micros) -> None:
        read = {partition: end for (_, partition), end in tail.reached.items()}
        if any(end < self.memory.read.get(partition, 0) for partition, end in read.items()):
            # The mirror's own topic is another one: what was known of its positions says nothing now.
            self.memory = Remembered(found=self.memory.found)
            self._taken = {place: [position] for place, position in self._crossed.items()}
        looks = {
            place: Look(look.topic_id, look.start, look.end, tuple(self._taken.get(place, ())))
            for place, look in logs.items()
        }
        wanted = {topic.name for topic in self.topics}
        known = {place: seen for place, seen in self.memory.seen.items() if place[0] in wanted}
        seen, found = looked(known, looks)
        # A topic that is away keeps the positions that were read for it.
        kept = {p: taken for p, taken in self._taken.items() if p not in looks and p[0] in wanted}
        self._taken = kept
        self.memory = self.memory.after(read, seen, found, now)
        _told(found)
        if found or now - self._saved >= SAVE_EVERY:
            self.save(now)


def _read(tail: KafkaTail, said: Mapping[Place, int]) -> bool:
    return all(tail.reached.get(place, 0) >= end for place, end in said.items())


def _told(found: Iterable[Found]) -> None:
    for (topic, partition), gap in found:
        log.error(
            "gap: %d records of %s, partition %d, offsets %d to %d, were %s before they crossed",
            gap.records,
            topic,
            partition,
            gap.first,
            gap.end - 1,
            gap.why,
        )
