"""Rows of models and hosts, and what the snapshot makes of a board."""

from __future__ import annotations

import json
from dataclasses import replace

import orjson

from hotpath.clock import HOUR, SECOND
from hotpath.handoffs import Announcement, HostClock, Receipt
from hotpath.points import Point
from monitoring.board import Board
from monitoring.console.rows import MOST_HOSTS, MOST_MODELS, Known, hosts, models
from monitoring.console.snapshot import ARROW, CHARTS, Elsewhere, snapshot, worst
from monitoring.monitors import MONITORS

NAMES = {m.name for m in MONITORS}
KNOWN = Known(
    "auc",
    {"b3": {"auc": 0.7, "f1": 0.4}},
    {"1": {"auc": 0.66, "labelled": 10, "answers": 40}, "2": {"auc": None, "answers": 3}},
)


def announced(sequence: int, kind: str = "promote") -> Announcement:
    return Announcement("p", f"b{sequence}", "", 1, 1, sequence, kind, "gate", sequence * HOUR)  # type: ignore[arg-type]


def receipt(sequence: int, kind: str, why: str = "") -> Receipt:
    return Receipt("p", "s1", sequence, f"b{sequence}", kind, why, 0)  # type: ignore[arg-type]


def test_of_those_that_went_live_only_the_newest_still_is() -> None:
    receipts = [
        receipt(1, "admitted"), receipt(1, "live"), receipt(2, "refused", "golden rows"),
        receipt(3, "admitted"), receipt(3, "live"), receipt(3, "admitted"),
    ]  # fmt: skip
    rows = models([announced(n) for n in range(1, 5)], receipts, {"p": KNOWN}, 10 * HOUR)
    assert [(r["sequence"], r["state"]) for r in rows] == [
        (4, "announced"),
        (3, "live"),
        (2, "refused"),
        (1, "previous"),
    ]
    assert (rows[1]["holdout"], rows[0]["holdout"], rows[1]["age_s"]) == (0.7, None, 7 * 3600)
    assert (rows[2]["why"], rows[0]["why"]) == ("golden rows", "gate")


def test_a_model_has_the_live_quality_of_its_sequence() -> None:
    second, first = models([announced(1), announced(2)], [], {"p": KNOWN}, HOUR)
    assert (first["metric"], first["live"], first["labelled"], first["answers"]) == ("auc", 0.66, 10, 40)
    assert (second["live"], second["labelled"], second["answers"]) == (None, 0, 3)


def test_each_pipeline_has_its_newest_models_and_its_own_metric() -> None:
    of_p = [announced(n) for n in range(1, MOST_MODELS + 5)]
    of_q = [replace(announced(n), pipeline="q") for n in (1, 2)]
    known = {"p": KNOWN, "q": Known("rmse", {"b2": {"rmse": 3.5}}, {"2": {"rmse": 4.5}})}
    rows = models([*of_q, *of_p], [], known, HOUR)
    assert [r["sequence"] for r in rows if r["pipeline"] == "p"] == [*range(MOST_MODELS + 4, 4, -1)]
    newest, oldest = (r for r in rows if r["pipeline"] == "q")
    assert (newest["metric"], newest["holdout"], newest["live"]) == ("rmse", 3.5, 4.5)
    assert (oldest["sequence"], oldest["holdout"], oldest["live"]) == (1, None, None)


def test_wrong_hosts_come_first_with_their_intervals_in_seconds() -> None:
    good = HostClock("p", "a", 1, "good", None, 0, 1, 5, [], 0)
    wrong = HostClock("p", "z", 2, "ahead", -HOUR, 0, 1, 5, [[0, 9, -HOUR], [20, None, -HOUR]], 0)
    first, second = hosts([good, wrong])
    assert (first["host"], first["offset_s"], second["offset_s"]) == ("z", -3600, None)
    assert first["intervals"][1] == {"since": 20, "until": None, "offset_s": -3600}


def test_of_very_many_hosts_the_wrong_ones_are_on_the_page() -> None:
    states = [("good" if n != 777 else "behind") for n in range(1_000)]
    ledger = [HostClock("p", f"h{n:03}", 1, s, 0, 0, 1, 5, [], 0) for n, s in enumerate(states)]  # type: ignore[arg-type]
    shown = hosts(ledger)
    assert len(shown) == MOST_HOSTS
    assert [h["host"] for h in shown[:3]] == ["h777", "h000", "h001"]


def test_the_arrow_and_the_charts_show_monitors_of_the_table() -> None:
    assert {monitor for _, _, _, labelled in ARROW for _, monitor in labelled} <= NAMES
    assert set(CHARTS) <= NAMES


def test_a_snapshot_is_json_and_tells_levels_up_to_the_station() -> None:
    board = Board(MONITORS)
    for second in range(0, 100, 5):
        board.add(Point("line", {"site": "onprem"}, {"silence_s": 61.0 + second}, 0), second * SECOND)
        board.look(second * SECOND)
    told = snapshot(board, [], 100 * SECOND, Elsewhere(virtual=5))
    assert json.loads(orjson.dumps(told)) == told
    (mirror,) = [s for s in told["arrow"] if s["name"] == "mirror"]
    assert mirror["level"] == "page"
    (active,) = told["alarms"]["active"]
    assert (active["monitor"], active["subject"], active["since"]) == ("line_silence", "onprem", 0)
    cell = next(c for c in told["monitors"] if c["name"] == "line_silence")
    assert (cell["value"], cell["level"]) == (156.0, "page")


def test_of_several_levels_the_worst_is_shown() -> None:
    assert worst([]) == "clear"
    assert worst(["warn", "clear"]) == "warn"
    assert worst(["silent", "page", "warn"]) == "page"


def test_a_charts_series_meet_on_common_instants() -> None:
    board = Board(MONITORS)
    for host, instants in (("a", (3, 33)), ("b", (33, 63))):
        for at in instants:
            board.add(Point("clock", {"pipeline": "p", "host": host}, {"offset_s": at}, 0), at * SECOND)
    chart = snapshot(board, [], 100 * SECOND, Elsewhere(virtual=0))["charts"]["host_offset"]
    assert chart["t"] == [10, 40, 70]
    assert chart["series"] == {"p/a": [3, 33, None], "p/b": [None, 33, 63]}
