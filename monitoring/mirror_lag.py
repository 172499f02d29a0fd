"""How far behind the mirror is, and what it has lost, both ways, asked from the clusters themselves.

One thread a direction looks about once a second (monitoring/mirror_way.py). Knows no part's process and no
point: whoever wants the figures reads `behind` and `gaps`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from hotpath.clock import Clock
from hotpath.errors import HotpathError
from hotpath.handoffs import Topic
from hotpath.settings import Kafka
from monitoring.mirror_way import Way
from monitoring.remembered import Subject

EVERY_S = 1.0
LAST_LOOK_S = 5.0


class MirrorLag:
    """Both directions, from threads that end with the process. `folder`: where what was seen is kept."""

    def __init__(self, kafka: Kafka, topics: Iterable[Topic], folder: Path | None = None) -> None:
        onprem, cloud = kafka.onprem.address, kafka.cloud.address
        self._clock = Clock()
        self._ways = (
            Way(onprem, cloud, "onprem->cloud", folder and folder / "gaps-onprem-cloud.json"),
            Way(cloud, onprem, "cloud->onprem", folder and folder / "gaps-cloud-onprem.json"),
        )
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self.follow(topics)

    @property
    def behind(self) -> dict[str, int]:
        """Records by topic, about a second old; empty until the mirror has spoken."""
        return {topic: n for way in self._ways for topic, n in way.behind.items()}

    @property
    def gaps(self) -> Mapping[Subject, int]:
        """Records that are missing, of the gaps that are told of now."""
        now = self._clock.real()
        return {subject: n for way in self._ways for subject, n in way.memory.standing(now).items()}

    def follow(self, topics: Iterable[Topic]) -> None:
        """From the next look on tell of these topics."""
        wanted = tuple(topics)
        for way in self._ways:
            way.topics = tuple(topic for topic in wanted if topic.direction == way.direction)

    def start(self) -> None:
        """Follow from now on."""
        for way in self._ways:
            thread = threading.Thread(target=self._follow, args=(way,), name="mirror-lag", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let the threads end, what they remember written."""
        self._ended.set()
        for thread in self._threads:
            thread.join(LAST_LOOK_S)

    def _follow(self, way: Way) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                way.look(self._clock.real())
            except (HotpathError, OSError):
                # A cluster, MM2's topic or the disk is away: the last figures stand until it is back.
                continue
        way.save(self._clock.real())
