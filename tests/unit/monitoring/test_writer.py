"""The points' writer between a topic and an InfluxDB that refuses, forgets, is away; both in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import Clock
from hotpath.errors import BadConfig, BadInput, Unavailable
from hotpath.handoffs import POINTS
from hotpath.kafka import MemoryLog
from hotpath.kafka_group import MemoryGroup
from hotpath.points import Point, Points
from monitoring import writer
from monitoring.writer import Writer

Trouble = Callable[[], Exception]


def away() -> Exception:
    return Unavailable("InfluxDB", "away", "here")


def stranger() -> Exception:
    return BadConfig("InfluxDB", "401", "a token it knows")


@dataclass
class MemoryInflux:
    """Keeps lines; refuses a body with one of `refused` whole; `troubles` come first, one a write."""

    refused: frozenset[str] = frozenset()
    troubles: list[Trouble] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    writes: int = 0
    forgotten: int = 0

    def write(self, lines: Sequence[str]) -> None:
        self.writes += 1
        if self.troubles:
            raise self.troubles.pop(0)()
        if self.refused & set(lines):
            raise BadInput("InfluxDB's write", "422 field type conflict", "what it can take")
        self.kept |= set(lines)

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class Case:
    """A topic, an InfluxDB, and the writer between them."""

    influx: MemoryInflux = field(default_factory=MemoryInflux)
    log: MemoryLog = field(default_factory=MemoryLog)
    repaired: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.group = MemoryGroup(self.log, POINTS)
        self.writer = Writer(
            open_group=lambda: self.group,
            sink=self.influx,
            repair=lambda: self.repaired.append("repaired"),
            points=Points(MemoryLog(), Clock(), {}),
            clock=Clock(),
        )

    def say(self, count: int, first: int = 0) -> list[str]:
        lines = [line(n) for n in range(first, first + count)]
        for one in lines:
            self.log.send(POINTS, one.encode())
        return lines


def line(n: int) -> str:
    return Point("mirror", {"topic": "t"}, {"behind": float(n)}, 1_000_000 + n).line()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PAUSES_S", (0.0,))


def test_what_stands_in_the_topic_is_written_then_committed() -> None:
    case = Case()
    said = case.say(3)
    assert case.writer.drain(5)
    assert case.influx.kept == set(said)
    assert (case.group.committed, case.writer.written, case.writer.refused) == (3, 3, 0)


def test_nothing_is_committed_that_influxdb_has_not_acknowledged() -> None:
    # |-- 3 points --|  InfluxDB away ... told to stop  | next start: all 3 again
    case = Case(MemoryInflux(troubles=[away] * 1000))
    said = case.say(3)
    stop = threading.Event()

    def trouble() -> Exception:
        stop.set()
        return away()

    case.influx.troubles[2] = trouble
    case.writer.run(stop)
    assert case.group.committed == 0
    case.writer.close()
    case.influx.troubles.clear()
    again = Case(case.influx, case.log)
    assert again.writer.drain(5)
    assert case.influx.kept == set(said)


def test_what_was_taken_when_the_writer_was_told_to_stop_is_drained_before_anything_newer() -> None:
    # |-- 3 points --|  away ... told to stop  |-- 2 more --|  drain: all 5, then the commit
    case = Case()
    said, stop = case.say(3), threading.Event()

    def trouble() -> Exception:
        stop.set()
        return away()

    case.influx.troubles = [trouble]
    case.writer.run(stop)
    said += case.say(2, first=3)
    assert case.writer.drain(5)
    assert case.influx.kept == set(said)
    assert case.group.committed == 5


def test_while_influxdb_is_away_the_batch_is_kept_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = Case(MemoryInflux(troubles=[away] * 20))
    said = case.say(4)
    with caplog.at_level(logging.INFO, "points"):
        assert case.writer.drain(5)
    assert case.influx.kept == set(said)
    assert [r.message.split(":")[0] for r in caplog.records] == [
        "points wait in Kafka",
        "points are written again",
    ]


@given(st.sets(st.integers(0, 40), max_size=8), st.integers(1, 41))
def test_a_refused_line_holds_up_no_other(refused: set[int], count: int) -> None:
    bad = {line(n) for n in refused if n < count}
    case = Case(MemoryInflux(refused=frozenset(bad)))
    said = case.say(count)
    assert case.writer.drain(5)
    assert case.influx.kept == set(said) - bad
    assert (case.writer.written, case.writer.refused) == (count - len(bad), len(bad))
    assert case.group.committed == count


def test_finding_one_refused_line_of_many_takes_few_writes() -> None:
    case = Case(MemoryInflux(refused=frozenset({line(4321)})))
    case.say(5000)
    assert case.writer.drain(30)
    assert (case.writer.refused, case.writer.written) == (1, 4999)
    assert case.influx.writes <= 30


def test_refused_lines_are_named_once_a_kind(caplog: pytest.LogCaptureFixture) -> None:
    case = Case(MemoryInflux(refused=frozenset(line(n) for n in range(9))))
    case.say(9)
    assert case.writer.drain(5)
    assert [r.levelname for r in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("value", [b"", None, b"\xff", b"no line", b"mirror behind=nan 1"])
def test_bytes_that_are_no_point_are_refused_without_asking(value: bytes | None) -> None:
    case = Case()
    case.log.send(POINTS, value)
    said = case.say(1)
    assert case.writer.drain(5)
    assert (case.influx.kept, case.writer.refused, case.group.committed) == (set(said), 1, 2)


def test_a_token_that_is_not_known_is_repaired_and_the_batch_goes_through() -> None:
    case = Case(MemoryInflux(troubles=[stranger]))
    said = case.say(2)
    assert case.writer.drain(5)
    assert (case.repaired, case.influx.forgotten, case.influx.kept) == (["repaired"], 1, set(said))


def test_where_only_an_operator_can_repair_it_the_points_wait() -> None:
    case = Case(MemoryInflux(troubles=[stranger, stranger, stranger]))
    said = case.say(2)

    def lost() -> None:
        raise BadConfig("influxdb-admin.token", "no such file", "the token", "put it back")

    case.writer.repair = lost
    assert case.writer.drain(5)
    assert case.influx.kept == set(said)


def test_a_slow_influxdb_is_given_less_at_a_time_until_it_keeps_up() -> None:
    sizes: list[int] = []

    class Slow(MemoryInflux):
        def write(self, lines: Sequence[str]) -> None:
            sizes.append(len(lines))
            if len(lines) > 1300:
                raise away()
            super().write(lines)

    case = Case(Slow())
    said = case.say(5000)
    assert case.writer.drain(30)
    assert case.influx.kept == set(said)
    assert sizes[:3] == [5000, 2500, 1250]


def test_kafka_away_costs_a_pause_and_another_connection() -> None:
    case = Case()
    case.say(1)
    fails = [Unavailable("Kafka", "away", "here")] * 3

    def opened() -> MemoryGroup:
        if fails:
            raise fails.pop()
        return case.group

    case.writer.open_group = opened
    assert case.writer.drain(5)
    assert case.writer.written == 1


def test_it_says_how_it_does_about_itself() -> None:
    case = Case()
    case.say(2)
    told = MemoryLog()
    case.writer.points = Points(told, Clock(), {})
    stop = threading.Event()
    case.influx.forget()

    class Ending(MemoryGroup):
        def commit(self) -> None:
            super().commit()
            stop.set()

    case.writer.open_group = lambda: Ending(case.log, POINTS)
    case.writer.run(stop)
    (point,) = [Point.parse((e.value or b"").decode()) for e in told.entries]
    assert (point.measurement, point.fields) == ("writer", {"written": 2, "refused": 0, "behind": 0})


def test_a_refused_line_is_told_once_so_that_its_alarm_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "SAY_EVERY_S", 0.0)
    case, told = Case(), MemoryLog()
    case.writer.points = Points(told, Clock(), {})
    case.log.send(POINTS, b"no point")
    assert case.writer.drain(5)
    for _ in range(2):
        case.writer._say()
    points = [Point.parse((e.value or b"").decode()) for e in told.entries]
    assert [p.fields["refused"] for p in points] == [1, 0]


def test_what_the_settings_ask_for_is_set_up_once_a_start_though_writing_works() -> None:
    case = Case()
    for first in (0, 10):
        case.say(3, first)
        assert case.writer.drain(5)
    assert case.repaired == ["repaired"]


def test_a_set_up_that_fails_keeps_no_point_waiting(caplog: pytest.LogCaptureFixture) -> None:
    case = Case()

    def lost() -> None:
        raise BadConfig("admin.token", "no such file", "the token InfluxDB was set up with")

    case.writer.repair = lost
    case.say(3)
    assert case.writer.drain(5)
    assert (case.writer.written, case.writer.waiting) == (3, False)
    assert "admin.token" in caplog.text
