"""Freshness in real seconds, whatever the replay's rate; only of what is new since the watch began."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import SECOND, Clock, Micros, Segment, Timeline
from hotpath.contract.load import load
from hotpath.errors import BadArtifact
from hotpath.handoffs import Receipt
from hotpath.kafka import MemoryLog
from hotpath.lake import Dataset, File, Lake, Manifest, schema
from hotpath.local.report import quantile
from hotpath.points import Point, Points
from hotpath.settings import PROJECT
from monitoring.freshness import FreshnessWatch, delays, known_until

CONTRACT = load(PROJECT / "config/pipelines/flights.yaml")
START = 1_700_000_000 * SECOND
REPLAY = Timeline((Segment(START, START - 10**12, 60.0),))


class Held(Clock):
    """Stands at one real instant of a timeline."""

    def __init__(self, line: Timeline, at: Micros) -> None:
        super().__init__()
        self.line, self.at = line, at

    def real(self) -> Micros:
        return self.at

    def timeline(self) -> Timeline:
        return self.line


class Store:
    """A bundle store of facts."""

    def __init__(self, facts: Mapping[str, Mapping[str, object]]) -> None:
        self._facts = facts

    def facts(self, bundle: str) -> Mapping[str, object]:
        if bundle not in self._facts:
            raise BadArtifact(f"bundle {bundle}", None, "one that the store keeps")
        return self._facts[bundle]


class Case:
    """A lake, a replay at 60 times, a watch, and what it said."""

    def __init__(self, root: Path) -> None:
        self.lake, self.log = Lake(root, "flights"), MemoryLog()
        self.clock = Held(REPLAY, START + 100 * SECOND)
        self.store = Store({"b1": {"window": {"from": 0, "to": self.virtual(40)}}})

    def watch(self) -> FreshnessWatch:
        points = Points(self.log, self.clock, {})
        return FreshnessWatch(self.lake, CONTRACT, points, self.clock, self.store)

    def virtual(self, second: float) -> Micros:
        """The domain's instant so many real seconds after the start."""
        return REPLAY.virtual(START + int(second * SECOND))

    def land(self, batch: int, landed: float, **arrived: list[tuple[float, bool]]) -> Manifest:
        """A batch landed at a real second; rows of each dataset by real second of arrival and `imported`."""
        files = tuple(self._file(batch, name, rows) for name, rows in arrived.items())
        manifest = Manifest(batch, {}, {}, files, {}, self.virtual(landed))
        self.lake.publish(manifest)
        return manifest

    def said(self) -> dict[str, tuple[float | None, float | None]]:
        points = [Point.parse((e.value or b"").decode()) for e in self.log.entries]
        return {p.tags["of"]: (p.fields["p50_s"], p.fields["p95_s"]) for p in points}

    def _file(self, batch: int, dataset: str, rows: list[tuple[float, bool]]) -> File:
        path = Path(dataset) / "schema=x" / f"batch_id={batch}" / "a.parquet"
        full = self.lake.folder / path
        full.parent.mkdir(parents=True)
        place = {"topic": "t", "partition": 0, "offset": 0, "landed_at": 0}
        table = pa.Table.from_pylist(
            [{**place, "arrived_at": self.virtual(at), "imported": imported} for at, imported in rows],
            schema([]),
        )
        pq.write_table(table, full)
        name: Dataset = "events" if dataset == "events" else "labels"
        return File(str(path), name, len(rows), full.stat().st_size, "")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_a_batchs_freshness_is_told_in_real_seconds_of_live_rows_only(case: Case) -> None:
    watch = case.watch()
    events = [(90.0, False), (92.0, False), (94.0, False), (1.0, True)]
    watch.take(case.land(0, 95, events=events, labels=[(93.0, False)]))
    assert case.said()["events"] == pytest.approx((3.0, 5.0), abs=1e-3)
    assert case.said()["labels"] == pytest.approx((2.0, 2.0), abs=1e-3)


def test_a_batch_of_imported_history_alone_says_nothing(case: Case) -> None:
    case.watch().take(case.land(0, 95, events=[(1.0, True)]))
    assert case.said() == {}


def test_a_watch_begins_after_what_stands_in_the_lake_already(case: Case) -> None:
    old = case.land(0, 50, events=[(1.0, False)])
    watch = case.watch()
    watch.take(old)
    assert (watch.cursor, case.said()) == (1, {})
    watch.take(case.land(1, 95, events=[(94.0, False)]))
    assert (watch.cursor, list(case.said())) == (2, ["events"])


def test_a_manifest_that_does_not_read_keeps_no_watch_from_beginning(case: Case) -> None:
    case.land(0, 50, events=[(1.0, False)])
    (case.lake.folder / "manifest" / "1.json").write_bytes(b"torn")
    assert case.watch().cursor == 2


def receipt(case: Case, **changed: object) -> Receipt:
    fields = {"pipeline": "flights", "scorer": "s", "sequence": 1, "bundle": "b1", "kind": "live"}
    return Receipt.from_fields({**fields, "why": "", "at": case.virtual(101), **changed})


def test_a_models_freshness_is_from_its_windows_end_to_its_going_live(case: Case) -> None:
    case.watch().receipt(receipt(case))
    assert case.said()["model"] == pytest.approx((61.0, 61.0), abs=1e-3)


def test_a_receipt_that_is_read_again_is_told_once_and_a_rollback_to_its_bundle_anew(case: Case) -> None:
    watch = case.watch()
    for again in (receipt(case), receipt(case), receipt(case, sequence=2)):
        watch.receipt(again)
    assert len(case.log.entries) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "admitted"},
        {"kind": "rolled_back"},
        {"pipeline": "payments"},
        {"bundle": "of another store"},
        {"at": 0},
    ],
)
def test_a_receipt_of_anything_else_says_nothing(case: Case, changed: dict[str, object]) -> None:
    case.watch().receipt(receipt(case, **changed))
    assert case.said() == {}


def test_a_bundle_that_does_not_say_its_window_is_a_bad_one() -> None:
    with pytest.raises(BadArtifact, match="window"):
        known_until({"window": 5}, "b")


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=200),
    st.sampled_from([Timeline(), REPLAY, REPLAY.then(Segment(START + 100 * SECOND, 10**15 * 2, 0.0))]),
)
def test_two_instants_mapped_tell_the_same_as_every_delay_mapped(
    ages: list[Micros], timeline: Timeline
) -> None:
    landed = timeline.virtual(START + 50 * SECOND)
    arrived = [landed - age for age in ages]
    found = delays(arrived, landed, timeline)
    each = sorted((timeline.real(landed) - timeline.real(at)) / SECOND for at in arrived)
    assert each[0] <= found["p50_s"] <= found["p95_s"] <= each[-1]
    share = sum(delay <= found["p50_s"] for delay in each) / len(each)
    assert share >= 0.5
    assert quantile(each, 0.0) <= found["p50_s"]
