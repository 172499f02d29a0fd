"""Points in line protocol: the bytes of InfluxDB's own client, read back whole, never a part's trouble."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point as TheirPoint
from influxdb_client.domain.write_precision import WritePrecision

from hotpath.clock import Clock
from hotpath.errors import BadInput, Unavailable
from hotpath.handoffs import POINTS
from hotpath.kafka import Delivered, Headers, MemoryLog
from hotpath.points import LONGEST_TAG, MEASUREMENTS, Number, Point, Points, sayable

NAMES = st.text("abcdefghij_ ,=", min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)
CLEAN = TEXTS.filter(lambda text: not text.endswith("\\"))
NASTY = st.text(st.sampled_from('ab,= \\"\n\r\t\x00\x7f\x85\u2028é\ud800'), max_size=12)
INT64 = st.integers(-(2**63), 2**63 - 1)
NUMBERS: st.SearchStrategy[Number] = st.one_of(
    st.booleans(), INT64, st.floats(allow_nan=False, allow_infinity=False)
)
INSTANTS = st.integers(0, 4_000_000_000_000_000)


@st.composite
def points(draw: st.DrawFn, texts: st.SearchStrategy[str] = CLEAN) -> Point:
    tags = draw(st.dictionaries(NAMES, texts, max_size=4))
    fields = draw(st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4))
    return Point(draw(st.sampled_from([m.name for m in MEASUREMENTS])), tags, fields, draw(INSTANTS))


@given(points())
def test_a_line_is_the_one_that_influxdbs_own_client_writes(point: Point) -> None:
    make: Any = TheirPoint
    theirs = make(point.measurement).time(point.at, WritePrecision.US)
    for key, tag in point.tags.items():
        theirs = theirs.tag(key, tag)
    for key, value in point.fields.items():
        theirs = theirs.field(key, value)
    assert point.line() == theirs.to_line_protocol()


@given(points())
def test_a_line_is_read_back_as_the_same_point(point: Point) -> None:
    assert Point.parse(point.line()) == point


@given(points(NASTY))
def test_whatever_a_tag_holds_the_line_is_one_line_and_reads_back_as_what_can_be_said(point: Point) -> None:
    line = point.line()
    assert "\n" not in line
    line.encode()
    kept = {key: said for key, value in point.tags.items() if (said := sayable(value))}
    assert Point.parse(line) == Point(point.measurement, kept, point.fields, point.at)


@given(NASTY)
def test_what_can_be_said_stays_as_it_is(text: str) -> None:
    assert sayable(sayable(text)) == sayable(text)


def test_a_tag_is_cut_where_nobody_would_read_on() -> None:
    assert len(sayable("x" * 10_000)) == LONGEST_TAG


@pytest.mark.parametrize(
    "line",
    [
        "",
        "machine",
        "machine cpu=1",
        "machine cpu=1 ",
        "machine cpu=1 1 1",
        "machine cpu=1 now",
        "machine cpu=1 ²",
        "machine cpu=nan 1",
        "machine cpu=1e999 1",
        'machine cpu="text" 1',
        "machine cpu=1_0 1",
        "machine,site= cpu=1 1",
        "machine,site cpu=1 1",
        "machine =1 1",
    ],
)
def test_what_is_no_line_is_bad_input(line: str) -> None:
    with pytest.raises(BadInput):
        Point.parse(line)


@given(st.text(max_size=40))
def test_any_text_is_a_point_or_bad_input(text: str) -> None:
    with suppress(BadInput):
        Point.parse(text)


def said(log: MemoryLog) -> list[Point]:
    assert {e.topic for e in log.entries} <= {POINTS}
    return [Point.parse((e.value or b"").decode()) for e in log.entries]


def test_a_point_carries_the_tags_of_its_measurement_and_no_other() -> None:
    log = MemoryLog()
    points = Points(log, Clock(), {"pipeline": "flights", "scorer": "h:1"})
    assert points.say("freshness", {"p50_s": 1.5}, {"of": "events"})
    (point,) = said(log)
    assert (point.measurement, point.tags) == ("freshness", {"of": "events", "pipeline": "flights"})


def test_every_field_is_said_as_a_double_so_that_no_later_point_is_of_another_type() -> None:
    log = MemoryLog()
    Points(log, Clock(), {}).say("mirror", {"behind": 3})
    Points(log, Clock(), {}).say("mirror", {"behind": True})
    assert [type(p.fields["behind"]) for p in said(log)] == [float, float]


def test_what_is_not_known_is_left_out_and_a_point_of_nothing_is_not_sent() -> None:
    log = MemoryLog()
    points = Points(log, Clock(), {})
    assert points.say("run", {"seconds": 1.0, "auc": None, "rows": float("nan"), "left_out": 10**400})
    assert points.say("run", {"auc": None})
    assert [p.fields for p in said(log)] == [{"seconds": 1.0}]


def test_a_full_queue_and_a_client_that_gave_up_cost_the_point_and_nothing_else() -> None:
    class Away(MemoryLog):
        def send(
            self,
            topic: str,  # noqa: ARG002
            value: bytes | None,  # noqa: ARG002
            key: bytes | None = None,  # noqa: ARG002
            headers: Headers | None = None,  # noqa: ARG002
            on_delivery: Delivered | None = None,  # noqa: ARG002
        ) -> bool:
            raise Unavailable("Kafka", "away", "here")

    assert not Points(MemoryLog(refuse=True), Clock(), {}).say("mirror", {"behind": 1})
    assert not Points(Away(), Clock(), {}).say("mirror", {"behind": 1})


def test_the_table_names_each_measurement_once_and_always_has_a_field() -> None:
    names = [m.name for m in MEASUREMENTS]
    assert len(set(names)) == len(names)
    assert all(m.fields and m.always in m.fields for m in MEASUREMENTS)
