"""From poor outcomes in a lake to the older model live again on a host, through a real broker."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath.bundle import opened
from hotpath.clock import Clock
from hotpath.errors import BadArtifact
from hotpath.handoffs import BUNDLES, HANDOFFS, Announcement
from hotpath.kafka import KafkaLog, MemoryLog, Tail, standing
from hotpath.kafka_admin import Admin
from hotpath.publish import DELIVERY_S
from serve.follower import TOPICS, Follower
from tests.conftest import until
from tests.unit.monitoring.answered import KEY, Site
from tests.unit.monitoring.story import CONTRACT, GOOD, POOR, Story

PUBLIC = KEY.public_key()


def proved(said: Announcement, packed: bytes) -> None:
    """A sandbox that proves the bytes alone: there is no model in these bundles."""
    if opened(packed, PUBLIC).id != said.bundle:
        raise BadArtifact("bundle", said.bundle, "its own bytes")


@dataclass
class Host:
    """A follower at the broker's topics."""

    folder: Path
    log: KafkaLog

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """As a process that has just started: it replays its topics (its receipts go nowhere here)."""
        self.tail: Tail = self.log.tail(TOPICS)
        self.follower = Follower(self.folder, PUBLIC, MemoryLog(), Clock(), "host", proved)
        self.follower.restore()

    def restart(self) -> None:
        self.tail.close()
        self.begin()

    def live(self) -> int | None:
        """Take in what is at hand, prove what can be proved; the live sequence."""
        while (entry := self.tail.poll(0.05)) is not None:
            self.follower.hear(entry)
        if self.tail.at_end():
            while (candidate := self.follower.ready()) is not None:
                self.follower.prove(candidate)
        return self.follower.live().get(CONTRACT.name)

    def follows(self, said: Announcement) -> None:
        until(lambda: self.live() == said.sequence, f"sequence {said.sequence} is live", 30)


@pytest.fixture
def log(kafka: str) -> KafkaLog:
    Admin(kafka).ensure(HANDOFFS, "cloud", 1)
    return KafkaLog(kafka, timeout_ms=DELIVERY_S * 1000)


@pytest.fixture
def host(tmp_path: Path, log: KafkaLog) -> Iterator[Host]:
    found = Host(tmp_path / "host", log)
    with closing(found.tail):
        yield found


def test_a_poor_model_gives_way_to_an_older_one_whose_bytes_the_host_had_lost(
    tmp_path: Path, log: KafkaLog, host: Host
) -> None:
    story = Story(Site(tmp_path, CONTRACT, log), log)
    good = story.publish("good")
    host.follows(good)
    story.asks(good, GOOD, 1)
    for name in ("poor", "poor too"):
        poor = story.publish(name)
        host.follows(poor)
        story.asks(poor, POOR, 3)
    shutil.rmtree(host.folder / CONTRACT.name / good.bundle)
    host.restart()
    host.follows(poor)

    chunks = chunks_of(log, good)
    story.watch()
    back = story.announced()[-1]
    assert (back.kind, back.bundle, back.sequence) == ("rollback", good.bundle, poor.sequence + 1)
    assert (back.sha256, back.size, back.chunks) == (good.sha256, good.size, good.chunks)
    assert chunks_of(log, good) == 2 * chunks
    assert Announcement.verified(back.signed(KEY), PUBLIC) == back

    host.follows(back)
    story.watch()
    assert len(story.announced()) == 4

    host.restart()
    host.follows(back)
    host.follows(story.publish("newer"))


def chunks_of(log: KafkaLog, said: Announcement) -> int:
    """How often the bundle's bytes stand on the topic."""
    return sum((e.key or b"").startswith(said.bundle.encode()) for e in standing(log, BUNDLES))
