"""From a point on the topic to an alarm everywhere; what stands outlives a restart."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotpath.clock import Clock, Micros
from hotpath.handoffs import POINTS
from hotpath.kafka import MemoryLog
from hotpath.points import Point, Points
from monitoring.board import Alarm, Board
from monitoring.monitors import MONITORS
from monitoring.verdict_watch import VerdictWatch


class Steady(Clock):
    """A clock whose two hands the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.wall: Micros = 1_000_000_000
        self.passed = 0.0

    def real(self) -> Micros:
        return self.wall

    def elapsed(self) -> float:
        return self.passed


@dataclass
class Kept:
    """An outbox that keeps what it is given."""

    alarms: list[Alarm] = field(default_factory=list)

    def put(self, alarm: Alarm) -> bool:
        self.alarms.append(alarm)
        return True

    def close(self, seconds: float) -> None:
        """Nothing waits."""


@dataclass
class Desk:
    """A watch with everything around it."""

    folder: Path
    clock: Steady = field(default_factory=Steady)
    log: MemoryLog = field(default_factory=MemoryLog)
    out: Kept = field(default_factory=Kept)

    def watch(self) -> VerdictWatch:
        points = Points(self.log, self.clock, {})
        file = self.folder / "verdicts.json"
        return VerdictWatch(self.log, Board(MONITORS), points, [self.out], self.clock, file)

    def disk(self, percent: float) -> None:
        point = Point("machine", {"site": "cloud", "machine": "m1"}, {"disk": percent}, 0)
        self.log.send(POINTS, point.line().encode())

    def run(self, watch: VerdictWatch, seconds: int, disk: float | None) -> None:
        for _ in range(seconds):
            self.clock.passed += 1
            if disk is not None:
                self.disk(disk)
            watch.tick(0)

    def told(self) -> list[tuple[str, str, str]]:
        return [(a.change.kind, a.change.level, a.subject) for a in self.out.alarms]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_alarm_reaches_log_points_and_outbox(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    watch = desk.watch()
    watch.tick(0)
    with caplog.at_level(logging.INFO):
        desk.run(watch, 12, disk=97)
    assert desk.told() == [("begin", "page", "cloud/m1")]
    assert "page: disk of cloud/m1. Disk in use: 97 %, above 95 %" in caplog.text
    (said,) = [e.value for e in desk.log.entries if (e.value or b"").startswith(b"alarm")]
    assert said is not None
    assert Point.parse(said.decode()).fields == {"level": 2, "value": 97}
    assert [a.subject for a in watch.recent] == ["cloud/m1"]


def test_whoever_was_told_of_a_begin_is_told_of_the_end_after_a_restart(desk: Desk) -> None:
    watch = desk.watch()
    watch.tick(0)
    desk.run(watch, 12, disk=97)
    watch.close()
    again = desk.watch()
    again.tick(0)
    desk.run(again, 15, disk=40)
    assert desk.told() == [("begin", "page", "cloud/m1"), ("end", "clear", "cloud/m1")]


def test_a_warning_that_became_a_page_ends_as_a_page_after_a_restart(desk: Desk) -> None:
    watch = desk.watch()
    watch.tick(0)
    desk.run(watch, 12, disk=90)
    desk.run(watch, 12, disk=97)
    watch.close()
    again = desk.watch()
    again.tick(0)
    desk.run(again, 15, disk=40)
    assert [kind_and_level[:2] for kind_and_level in desk.told()] == [
        ("begin", "warn"), ("change", "page"), ("end", "clear"),
    ]  # fmt: skip
    assert desk.out.alarms[-1].change.was == "page"


def test_a_full_disk_silences_no_alarm(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    watch = desk.watch()
    watch.tick(0)
    (desk.folder / "verdicts.json").mkdir()  # what stands there cannot be replaced by a file
    desk.run(watch, 30, disk=97)
    assert desk.told() == [("begin", "page", "cloud/m1")]
    assert caplog.text.count("cannot be written") == 1
    (desk.folder / "verdicts.json").rmdir()
    desk.run(watch, 1, disk=97)
    assert (desk.folder / "verdicts.json").is_file()


def test_a_wall_clock_that_is_set_changes_no_verdict(desk: Desk) -> None:
    watch = desk.watch()
    watch.tick(0)
    desk.run(watch, 5, disk=40)
    desk.clock.wall += 10 * 3600 * 1_000_000
    desk.run(watch, 20, disk=40)
    assert desk.told() == []


def test_silence_is_judged_without_any_point(desk: Desk) -> None:
    watch = desk.watch()
    watch.tick(0)
    for _ in range(3):
        desk.clock.passed += 1
        desk.log.send(POINTS, b"scorer,pipeline=p,scorer=s requests=5.0 1")
        watch.tick(0)
    desk.run(watch, 120, disk=None)
    assert desk.told() == [("begin", "silent", "p/s")]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format":1,"states":[["a"]]}', b'{"format":99}'])
def test_a_file_that_is_no_file_of_verdicts_is_begun_anew(desk: Desk, content: bytes) -> None:
    (desk.folder / "verdicts.json").write_bytes(content)
    watch = desk.watch()
    watch.tick(0)
    desk.run(watch, 12, disk=97)
    assert desk.told() == [("begin", "page", "cloud/m1")]
