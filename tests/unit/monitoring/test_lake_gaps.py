"""What the cloud's topics lost before it landed is said of the lake, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hotpath.clock import Clock
from hotpath.kafka import MemoryLog
from hotpath.kafka_admin import MemoryLogs
from hotpath.lake import Lake, Manifest
from hotpath.points import Point, Points
from monitoring.lake_gaps import LOOK_EVERY_S, LakeGaps
from monitoring.remembered import Subject
from tests.unit.monitoring.answered import CONTRACT

TOPIC = CONTRACT.events.topic


class Later(Clock):
    """Moves on by a look at each question."""

    at = 0.0

    def elapsed(self) -> float:
        self.at += LOOK_EVERY_S
        return self.at


@dataclass
class Watched:
    """A lake and a cloud of one topic with one partition, and the watch of both."""

    folder: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    logs: MemoryLogs = field(default_factory=lambda: MemoryLogs({TOPIC: "A"}, {(TOPIC, 0): (0, 900)}))
    landed: int = 0

    def __post_init__(self) -> None:
        self.lake = Lake(self.folder, CONTRACT.name)
        self.watch = LakeGaps(self.lake, CONTRACT, self.logs, Points(self.log, Clock(), {}), Later())

    def land(self, end: int, batch: int) -> None:
        manifest = Manifest(batch, {TOPIC: {0: self.landed}}, {TOPIC: {0: end}}, (), {}, 1)
        self.lake.publish(manifest)
        self.landed = end

    def turns(self, count: int = 3) -> dict[Subject, int]:
        """As the job turns: new manifests, then time."""
        for _ in range(count):
            while (manifest := self.lake.manifest(self.watch.cursor)) is not None:
                self.watch.take(manifest)
            self.watch.tick()
        return self.watch.standing


def test_records_purged_before_they_landed_are_said(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.land(100, 0)
    assert watched.turns() == {}
    watched.logs.held[TOPIC, 0] = (400, 900)
    assert watched.turns() == {(TOPIC, 0, "purged"): 300}
    point = Point.parse((watched.log.entries[-1].value or b"").decode())
    assert point.tags == {"missed_by": "lake", "topic": TOPIC, "partition": "0", "why": "purged"}
    assert point.fields == {"records": 300}


def test_what_has_landed_may_be_purged(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.land(100, 0)
    watched.turns()
    watched.logs.held[TOPIC, 0] = (500, 900)
    watched.land(500, 1)
    assert watched.turns() == {}


def test_a_gap_that_opened_before_monitoring_began_is_found(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.logs.held[TOPIC, 0] = (400, 900)
    watched.land(100, 0)
    assert watched.turns() == {(TOPIC, 0, "purged"): 300}


def test_a_topic_that_is_another_one_is_said(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.land(850, 0)
    watched.turns()
    watched.logs.named[TOPIC], watched.logs.held[TOPIC, 0] = "B", (0, 10)
    assert watched.turns() == {(TOPIC, 0, "recreated"): 50}
