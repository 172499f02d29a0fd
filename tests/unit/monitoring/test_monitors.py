"""The table of monitors reads what is said, and one entry brings panel, alarm, docs row and console cell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotpath.clock import MINUTE, SECOND
from hotpath.errors import BadConfig
from hotpath.points import BY_NAME, Point
from hotpath.settings import Threshold
from monitoring.alarms import notice
from monitoring.board import Board
from monitoring.console.snapshot import cells
from monitoring.dashboards import dashboard
from monitoring.flux import queries
from monitoring.monitor import ROWS, Monitor, Reads, ordered, overridden
from monitoring.monitors import MONITORS
from monitoring.pages import markdown
from monitoring.series import KEEP

SYNTHETIC = Monitor(
    name="synthetic",
    title="A synthetic number",
    row="machines",
    reads=Reads("machine", "disk_free_bytes", by=("machine",)),
    measure="min",
    unit="count",
    worse="below",
    warn=100,
    page=10,
    doc="Made up by a test.",
    todo="Nothing.",
)


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda m: m.name)
def test_a_monitor_reads_what_some_part_says(monitor: Monitor) -> None:
    said = BY_NAME[monitor.reads.measurement]
    assert {monitor.reads.field, *([monitor.reads.per] if monitor.reads.per else [])} <= said.fields.keys()
    assert {*monitor.reads.by, *monitor.reads.only} <= set(said.tags)


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda m: m.name)
def test_a_monitor_is_complete(monitor: Monitor) -> None:
    assert monitor.row in ROWS
    assert monitor.doc.endswith(".")
    assert ordered(monitor)
    assert bool(monitor.reads.per) == (monitor.measure == "share")
    assert monitor.todo.endswith(".") or not monitor.judged, "an alarm says what to do"
    # Older points of a series than these are let go of; the newest one stays.
    assert monitor.measure == "last" or monitor.over_s <= KEEP / SECOND


def test_names_and_titles_are_unique() -> None:
    assert len({m.name for m in MONITORS}) == len({m.title for m in MONITORS}) == len(MONITORS)


def test_every_measurement_is_read_by_a_monitor_but_the_alarms_own() -> None:
    assert BY_NAME.keys() - {m.reads.measurement for m in MONITORS} == {"alarm"}


def test_one_entry_brings_panel_alarm_docs_row_and_cell() -> None:
    table = (*MONITORS, SYNTHETIC)
    assert SYNTHETIC.title in [p["title"] for p in dashboard(table)["panels"]]
    assert SYNTHETIC.title in queries("hotpath", 5, table)
    assert "| `synthetic` | `machine.disk_free_bytes` by machine |" in markdown(table)
    board = Board(table)
    board.add(Point("machine", {"site": "cloud", "machine": "m1"}, {"disk_free_bytes": 5}, 0), 0)
    (alarm,) = [a for a in board.look(0) if a.monitor.name == "synthetic"]
    assert notice(alarm).title == "page: synthetic of m1"
    (cell,) = [c for c in cells(board, 0) if c["name"] == "synthetic"]
    assert (cell["value"], cell["level"], cell["subjects"][0]["subject"]) == (5.0, "page", "m1")


def test_an_operator_changes_thresholds_by_name() -> None:
    (changed,) = [
        m
        for m in overridden(MONITORS, {"line_silence": Threshold(warn=20, for_s=5)})
        if m.name == "line_silence"
    ]
    assert (changed.warn, changed.page, changed.for_s) == (20, 60, 5)


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(BadConfig, match="did you mean line_silence"):
        overridden(MONITORS, {"line_silense": Threshold(warn=20)})


def test_a_page_that_would_begin_before_its_warning_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"monitors\.line_silence: found 'warn 100, page 60'"):
        overridden(MONITORS, {"line_silence": Threshold(warn=100)})
    with pytest.raises(BadConfig, match="further below"):
        overridden((SYNTHETIC,), {"synthetic": Threshold(page=200)})


def test_a_subject_is_named_by_its_tags() -> None:
    reads = Reads("scorer", "requests", by=("pipeline", "scorer"), only={"of": "events"})
    assert reads.subject({"pipeline": "flights", "scorer": "h:8080", "of": "events"}) == "flights/h:8080"
    assert reads.subject({"pipeline": "flights", "scorer": "h:8080", "of": "labels"}) is None
    assert replace(reads, by=(), only={}).subject({}) == "all"


def test_a_clock_window_is_not_over_before_the_next_one_is_said() -> None:
    windowed = [m for m in MONITORS if m.reads.measurement in ("clock", "clocks")]
    assert all(m.over_s * SECOND >= 2 * MINUTE for m in windowed)
