"""The window that Spark builds is the one that brute force builds, row by row."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from hotpath.clock import HOUR, MINUTE
from hotpath.contract.fitted import Baseline, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.lake import Lake
from tests.integration.train import reference
from tests.integration.train.lakes import Row, land, place
from tests.integration.train.parcels import (
    CONTRACT,
    NOW,
    TOLERANCE,
    a_label,
    again,
    an_event,
    one_event,
    one_label,
    wrong_clocks,
)
from tests.integration.train.trips import ENDINGS
from train.account import Account
from train.build import build
from train.clocks import Clocks
from train.folder import Folder, Part
from train.sources import held

HONEST = Clocks(TOLERANCE)
FEATURES = [f"feature.{f.name}" for f in CONTRACT.features]


def built(
    session: SparkSession,
    events: Sequence[Row],
    labels: Sequence[Row],
    folder: Path,
    clocks: Clocks = HONEST,
    contract: Contract = CONTRACT,
) -> Account:
    """The window of a lake of three batches, in `folder`/run."""
    lake = Lake(folder / "lake", CONTRACT.name)
    for batch in range(3):
        land(lake, CONTRACT, batch, events[batch::3], labels[batch::3])
    (folder / "run").mkdir(exist_ok=True)
    return build(session, held(lake, CONTRACT), contract, NOW, Folder(folder / "run"), clocks)


def rows(folder: Path, part: Part) -> list[tuple[object, ...]]:
    table = table_of(folder, part)
    return list(zip(*(table[name].to_pylist() for name in [*FEATURES, "label"]), strict=True))


def fitted(folder: Path) -> Fitted:
    return Fitted.from_bytes(Folder(folder / "run").fitted.read_bytes())


def table_of(folder: Path, part: Part) -> pa.Table:
    return pa.concat_tables(pq.read_table(f) for f in Folder(folder / "run").files(part))


# Few examples of many rows, none of them shrunk: each costs Spark seconds, and its seed names it whole.
@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
@example(seed=0, events=0, parcels=1, most=100)
@example(seed=5, events=500, parcels=60, most=40)
@given(
    seed=st.integers(0, 2**32),
    events=st.integers(200, 600),
    parcels=st.integers(1, 60),
    most=st.integers(5, 300),
)
def test_the_window_is_what_brute_force_gives(
    session: SparkSession, seed: int, events: int, parcels: int, most: int
) -> None:
    draw = random.Random(seed)
    contract = replace(CONTRACT, train=replace(CONTRACT.train, max_rows=most))
    asked = [an_event(draw, n % 3, n, parcels) for n in range(events)]
    asked += [again(draw, e, events + n) for n, e in enumerate(asked[::10])]
    said = [a_label(draw, n % 2, n, parcels) for n in range(parcels * 2)]
    clocks = wrong_clocks(draw)
    expected = reference.window(contract, asked, said, NOW, clocks)
    with TemporaryDirectory() as folder:
        account = built(session, asked, said, Path(folder), clocks, contract)
        assert fitted(Path(folder)).levels == {"carrier": expected.fitted.levels.get("carrier", ())}
        assert rows(Path(folder), "train") == expected.train
        assert rows(Path(folder), "holdout") == expected.holdout
        train, holdout = (table_of(Path(folder), part) for part in ("train", "holdout"))
        assert train["row.weight"].to_pylist() == pytest.approx(expected.weights)
        assert train["row.slice"].to_pylist() == expected.slices
        assert holdout["row.arrived_at"].to_pylist() == expected.arrivals
        each_entity_stands_alone_once_in_one_group(holdout, expected.entities)
    assert (account.slices, account.budget) == (expected.begins, expected.budget)
    assert account.believed == pytest.approx(expected.believed)
    assert {k: v for k, v in account.left_out.items() if v} == expected.left_out
    assert account.noticed["entities whose labels disagree"] == len(expected.disagreeing)
    assert account.noticed["entities whose label came again"] == len(expected.again)
    assert account.rows == {"train": len(expected.train), "holdout": len(expected.holdout)}
    answers = {"train": expected.train, "holdout": expected.holdout}
    assert account.classes == {side: Counter(row[-1] for row in found) for side, found in answers.items()}


def each_entity_stands_alone_once_in_one_group(holdout: pa.Table, entities: Sequence[str]) -> None:
    groups = holdout["row.group"].to_pylist()
    assert all(0 <= group < 20 for group in groups)
    assert len(set(zip(entities, groups, strict=True))) == len(set(entities))
    alone = zip(entities, holdout["row.alone"].to_pylist(), strict=True)
    assert Counter(entity for entity, one in alone if one) == dict.fromkeys(entities, 1)


#   now-1d     asked                  horizon                now
#     |----------|-----------------------|---------------------|
#           label                           label                  label
def test_a_label_out_of_its_time_leaves_its_event_out(session: SparkSession, tmp_path: Path) -> None:
    asked = NOW - 13 * HOUR
    events = [one_event(n, asked, parcel) for n, parcel in enumerate(("before", "beyond", "not yet"))]
    labels = [
        one_label(0, True, asked - 1, "before"),
        one_label(1, True, asked + 12 * HOUR + 1, "beyond"),
        one_label(2, True, NOW + 1, "not yet"),
    ]
    account = built(session, events, labels, tmp_path)
    assert {k: v for k, v in account.left_out.items() if v} == {
        "label arrived before its event": 1,
        "label arrived after the horizon": 1,
        "unlabelled": 1,
    }
    assert account.rows == {"train": 0, "holdout": 0}


#   early asked  early's label    a's question   cut: the newest question of b    both labels    now
#     |------------|----------------|--------------|-------------------------------|--------------|
def test_a_row_whose_label_came_after_the_cut_teaches_nothing(session: SparkSession, tmp_path: Path) -> None:
    """Two questions about each of two parcels: b's lie on both sides of the cut."""
    asked = [
        one_event(0, NOW - 9 * HOUR, "early"),
        one_event(1, NOW - 7 * HOUR, "a"),
        one_event(2, NOW - 6 * HOUR, "b"),
        one_event(3, NOW - 5 * HOUR, "a"),
        one_event(4, NOW - 4 * HOUR, "b"),
    ]
    said = [one_label(0, True, NOW - 8 * HOUR, "early")]
    said += [one_label(n, True, NOW - HOUR, parcel) for n, parcel in enumerate("ab", start=1)]
    account = built(session, asked, said, tmp_path)
    assert account.rows == {"train": 1, "holdout": 1}
    assert account.left_out["label arrived after the cut"] == 3


