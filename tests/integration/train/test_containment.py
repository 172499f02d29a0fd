"""What a wrong clock said teaches nothing; nothing else is changed by it, on disk or in the window."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Clock
from hotpath.contract.model import Contract
from hotpath.handoffs import HOSTS, BadInterval
from hotpath.kafka import MemoryLog, standing
from hotpath.lake import Lake
from hotpath.points import Points
from monitoring.clock_watch import ClockWatch
from tests.integration.train.lakes import Row, land, place
from tests.integration.train.parcels import CONTRACT, NOW, TOLERANCE, an_event, one_event, one_label
from tests.integration.train.test_window import FEATURES, built, rows
from tests.unit.monitoring.clocks import RULES, honest
from train.account import Account
from train.build import build
from train.clocks import FUTURE, WRONG, Clocks
from train.folder import Folder
from train.sources import held

TEN_YEARS = 3652 * DAY
BEGAN = NOW - NOW % RULES.window - 40 * RULES.window


def both(folder: Path) -> list[list[tuple[object, ...]]]:
    return [rows(folder, "train"), rows(folder, "holdout")]


def test_one_event_ten_years_ahead_changes_nothing_for_any_other_row(
    session: SparkSession, tmp_path: Path
) -> None:
    draw = random.Random(3)
    asked = [{**an_event(draw, n % 3, n, 40), "id": f"id-{n}"} for n in range(400)]
    said = [one_label(n, draw.random() < 0.5, NOW - n * MINUTE, f"parcel-{n}") for n in range(40)]
    at = NOW - 3 * HOUR
    wild = {**one_event(400, at, "parcel-1"), "time": at + TEN_YEARS}
    without = built(session, asked, said, _folder(tmp_path, "without"))
    beside = built(session, [*asked, wild], said, _folder(tmp_path, "beside"))
    assert both(tmp_path / "beside") == both(tmp_path / "without")
    assert beside.rows == without.rows
    assert beside.left_out[FUTURE] == without.left_out[FUTURE] + 1


@pytest.mark.parametrize(("late", "left_out"), [(TOLERANCE, 0), (TOLERANCE + 1, 1)])
def test_an_event_may_be_as_late_as_the_tolerance(
    session: SparkSession, tmp_path: Path, late: int, left_out: int
) -> None:
    event = {**one_event(0, NOW - HOUR), "time": NOW - HOUR + late}
    account = built(session, [event], [one_label(0, True, NOW)], tmp_path)
    assert account.left_out[FUTURE] == left_out
    assert account.rows["holdout"] == 1 - left_out


def test_an_honest_copy_of_an_event_is_not_lost_to_a_bad_one_that_came_first(
    session: SparkSession, tmp_path: Path
) -> None:
    bad = {**one_event(0, NOW - 2 * HOUR), "host": "bad", "pieces": 7}
    good = {**bad, **place("parcels.sent", 0, 1, NOW - HOUR), "host": "good", "pieces": 0}
    clocks = Clocks(TOLERANCE, (BadInterval("bad", NOW - DAY, None, HOUR),))
    account = built(session, [bad, good], [one_label(0, True, NOW)], tmp_path, clocks)
    (row,) = rows(tmp_path, "holdout")
    assert row[FEATURES.index("feature.pieces")] == 0.0
    assert {k: v for k, v in account.left_out.items() if v} == {WRONG: 1}


def test_no_fields_name_is_taken_for_the_verdict_on_a_clock(session: SparkSession, tmp_path: Path) -> None:
    contract = Contract.from_yaml(CONTRACT.canonical().decode().replace("pieces", "doubt"), "parcels.yaml")
    lake = Lake(tmp_path / "lake", contract.name)
    events = [
        {**one_event(n, NOW - HOUR), "host": host, "doubt": 7} for n, host in enumerate(("bad", "good"))
    ]
    land(lake, contract, 0, events, [one_label(0, True, NOW)])
    clocks = Clocks(TOLERANCE, (BadInterval("bad", NOW - DAY, None, HOUR),))
    folder = Folder(_folder(tmp_path, "run"))
    account = build(session, held(lake, contract), contract, NOW, folder, clocks)
    (file,) = folder.files("golden")
    golden = pq.read_table(file).to_pylist()
    assert (account.left_out[WRONG], golden[0]["event.doubt"]) == (1, 7)
    assert {row["event.host"] for row in golden} == {"good"}


#   since        until
#     |------------|          arrivals: at each end and a microsecond before it
def test_an_interval_begins_at_since_and_ends_before_until(session: SparkSession, tmp_path: Path) -> None:
    since, until = NOW - 3 * HOUR, NOW - HOUR
    asked = [one_event(n, at) for n, at in enumerate([since - 1, since, until - 1, until])]
    clocks = Clocks(TOLERANCE, (BadInterval(str(asked[0]["host"]), since, until, HOUR),))
    account = built(session, asked, [one_label(0, True, NOW)], tmp_path, clocks)
    assert account.left_out[WRONG] == 2
    assert (
        account.rows["train"] + account.rows["holdout"] + account.left_out["label arrived after the cut"] == 2
    )
    assert account.clocks == clocks


def test_thousands_of_intervals_cost_no_row_its_singleness(session: SparkSession, tmp_path: Path) -> None:
    """Intervals that overlap, even: an event is left out once, or kept once."""
    asked = [{**one_event(n, NOW - HOUR), "host": f"h{n % 40}"} for n in range(80)]
    many = [
        BadInterval(f"h{n % 3000}", NOW - 2 * HOUR - n, None if n % 3000 < 20 else NOW - 90 * MINUTE, 1)
        for n in range(6000)
    ]
    account = built(session, asked, [one_label(0, True, NOW)], tmp_path, Clocks(TOLERANCE, tuple(many)))
    assert (account.left_out[WRONG], account.rows["holdout"]) == (40, 40)


#   w0..w9 good | w10..w19 three hours behind | w20..w29 good again
def test_a_cleared_host_comes_back_and_nothing_landed_is_rewritten(
    session: SparkSession, tmp_path: Path
) -> None:
    lake, log = Lake(tmp_path / "lake", CONTRACT.name), MemoryLog()
    late = [honest(bad=10_800.0 if 10 <= n < 20 else 0.05) for n in range(30)]
    events = [_windows_rows(number, told) for number, told in enumerate(late)]
    for number, batch in enumerate(events):
        labels = [one_label(0, True, NOW)] if number == 29 else []
        land(lake, CONTRACT, number, batch, labels)
    before = hashes(tmp_path / "lake")
    watch = ClockWatch(lake, CONTRACT, RULES, log, Points(log, Clock(), {}), Clock(), tmp_path / "memory")
    for manifest in lake.manifests():
        watch.take(manifest)
    watch.tick()
    clocks = Clocks.standing(standing(log, HOSTS), CONTRACT.name, TOLERANCE)
    (bad,) = clocks.intervals
    assert (bad.host, bad.since, bad.until) == ("bad", BEGAN + 9 * RULES.window, BEGAN + 21 * RULES.window)
    account = _window(session, lake, tmp_path / "run", clocks)
    # eleven windows before and ten after are left to it, one of each on the safe side is not
    assert account.left_out[WRONG] == 12 * 5
    assert _rows(account) == 30 * 7 * 5 - 12 * 5
    assert hashes(tmp_path / "lake") == before


def _windows_rows(number: int, late_s: dict[str, float]) -> list[Row]:
    """Five events a host, all of one parcel, whose label is known at the end."""
    start = BEGAN + number * RULES.window
    told: list[Row] = []
    for index, (host, late) in enumerate(late_s.items()):
        for n in range(5):
            offset, at = (number * 7 + index) * 5 + n, start + (1 + n) * SECOND
            event = one_event(offset, at)
            told.append({**event, "host": host, "time": at - int(late * SECOND)})
    return told


def _window(session: SparkSession, lake: Lake, folder: Path, clocks: Clocks) -> Account:
    folder.mkdir()
    return build(session, held(lake, CONTRACT), CONTRACT, NOW, Folder(folder), clocks)


def _rows(account: Account) -> int:
    """Rows that the clocks let through, also those of which the cut made none."""
    return sum(account.rows.values()) + account.left_out["label arrived after the cut"]


def _folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def hashes(folder: Path) -> dict[Path, str]:
    files: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
