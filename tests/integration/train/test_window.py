"""The window that Spark builds is the one that brute force builds, row by row."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from hotpath.clock import DAY, HOUR, MINUTE, Micros
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.lake import Lake
from tests.integration.train import reference
from tests.integration.train.lakes import Row, land, place
from train.account import Account
from train.build import build
from train.folder import Folder, Part

CONTRACT = Contract.from_yaml(
    """
name: parcels
question: Will it be late?
events:
  topic: parcels.sent
  id: id
  entity: parcel
  host: host
  time: time
  fields:
    id: {type: string}
    parcel: {type: string}
    host: {type: string}
    time: {type: timestamp}
    carrier: {type: category, nullable: true}
    weight: {type: double, nullable: true}
    pieces: {type: long, nullable: true}
    fragile: {type: bool, nullable: true}
labels:
  topic: parcels.arrived
  entity: parcel
  fields: {parcel: {type: string}, late: {type: bool}}
  target: late
  horizon: 12h
features:
  carrier: carrier
  weight: weight
  pieces: pieces
  fragile: fragile
  heavy: weight > 10
  hour: hour(time, "America/New_York")
train: {window: 1d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
""",
    "parcels.yaml",
)
NOW: Micros = 1_780_000_000_000_000
FEATURES = [f"feature.{f.name}" for f in CONTRACT.features]


def an_event(draw: random.Random, partition: int, offset: int, parcels: int) -> Row:
    """Ids, bodies and instants from pools so small that all of them meet."""
    parcel = draw.randrange(parcels)
    return {
        "id": f"id-{draw.randrange(5000)}",
        "parcel": f"parcel-{parcel}",
        "host": f"host-{parcel % 3}",
        "time": NOW - draw.randrange(2 * DAY),
        "carrier": draw.choice([None, "", "ups", " ups", "é"]),
        "weight": draw.choice([None, 0.1, -0.0, 12.5]),
        "pieces": draw.choice([None, 0, 7]),
        "fragile": draw.choice([None, True, False]),
        **place("parcels.sent", partition, offset, an_instant(draw)),
    }


def a_label(draw: random.Random, partition: int, offset: int, parcels: int) -> Row:
    return {
        "parcel": f"parcel-{draw.randrange(parcels)}",
        "late": draw.random() < 0.4,
        **place("parcels.arrived", partition, offset, max(an_instant(draw), an_instant(draw))),
    }


def an_instant(draw: random.Random) -> Micros:
    """Mostly on a grid of half hours, so that ties are common, edges of the window among them."""
    edges = [NOW, NOW + 1, NOW - DAY, NOW - DAY + 1]
    near = NOW - draw.randrange(-1, 52) * 30 * MINUTE
    return draw.choice(edges) if draw.random() < 0.05 else near


def again(draw: random.Random, event: Row, offset: int) -> Row:
    """The same event sent twice, some minutes later."""
    later = int(str(event["arrived_at"])) + draw.randrange(3) * 10 * MINUTE
    return {**event, **place("parcels.sent", int(str(event["partition"])), offset, later)}


def built(session: SparkSession, events: Sequence[Row], labels: Sequence[Row], folder: Path) -> Account:
    """The window of a lake of three batches, in `folder`/run."""
    lake = Lake(folder / "lake", CONTRACT.name)
    for batch in range(3):
        land(lake, CONTRACT, batch, events[batch::3], labels[batch::3])
    (folder / "run").mkdir()
    return build(session, lake, CONTRACT, NOW, Folder(folder / "run"))


def rows(folder: Path, part: Part) -> list[tuple[object, ...]]:
    table = table_of(folder, part)
    return list(zip(*(table[name].to_pylist() for name in [*FEATURES, "label"]), strict=True))


def table_of(folder: Path, part: Part) -> pa.Table:
    return pa.concat_tables(pq.read_table(f) for f in Folder(folder / "run").files(part))


# Few examples of many rows, none of them shrunk: each costs Spark seconds, and its seed names it whole.
@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
@example(seed=0, events=0, parcels=1)
@given(seed=st.integers(0, 2**32), events=st.integers(500, 2000), parcels=st.integers(1, 200))
def test_the_window_is_what_brute_force_gives(
    session: SparkSession, seed: int, events: int, parcels: int
) -> None:
    draw = random.Random(seed)
    asked = [an_event(draw, n % 3, n, parcels) for n in range(events)]
    asked += [again(draw, e, events + n) for n, e in enumerate(asked[::10])]
    said = [a_label(draw, n % 2, n, parcels) for n in range(parcels * 2)]
    expected = reference.window(CONTRACT, asked, said, NOW)
    with TemporaryDirectory() as folder:
        account = built(session, asked, said, Path(folder))
        assert rows(Path(folder), "train") == expected.train
        assert rows(Path(folder), "holdout") == expected.holdout
    assert {k: v for k, v in account.left_out.items() if v} == expected.left_out
    assert account.noticed["entities whose labels disagree"] == len(expected.disagreeing)
    assert expected.newest_train < expected.oldest_holdout or not expected.holdout
    assert account.rows == {"train": len(expected.train), "holdout": len(expected.holdout)}
    assert account.positive["holdout"] == sum(row[-1] == "1" for row in expected.holdout)


def one_event(offset: int, arrived_at: Micros) -> Row:
    event = an_event(random.Random(offset), 0, offset, 1)
    return {**event, "id": f"id-{offset}", **place("parcels.sent", 0, offset, arrived_at)}


def one_label(offset: int, late: bool, arrived_at: Micros) -> Row:
    return {"parcel": "parcel-0", "late": late, **place("parcels.arrived", 0, offset, arrived_at)}


#   now-1d      asked                 label      now
#     |-----------|---------------------|---------|
@pytest.mark.parametrize(
    ("asked", "labelled", "reason"),
    [
        (NOW - HOUR, NOW - HOUR - 1, "label arrived before its event"),
        (NOW - 13 * HOUR, NOW - HOUR + 1, "label arrived after the horizon"),
        (NOW - HOUR, NOW + 1, "unlabelled"),
    ],
)
def test_a_label_out_of_its_time_leaves_its_event_out(
    session: SparkSession, tmp_path: Path, asked: Micros, labelled: Micros, reason: str
) -> None:
    account = built(session, [one_event(0, asked)], [one_label(0, True, labelled)], tmp_path)
    assert {k: v for k, v in account.left_out.items() if v} == {reason: 1}
    assert account.rows == {"train": 0, "holdout": 0}


def test_of_two_labels_that_disagree_the_newest_counts(session: SparkSession, tmp_path: Path) -> None:
    labels = [one_label(0, False, NOW - MINUTE), one_label(1, True, NOW - 2 * MINUTE)]
    account = built(session, [one_event(0, NOW - HOUR)], labels, tmp_path)
    assert [row[-1] for row in rows(tmp_path, "holdout")] == ["0"]
    assert account.noticed["entities whose labels disagree"] == 1


def test_the_golden_rows_are_holdout_rows_with_the_events_they_come_from(
    session: SparkSession, tmp_path: Path
) -> None:
    draw = random.Random(1)
    asked = [{**an_event(draw, n % 3, n, 50), "id": f"id-{n}"} for n in range(3000)]
    account = built(session, asked, [one_label(0, True, NOW)], tmp_path)
    golden = table_of(tmp_path, "golden")
    assert golden.num_rows == min(200, account.rows["holdout"])
    holdout = {row[:-1] for row in rows(tmp_path, "holdout")}
    for row in golden.to_pylist():
        event = {f.name: row[f"event.{f.name}"] for f in CONTRACT.events.fields}
        micros = {**event, "time": round(event["time"].timestamp() * 1e6)}
        features = tuple(row[name] for name in FEATURES)
        assert features == reference.features(CONTRACT, micros)
        assert features in holdout


def test_the_account_names_batches_and_the_offsets_of_rows_and_labels(
    session: SparkSession, tmp_path: Path
) -> None:
    asked = [one_event(n, NOW - HOUR - n) for n in range(5)]
    account = built(session, asked, [one_label(7, True, NOW - MINUTE)], tmp_path)
    assert account.batches == (0, 1, 2)
    assert account.offsets == {"parcels.arrived": {0: (7, 7)}, "parcels.sent": {0: (0, 4)}}
    assert Account.from_bytes((tmp_path / "run" / "account.json").read_bytes()) == account


def test_a_file_in_no_manifest_is_ignored_and_counted(session: SparkSession, tmp_path: Path) -> None:
    events = tmp_path / "lake" / "parcels" / "events"
    events.mkdir(parents=True)
    (events / "stray.parquet").write_bytes(b"no parquet")
    account = built(session, [one_event(0, NOW - HOUR)], [one_label(0, True, NOW)], tmp_path)
    assert account.noticed["files in no manifest"] == 1
    assert account.rows["holdout"] == 1


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (altered, "the hash that its manifest lists"),
        (lambda path: path.write_bytes(b""), "bytes its manifest lists"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "bytes its manifest lists"),
        (Path.unlink, "bytes its manifest lists"),
    ],
    ids=["altered", "empty", "cut", "absent"],
)
def test_a_harmed_file_refuses_the_window_and_is_named(
    session: SparkSession, tmp_path: Path, harm: object, said: str
) -> None:
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    land(lake, CONTRACT, 0, [one_event(0, NOW - HOUR)], [one_label(0, True, NOW)])
    (path,) = lake.paths("events")
    assert callable(harm)
    harm(path)
    with pytest.raises(BadArtifact, match=said) as error:
        build(session, lake, CONTRACT, NOW, Folder(tmp_path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("column", "kind", "said"),
    [
        ("weight", None, "no such column"),
        ("weight", pa.float32(), "float"),
        ("pieces", pa.int32(), "int32"),
        ("time", pa.timestamp("ms", tz="UTC"), r"timestamp\[ms"),
    ],
)
def test_a_file_of_another_schema_refuses_the_window(
    session: SparkSession, tmp_path: Path, column: str, kind: pa.DataType | None, said: str
) -> None:
    other = OtherSchema(column, kind)
    lake = Lake(tmp_path / "lake", CONTRACT.name)
    land(lake, CONTRACT, 0, [one_event(0, NOW - HOUR)], [], change=other)
    with pytest.raises(BadArtifact, match=f"column {column}.*{said}"):
        build(session, lake, CONTRACT, NOW, Folder(tmp_path))


class OtherSchema:
    """A writer that leaves a column out, or gives it another type."""

    def __init__(self, column: str, kind: pa.DataType | None) -> None:
        self._column, self._kind = column, kind

    def __call__(self, table: pa.Table) -> pa.Table:
        if self._column not in table.column_names:
            return table
        index = table.column_names.index(self._column)
        if self._kind is None:
            return table.remove_column(index)
        return table.set_column(index, self._column, table[self._column].cast(self._kind, safe=False))