def test_of_two_events_of_one_id_the_one_that_arrived_first_counts(
    session: SparkSession, tmp_path: Path
) -> None:
    """The later one stands in a lower partition."""
    first = {**one_event(0, NOW - 2 * HOUR), **place("parcels.sent", 1, 5, NOW - 2 * HOUR), "pieces": 1}
    later = {**first, **place("parcels.sent", 0, 3, NOW - HOUR), "pieces": 2}
    account = built(session, [later, first], [one_label(0, True, NOW - MINUTE)], tmp_path)
    assert [row[FEATURES.index("feature.pieces")] for row in rows(tmp_path, "holdout")] == [1.0]
    assert account.left_out["same id, other body"] == 1


def test_of_two_labels_that_disagree_the_newest_counts(session: SparkSession, tmp_path: Path) -> None:
    labels = [one_label(0, False, NOW - MINUTE), one_label(1, True, NOW - 2 * MINUTE)]
    account = built(session, [one_event(0, NOW - HOUR)], labels, tmp_path)
    assert [row[-1] for row in rows(tmp_path, "holdout")] == ["0"]
    assert account.noticed["entities whose labels disagree"] == 1


def test_a_label_that_came_again_is_counted_and_changes_nothing(
    session: SparkSession, tmp_path: Path
) -> None:
    labels = [one_label(0, True, NOW - MINUTE), one_label(1, True, NOW - 2 * MINUTE)]
    account = built(session, [one_event(0, NOW - HOUR)], labels, tmp_path)
    assert [row[-1] for row in rows(tmp_path, "holdout")] == ["1"]
    assert account.noticed["entities whose label came again"] == 1
    assert account.noticed["entities whose labels disagree"] == 0


