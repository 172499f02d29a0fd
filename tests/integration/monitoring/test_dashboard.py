"""Every panel's query against the real InfluxDB tells what the board measured of the same points."""

from __future__ import annotations

from datetime import datetime

import pytest

from hotpath.clock import SECOND, Clock
from hotpath.points import BY_NAME, Number, Point
from monitoring.board import Board
from monitoring.flux import queries
from monitoring.influx import QUERY_S, Influx
from monitoring.monitor import Monitor
from monitoring.monitors import MONITORS
from tests.integration.monitoring.influxes import Server

SECONDS = 40


def points_of(monitor: Monitor, end: int) -> list[Point]:
    """One a second: for two subjects, where a monitor tells them apart, and one that it must not count."""
    reads = monitor.reads
    tags = dict.fromkeys(BY_NAME[reads.measurement].tags, "x") | dict(reads.only)
    others = [tags | {reads.by[-1]: "y"}] if reads.by else []
    foreign = [tags | dict.fromkeys(reads.only, "other")] if reads.only else []
    said = ((tags, 1.0), *((who, 2.0) for who in others), *((who, 50.0) for who in foreign))
    return [
        Point(reads.measurement, who, _fields(monitor, times * (1 + n % 3)), end - n * SECOND)
        for n in range(SECONDS, 0, -1)
        for who, times in said
    ]


def _fields(monitor: Monitor, value: float) -> dict[str, Number]:
    return {monitor.reads.field: value, **({monitor.reads.per: 7.0} if monitor.reads.per else {})}


@pytest.fixture(scope="module")
def now() -> int:
    return Clock().real() // (10 * SECOND) * (10 * SECOND)


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda m: m.name)
def test_a_panel_tells_what_the_board_measures(server: Server, now: int, monitor: Monitor) -> None:
    said = points_of(monitor, now)
    Influx(server.settings, "write", QUERY_S).write([p.line() for p in said])
    reader = Influx(server.settings, "read", QUERY_S)
    rows = reader.query(queries(reader.bucket, 15)[monitor.title])
    board = Board(MONITORS)
    for point in said:
        board.add(point, point.at)
    expected = board.history(monitor, now, 10)
    assert expected
    for subject, steps in expected.items():
        shown = {micros(row["_time"]): row["_value"] for row in rows if row["subject"] == subject}
        assert shown == pytest.approx(steps)
    assert {row["subject"] for row in rows} == expected.keys()


def micros(at: object) -> int:
    assert isinstance(at, datetime)
    return int(at.timestamp()) * SECOND
