"""How many records of each topic have not crossed the mirror yet, asked from the clusters themselves.

MirrorMaker 2 keeps its source offsets in a topic on the target cluster; one thread a direction follows it. A
target that is away leaves what had crossed, so that a cut line shows as a lag that grows. Knows no part's
process and no point: whoever wants the figures reads `behind`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hotpath.errors import HotpathError
from hotpath.handoffs import Direction, Topic
from hotpath.kafka import KafkaLog, Tail
from hotpath.kafka_admin import Admin
from hotpath.settings import Kafka

EVERY_S = 1.0
MOST_A_LOOK = 2_000
OFFSETS_TOPIC: Mapping[Direction, str] = {
    "onprem->cloud": "mm2-offsets.onprem.internal",
    "cloud->onprem": "mm2-offsets.cloud.internal",
}
"""Where MM2 keeps its source offsets, on the target cluster (compacted)."""

Place = tuple[str, int]
"""Topic and partition."""


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


class MirrorLag:
    """Both directions' lags, from threads that end with the process."""

    def __init__(self, kafka: Kafka, topics: Iterable[Topic]) -> None:
        onprem, cloud = kafka.onprem.address, kafka.cloud.address
        self._ways = (Way(onprem, cloud, "onprem->cloud"), Way(cloud, onprem, "cloud->onprem"))
        self._ended = threading.Event()
        self.follow(topics)

    @property
    def behind(self) -> dict[str, int]:
        """Records by topic, about a second old; empty until the mirror has spoken."""
        return {topic: n for way in self._ways for topic, n in way.behind.items()}

    def follow(self, topics: Iterable[Topic]) -> None:
        """From the next look on tell of these topics."""
        wanted = tuple(topics)
        for way in self._ways:
            way.topics = _going(wanted, way.direction)

    def start(self) -> None:
        """Follow from now on."""
        for way in self._ways:
            threading.Thread(target=self._follow, args=(way,), name="mirror-lag", daemon=True).start()

    def stop(self) -> None:
        """Let the threads end."""
        self._ended.set()

    def _follow(self, way: Way) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                way.look()
            except HotpathError:
                # A cluster or MM2's topic is away: the last figures stand until it is back.
                continue


@dataclass
class Way:
    """One direction of the mirror; `topics`, `behind` are replaced whole, for any thread to set and read."""

    source: str
    target: str
    direction: Direction
    topics: tuple[str, ...] = ()
    behind: Mapping[str, int] = field(default_factory=dict)
    _crossed: dict[Place, int] = field(default_factory=dict)
    _tail: Tail | None = None
    _admin: Admin | None = None

    def look(self) -> None:
        """Bring `behind` up to date. Raises Unavailable or BadConfig where it cannot be told."""
        self._tail = self._tail or KafkaLog(self.target).tail([OFFSETS_TOPIC[self.direction]])
        self._admin = self._admin or Admin(self.source)
        self._catch_up(self._tail)
        if self._tail.at_end():  # before, what has crossed is not known and all would seem behind
            self.behind = lag(self._admin.ends(self.topics), self._crossed)

    def _catch_up(self, tail: Tail) -> None:
        # A bounded look: the mirror's own topic is never silent while records cross.
        for _ in range(MOST_A_LOOK):
            if (entry := tail.poll(0.02)) is None:
                return
            if (found := mirrored(entry.key, entry.value)) is not None:
                self._crossed[found[:2]] = found[2]


def _going(topics: Iterable[Topic], direction: Direction) -> tuple[str, ...]:
    return tuple(t.name for t in topics if t.direction == direction)
