"""A reader trusts what manifests list, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath.contract.types import FIELD_TYPES, Type
from hotpath.errors import BadArtifact
from hotpath.lake import ARROW_TYPES, File, Import, Lake, Manifest, schema
from hotpath.lake_files import arrivals
from hotpath.manifests import Name


def write(lake: Lake, batch: int, ids: list[str]) -> File:
    path = lake.folder / f"events/schema=x/batch_id={batch}/part.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"event_id": ids}), path)
    size = path.stat().st_size
    return File(str(path.relative_to(lake.folder)), "events", len(ids), size, "0" * 64)


def manifest(batch: int, *files: File) -> Manifest:
    ends = {"t": {0: batch + 1}}
    return Manifest(batch, {}, ends, files, {"events": sum(f.rows for f in files)}, 5)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "flights")


def test_rows_of_published_batches_are_read_in_order(lake: Lake) -> None:
    for batch in (0, 1, 10, 2):
        lake.publish(manifest(batch, write(lake, batch, [f"b{batch}"])))
    assert lake.read("events")["event_id"].to_pylist() == ["b0", "b1", "b2", "b10"]
    assert lake.counts() == {"events": 4}
    assert lake.manifest(10) == manifest(10, write(lake, 10, ["b10"]))
    assert lake.newest() == 10


def test_a_lake_without_a_batch_has_no_newest_one(lake: Lake) -> None:
    assert lake.newest() is None


def test_the_rows_of_one_batch_can_be_read_alone_and_some_columns_of_them(lake: Lake) -> None:
    for batch in (0, 1):
        lake.publish(manifest(batch, write(lake, batch, [f"b{batch}"])))
    assert lake.read("events", ("event_id",), [lake.manifests()[1]]).to_pylist() == [{"event_id": "b1"}]
    assert lake.read("labels", ("event_id",), lake.manifests()).num_rows == 0


def test_a_file_that_no_manifest_lists_is_ignored_and_counted(lake: Lake) -> None:
    left = write(lake, 3, ["never"])
    assert lake.read("events").num_rows == 0
    assert lake.unlisted() == (lake.folder / left.path,)


def test_a_batch_is_published_once(lake: Lake) -> None:
    lake.publish(manifest(0, write(lake, 0, ["first"])))
    with pytest.raises(BadArtifact, match="one writer"):
        lake.publish(manifest(0))
    assert lake.read("events")["event_id"].to_pylist() == ["first"]


@pytest.mark.parametrize("damage", ["absent", "empty", "truncated", "altered"])
def test_a_damaged_file_is_refused_and_named(lake: Lake, damage: str) -> None:
    file = write(lake, 0, [f"row {n}" for n in range(100)])
    lake.publish(manifest(0, file))
    path = lake.folder / file.path
    whole = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes(
            {"empty": b"", "truncated": whole[:-9], "altered": b"XXXX" + bytes(len(whole) - 4)}[damage]
        )
    with pytest.raises(BadArtifact, match=r"part\.parquet"):
        lake.read("events")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"batch": 0}'])
def test_a_damaged_manifest_is_refused_and_named(lake: Lake, text: str) -> None:
    lake.publish(manifest(0))
    (lake.folder / "manifest/0.json").write_text(text)
    with pytest.raises(BadArtifact, match=r"0\.json"):
        lake.manifests()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "x"}', '{"id": "x", "ranges": {"t": {"0": 1}}}'])
def test_a_damaged_record_of_an_import_is_refused_and_named(lake: Lake, text: str) -> None:
    lake.record_import(Import("history", {}))
    (lake.folder / "imports/history.json").write_text(text)
    with pytest.raises(BadArtifact, match=r"history\.json"):
        lake.imports()


def test_an_import_covers_its_offsets_and_no_others(lake: Lake) -> None:
    lake.record_import(Import("history", {"t": {1: (5, 9)}}))
    (found,) = lake.imports()
    covered = [found.covers("t", 1, o) for o in (4, 5, 9, 10)]
    assert covered == [False, True, True, False]
    assert not found.covers("t", 0, 5)
    assert not found.covers("other", 1, 5)
    with pytest.raises(BadArtifact, match="once"):
        lake.record_import(found)


def older_and_newer(lake: Lake) -> None:
    for batch, table in enumerate((pa.table({"id": ["a"]}), pa.table({"id": ["b"], "more": [1.5]}))):
        file = write(lake, batch, ["-"])
        path = lake.folder / file.path
        pq.write_table(table, path)
        lake.publish(manifest(batch, replace(file, bytes=path.stat().st_size)))


def test_an_optional_column_is_null_where_an_older_file_lacks_it(lake: Lake) -> None:
    older_and_newer(lake)
    found = lake.read("events", ["id"], optional=["more", "never"])
    assert found.to_pylist() == [
        {"id": "a", "more": None, "never": None},
        {"id": "b", "more": 1.5, "never": None},
    ]
    with pytest.raises(BadArtifact, match="whole Parquet file"):
        lake.read("events", ["id", "more"])


def test_an_older_file_without_a_column_or_with_another_type_is_passed_over(lake: Lake) -> None:
    older_and_newer(lake)
    manifests = lake.manifests()
    assert lake.read_known("events", ["id", "more"], manifests)["id"].to_pylist() == ["b"]
    assert lake.read_known("events", ["more"], manifests, {"more": pa.float64()}).num_rows == 1
    assert lake.read_known("events", ["more"], manifests, {"more": pa.int64()}).num_rows == 0


def test_the_newest_revision_of_a_batch_counts_and_the_others_are_known(lake: Lake) -> None:
    first = manifest(0, write(lake, 0, ["a"]))
    lake.publish(first)
    for revision in range(1, 12):
        lake.publish(replace(first, files=(), revision=revision))
    assert lake.manifest(0) == lake.manifests()[0] == replace(first, files=(), revision=11)
    assert [m.revision for m in lake.superseded()] == list(range(11))
    assert lake.newest() == 0


@pytest.mark.parametrize("kind", ARROW_TYPES)
def test_every_type_of_a_field_has_a_column(kind: str) -> None:
    assert kind in set(Type)
    assert schema([("f", kind)]).field("f").type == ARROW_TYPES[kind]


def test_only_types_of_arguments_have_no_column() -> None:
    assert {t for t in Type if t not in ARROW_TYPES} == set(Type) - {t.type for t in FIELD_TYPES}


FILE = {"path": "e/schema=h/batch_id=0/x", "dataset": "e", "rows": 1, "bytes": 1, "sha256": ""}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("counts", {"events": "many"}),
        ("counts", 1),
        ("landed_at", "now"),
        ("batch", None),
        ("end", {"t": {"0": "x"}}),
        ("files", [{**FILE, "path": "x.parquet"}]),
        ("files", [{**FILE, "path": "e/schema=h/batch_id=0/../../../../x"}]),
        ("files", [{**FILE, "rows": "1"}]),
    ],
)
def test_a_manifest_with_a_value_of_another_kind_is_refused_and_named(
    lake: Lake, key: str, value: object
) -> None:
    lake.publish(manifest(0))
    path = lake.manifest_path(Name(0, 0))
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: value}))
    with pytest.raises(BadArtifact, match=r"0\.json.*from a copy"):
        lake.manifests()


def test_a_lost_file_is_said_to_be_absent_and_what_to_do(lake: Lake) -> None:
    lake.publish(manifest(0, write(lake, 0, ["lost"])))
    lake.paths("events")[0].unlink()
    with pytest.raises(BadArtifact, match=r"found 'absent'.*restore it from a copy"):
        lake.paths("events")


def test_a_footer_that_is_no_utf_8_is_refused_and_named(lake: Lake) -> None:
    lake.publish(manifest(0, write(lake, 0, ["row"])))
    path = lake.paths("events")[0]
    whole = path.read_bytes()
    name = whole.index(b"event_id")  # of the footer: the row does not hold it
    path.write_bytes(whole[:name] + b"\xcf" * 8 + whole[name + 8 :])
    for reading in (lambda: arrivals(path), lambda: lake.read("events")):
        with pytest.raises(BadArtifact, match=path.name):
            reading()
