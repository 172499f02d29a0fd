"""How many records of each topic have not crossed the mirror yet, asked from the clusters themselves.

MirrorMaker 2 keeps its source offsets in a topic on the target cluster; a thread follows both of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from hotpath.errors import HotpathError
from hotpath.handoffs import Direction, Topic
from hotpath.kafka import KafkaLog, Tail
from hotpath.kafka_admin import Admin
from hotpath.local.mirror import OFFSETS_TOPIC, lag, mirrored
from hotpath.settings import Kafka

EVERY_S = 1.0
MOST_A_LOOK = 2_000
DIRECTIONS: tuple[Direction, ...] = ("onprem->cloud", "cloud->onprem")


class MirrorLag:
    """`behind` is records by topic, about a second old; empty until the mirror has spoken."""

    def __init__(self, kafka: Kafka, topics: Iterable[Topic]) -> None:
        self._kafka, self._topics = kafka, tuple(topics)
        self._ended = threading.Event()
        self.behind: Mapping[str, int] = {}

    def start(self) -> None:
        """Follow from a thread that ends with the process."""
        threading.Thread(target=self._follow, name="mirror-lag", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end."""
        self._ended.set()

    def _follow(self) -> None:
        tails: dict[Direction, Tail] = {}
        crossed: dict[tuple[str, int], int] = {}
        while not self._ended.wait(EVERY_S):
            try:
                for direction in DIRECTIONS:
                    self._catch_up(direction, tails, crossed)
                self.behind = {**self._lag("onprem->cloud", crossed), **self._lag("cloud->onprem", crossed)}
            except HotpathError:
                # A cluster or MM2's topic is away: the last figures stand until it is back.
                continue

    def _catch_up(
        self, direction: Direction, tails: dict[Direction, Tail], crossed: dict[tuple[str, int], int]
    ) -> None:
        if direction not in tails:
            tails[direction] = KafkaLog(self._target(direction)).tail([OFFSETS_TOPIC[direction]])
        # A bounded look: the mirror's own topic is never silent while records cross.
        for _ in range(MOST_A_LOOK):
            if (entry := tails[direction].poll(0.02)) is None:
                return
            if (found := mirrored(entry.key, entry.value)) is not None:
                crossed[found[:2]] = found[2]

    def _lag(self, direction: Direction, crossed: Mapping[tuple[str, int], int]) -> dict[str, int]:
        names = [t.name for t in self._topics if t.direction == direction]
        return lag(Admin(self._source(direction)).ends(names), crossed)

    def _source(self, direction: Direction) -> str:
        return self._kafka.onprem.address if direction == "onprem->cloud" else self._kafka.cloud.address

    def _target(self, direction: Direction) -> str:
        return self._kafka.cloud.address if direction == "onprem->cloud" else self._kafka.onprem.address
