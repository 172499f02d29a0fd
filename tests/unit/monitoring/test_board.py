"""The board measures what it heard, judges it, and is never blinded or filled by what it hears."""

from __future__ import annotations

import pytest

from hotpath.clock import DAY, MINUTE, SECOND
from hotpath.points import Number, Point
from monitoring import series
from monitoring.board import Board
from monitoring.monitor import Measure, Monitor, Reads
from monitoring.monitors import MONITORS
from monitoring.series import KEEP, measured

RATE = Monitor("rate", "Rate", "scorer", Reads("scorer", "requests", by=("scorer",)), "rate", "1/s", "Doc.")
SHARE = Monitor(
    "share",
    "Share",
    "scorer",
    Reads("scorer", "errors", ("scorer",), per="requests"),
    "share",
    "share",
    "Doc.",
)
SILENT = Monitor(
    "heard",
    "Heard",
    "scorer",
    Reads("scorer", "requests", by=("scorer",)),
    "last",
    "count",
    "Doc.",
    over_s=5,
    stale_s=10,
    silent="page",
)


def scorer(**fields: Number) -> Point:
    return Point("scorer", {"pipeline": "flights", "scorer": "s1"}, fields, 0)


@pytest.mark.parametrize(
    ("measure", "expected"), [("last", 4), ("max", 9), ("min", 2), ("mean", 5), ("sum", 15), ("rate", 6.5)]
)
def test_a_window_of_points_becomes_one_number(measure: Measure, expected: float) -> None:
    samples = [(0, 2.0, 0.0), (SECOND, 9.0, 0.0), (2 * SECOND, 4.0, 0.0)]
    assert measured(measure, samples, 2 * SECOND) == expected


def test_a_share_is_of_sums_and_unknown_where_there_was_nothing() -> None:
    assert measured("share", [(0, 1.0, 10.0), (1, 1.0, 90.0)], 1) == 0.02
    assert measured("share", [(0, 0.0, 0.0)], 0) is None
    assert measured("mean", [], 0) is None


def test_only_points_of_the_window_count() -> None:
    board = Board([SHARE])
    board.add(scorer(errors=50, requests=50), 0)
    board.add(scorer(errors=1, requests=10), 61 * SECOND)
    assert board.measured(SHARE, 62 * SECOND) == {"s1": 0.1}
    assert board.measured(SHARE, 200 * SECOND) == {}


def test_a_producers_wrong_clock_does_not_blind_the_board() -> None:
    board = Board([SHARE])
    board.add(Point("scorer", {"scorer": "s1"}, {"errors": 1, "requests": 2}, -10 * DAY), 5 * SECOND)
    assert board.measured(SHARE, 6 * SECOND) == {"s1": 0.5}


def test_the_newest_point_of_a_series_outlives_the_others_by_a_day() -> None:
    once = Monitor("run", "Run", "quality", Reads("run", "auc"), "last", "score", "Doc.", over_s=6 * 3600)
    board = Board([once])
    board.add(Point("run", {"pipeline": "p"}, {"auc": 0.7}, 0), 0)
    board.look(5 * 60 * MINUTE)
    assert board.measured(once, 5 * 60 * MINUTE) == {"all": 0.7}
    board.look(DAY + 1)
    assert board.measured(once, DAY + 1) == {}


def test_what_is_no_point_and_what_nobody_knows_is_counted() -> None:
    board = Board(MONITORS)
    for line in (b"", None, b"\xff\xfe", b"scorer requests=1i", b"scorer requests=x 1"):
        board.read(line, 0)
    board.read(b"nonsense,a=b c=1i 1", 0)
    board.read(b"writer written=1i,behind=5i 1", 0)
    assert (board.unreadable, board.unknown) == (5, 1)
    assert board.measured(next(m for m in MONITORS if m.name == "writer_behind"), 0) == {"all": 5}


def test_an_id_in_a_tag_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_SERIES", 3)
    board = Board([RATE])
    for n in range(10):
        board.add(Point("scorer", {"scorer": f"s{n}"}, {"requests": 1}, 0), n)
        board.add(Point("scorer", {"scorer": f"s{n}"}, {"requests": 2}, 0), n)
    assert len(board.measured(RATE, SECOND)) == 3
    assert board.refused == 14


def test_invented_hosts_leave_room_for_every_other_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MOST_OF_ONE", 3)
    board = Board([RATE])
    for n in range(10):
        board.add(Point("clock", {"host": f"h{n}"}, {"offset_s": 1}, 0), n)
    board.add(scorer(requests=1), 0)
    board.add(scorer(requests=2), SECOND)
    assert board.measured(RATE, 2 * SECOND) == {"s1": 1.0}
    assert board.refused == 7


def test_silence_begins_is_remembered_over_a_restart_and_ends() -> None:
    board = Board([SILENT])
    board.add(scorer(requests=1), 0)
    assert board.look(SECOND) == []
    (begin,) = [a for s in range(2, 30) for a in board.look(s * SECOND)]
    assert (begin.subject, begin.change.kind, begin.change.level) == ("s1", "begin", "silent")

    again = Board([SILENT])
    again.remember(board.remembered(), 40 * SECOND)
    assert again.look(41 * SECOND) == []
    again.add(scorer(requests=1), 42 * SECOND)
    (end,) = again.look(42 * SECOND)
    assert (end.change.kind, end.change.since) == ("end", begin.change.since)


def test_whoever_is_away_for_a_day_was_taken_away_on_purpose() -> None:
    board = Board([SILENT])
    board.add(scorer(requests=1), 0)
    found = [a.change.kind for hour in range(30) for a in board.look(hour * 60 * MINUTE)]
    assert found == ["begin", "end"]
    assert board.standing(SILENT, 30 * 60 * MINUTE) == {}


def test_history_is_a_value_a_step() -> None:
    board = Board([RATE, SHARE])
    for second in range(20):
        board.add(scorer(requests=5, errors=1), second * SECOND)
    assert board.history(RATE, 20 * SECOND, 10) == {"s1": {10 * SECOND: 5.0, 20 * SECOND: 5.0}}
    assert board.history(SHARE, 20 * SECOND, 10) == {"s1": {10 * SECOND: 0.2, 20 * SECOND: 0.2}}
    assert board.history(RATE, 19 * SECOND, 10) == {"s1": {10 * SECOND: 5.0}}, "the step that is not over"
    late = int(KEEP + 5 * SECOND)
    assert board.history(RATE, late, 10) == {"s1": {20 * SECOND: 5.0}}, "the step that is not kept whole"
