"""Points from a real Kafka into a real InfluxDB: none lost, whatever is killed, refused or forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotpath.clock import Clock
from hotpath.handoffs import POINTS, Topic
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.kafka_group import KafkaGroup
from hotpath.local.points_check import compared
from hotpath.local.report import Written
from hotpath.points import Point, Points, sayable
from monitoring.influx import read_access, write_access
from monitoring.influx_setup import set_up
from monitoring.writer import Writer
from tests.conftest import until
from tests.integration.monitoring.influxes import Server


@dataclass
class Renamed(KafkaLog):
    """What is said on `hotpath.points` stands in a topic of the test's own."""

    def __init__(self, address: str, topic: str) -> None:
        super().__init__(address)
        self._topic = topic

    def send(self, topic: str, *arguments: object, **named: object) -> bool:
        renamed = self._topic if topic == POINTS else topic
        return super().send(renamed, *arguments, **named)  # type: ignore[arg-type]


@dataclass
class Case:
    """A topic of its own on the session's broker, an InfluxDB, and writers between them."""

    address: str
    server: Server
    topic: str = field(default_factory=lambda: f"points-{uuid4().hex[:8]}")
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        Admin(self.address).ensure([Topic(self.topic, "onprem->cloud")], "cloud", 1)
        self.log = Renamed(self.address, self.topic)
        self.points = Points(self.log, self.clock, {"topic": "t"})

    def say(self, count: int) -> None:
        for n in range(count):
            assert self.points.say("mirror", {"behind": n}, {"topic": f"t{n % 7}"})
        assert self.log.flush(20) == 0

    def writer(self) -> Writer:
        return Writer(
            open_group=lambda: KafkaGroup(self.address, self.topic, f"group-{self.topic}"),
            sink=write_access(self.server.settings),
            repair=lambda: set_up(self.server.settings, self.clock),
            points=Points(Renamed(self.address, self.topic), self.clock, {}),
            clock=self.clock,
        )

    def standing(self) -> list[bytes | None]:
        return [e.value for e in standing(self.log, self.topic)]

    def compared(self) -> Written:
        return compared(self.standing(), read_access(self.server.settings))


@pytest.fixture
def case(kafka: str, server: Server) -> Case:
    return Case(kafka, server)


@contextmanager
def running(writer: Writer) -> Iterator[Callable[[], None]]:
    """The writer in a thread; what is yielded stops it and waits two seconds for its end."""
    stop = threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(2.0)
        assert not thread.is_alive(), "the writer did not end within two seconds"

    try:
        yield end
    finally:
        stop.set()
        thread.join()
        writer.close()


def test_every_point_of_the_topic_is_in_influxdb(case: Case) -> None:
    case.say(1000)
    with closing(case.writer()) as writer:
        assert writer.drain(30)
        assert (writer.written, writer.refused) == (1000, 0)
    assert case.compared() == Written(1000, 0)


def test_influxdb_killed_while_points_flow_loses_none(case: Case) -> None:
    # points  ────────────────────────────────
    # influxd ─────────┤ SIGKILL ├────────────
    writer = case.writer()
    with running(writer) as end:
        case.say(200)
        until(lambda: writer.written >= 200, "the first are written")
        case.server.kill()
        for _ in range(4):
            case.say(100)
        case.server.start()
        case.say(100)
        until(lambda: writer.written >= 700, "all are written")
        end()
    with closing(case.writer()) as after:
        assert after.drain(30)  # what the writer had said of itself meanwhile
    found = case.compared()
    assert (found.lost, found.written) == (0, len(case.standing()))


def test_a_writer_that_ends_before_the_acknowledgement_leaves_the_points_to_the_next(case: Case) -> None:
    case.say(50)
    case.server.kill()
    first = case.writer()
    with running(first) as end:
        until(lambda: first.waiting, "the writer waits")
        end()
    assert first.written == 0
    case.server.start()
    with closing(case.writer()) as second:
        assert second.drain(30)
        assert second.written >= 50
    assert case.compared() == Written(len(case.standing()), 0)


def test_an_influxdb_that_hangs_holds_nobody_up_and_loses_nothing(case: Case) -> None:
    writer = case.writer()
    with running(writer) as end:
        case.say(100)
        until(lambda: writer.written >= 100, "the first are written")
        case.server.hang(True)
        try:
            case.say(300)
            until(lambda: bool(writer.waiting), "the writer waits")
            end()
        finally:
            case.server.hang(False)
        assert writer.drain(30)
    found = case.compared()
    assert (found.lost, found.written) == (0, len(case.standing()))


def test_a_refused_line_is_counted_and_the_others_are_written(case: Case) -> None:
    case.say(20)
    now = case.clock.real()
    case.log.send(POINTS, f"mirror,topic=t behind=true {now}".encode())  # another type: InfluxDB refuses it
    case.log.send(POINTS, b"no line at all")
    case.say(20)
    with closing(case.writer()) as writer:
        assert writer.drain(30)
        assert (writer.written, writer.refused) == (40, 2)
    assert case.compared() == Written(40, 2)


def test_a_token_that_was_overwritten_is_repaired(case: Case) -> None:
    case.server.settings.influxdb_token("write").write_text("nobody's")
    case.say(10)
    with closing(case.writer()) as writer:
        assert writer.drain(30)
    assert case.compared() == Written(10, 0)


def test_what_influxdb_lacks_is_lost(case: Case) -> None:
    case.say(3)
    with closing(case.writer()) as writer:
        assert writer.drain(30)
    case.say(2)
    assert case.compared() == Written(3, 2)


TEXTS = st.text(st.sampled_from("ab,= \\\"'é#\u2028\x85"), min_size=1, max_size=10)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_influxdb_understands_every_tag_as_it_was_meant(server: Server, texts: list[str]) -> None:
    now = Clock().real()
    lines = [
        Point("clock", {"host": text, "pipeline": "p"}, {"count": 1.0}, now + n).line()
        for n, text in enumerate(texts)
    ]
    write_access(server.settings).write(lines)
    flux = f'from(bucket: "hotpath") |> range(start: time(v: {now * 1000})) |> group()'
    rows = read_access(server.settings).query(f'{flux} |> filter(fn: (r) => r._measurement == "clock")')
    found = {str(row.get("host") or "") for row in rows}
    assert found >= {sayable(text) for text in texts}