def test_the_account_names_batches_and_the_offsets_of_rows_and_labels(
    session: SparkSession, tmp_path: Path
) -> None:
    asked = [one_event(n, NOW - 9 * HOUR + n, "early") for n in range(4)] + [one_event(4, NOW - HOUR)]
    said = [one_label(6, True, NOW - 8 * HOUR, "early"), one_label(7, True, NOW - MINUTE)]
    account = built(session, asked, [*said, one_label(8, True, NOW - MINUTE, "nobody's")], tmp_path)
    assert account.rows == {"train": 4, "holdout": 1}
    assert account.batches == (0, 1, 2)
    assert account.offsets == {"parcels.arrived": {0: (6, 7)}, "parcels.sent": {0: (0, 4)}}
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    hashes = {f.path: f.sha256 for manifest in lake.manifests() for f in manifest.files}
    assert account.files == hashes
    assert Account.from_bytes((tmp_path / "run" / "account.json").read_bytes()) == account


#   training rows: ups, ups, dhl, dhl, post     holdout: post, post, post      two levels are kept
def test_levels_and_baselines_are_those_of_the_training_rows_alone(
    session: SparkSession, tmp_path: Path
) -> None:
    older = [
        {**one_event(n, NOW - 9 * HOUR + n), "carrier": carrier, "weight": float(n)}
        for n, carrier in enumerate(["ups", "dhl", "post", "ups", "dhl", *[None] * 7])
    ]
    newer = [{**one_event(12 + n, NOW - HOUR, "new"), "carrier": "post"} for n in range(3)]
    said = [one_label(0, True, NOW - 8 * HOUR), one_label(1, True, NOW - MINUTE, "new")]
    account = built(session, [*older, *newer], said, tmp_path)
    assert account.rows == {"train": 12, "holdout": 3}
    found = fitted(tmp_path)
    assert found.levels == {"carrier": ("dhl", "ups")}
    assert [row[FEATURES.index("feature.known")] for row in rows(tmp_path, "holdout")] == ["(other)"] * 3
    assert set(found.baselines) == {f.name for f in CONTRACT.features}
    assert found.baselines["carrier"] == Baseline(12, 7, levels=(("dhl", 2), ("ups", 2), ("post", 1)))
    weight = found.baselines["weight"]
    assert (weight.rows, weight.nulls, weight.deciles[::10], weight.mean) == (12, 0, (0.0, 11.0), 5.5)


def test_a_label_of_a_class_that_the_contract_no_longer_has_is_none(
    session: SparkSession, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake", ENDINGS.contract.name)
    now = ENDINGS.land(lake, trips=200)
    labels = ENDINGS.contract.labels
    parts = tuple(
        replace(p, levels=("at once", "in time")) if isinstance(p, Field) and p.name == labels.target else p
        for p in labels.parts
    )
    fewer = replace(ENDINGS.contract, labels=replace(labels, parts=parts))
    late = lake.read("labels", [labels.target])[labels.target].to_pylist().count("late")
    (tmp_path / "run").mkdir()
    account = build(session, held(lake, fewer), fewer, now, Folder(tmp_path / "run"), HONEST)
    told = "label of a class that the contract does not have"
    assert (late > 0, account.left_out[told], account.left_out["unlabelled"]) == (True, late, 0)
    assert set(account.classes["train"]) == {"at once", "in time"}


def test_a_file_in_no_manifest_is_ignored_and_counted(session: SparkSession, tmp_path: Path) -> None:
    events = tmp_path / "lake" / "parcels" / "events"
    events.mkdir(parents=True)
    (events / "stray.parquet").write_bytes(b"no parquet")
    account = built(session, [one_event(0, NOW - HOUR)], [one_label(0, True, NOW)], tmp_path)
    assert account.noticed["files in no manifest"] == 1
    assert account.rows["holdout"] == 1
