"""Each law of the hand-off is missed where it does not hold, and named; a sound lake has no breach."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath.cli.lake import check as command
from hotpath.cli.lake import compact as compaction
from hotpath.cli.lake import ls, schemas
from hotpath.deployed import Deployed
from hotpath.errors import BadConfig
from hotpath.forgetting import forget
from hotpath.lake import File, Import, Lake, Manifest
from hotpath.lake_check import Checked, check
from hotpath.rewriting import remove_superseded
from hotpath.settings import Settings, load
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, LABEL, land, score
from transform.compaction import compact
from transform.retention import kept_for, retire

CONTRACT = small()
BATCHES = 4


def filled(lake: Lake) -> Lake:
    for number in range(BATCHES):
        events = [{**EVENT, "id": f"{number}-{n}", "who": who} for n, who in enumerate(("ann", "bob"))]
        land(lake, CONTRACT, number, [*events, b"{torn", b""], [{**LABEL, "who": "ann"}], [score("bob")])
    return lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return filled(Lake(tmp_path, "small"))


def checked(lake: Lake) -> Checked:
    return check(lake, schemas(CONTRACT))


def breaches(lake: Lake) -> str:
    return "\n".join(map(str, checked(lake).breaches))


def test_a_sound_lake_has_no_breach_before_and_after_everything_that_rewrites_it(lake: Lake) -> None:
    found = checked(lake)
    assert (found.breaches, found.rows, found.manifests, found.unlisted) == ((), 5 * BATCHES, 4, 0)
    compact(lake)
    assert breaches(lake) == ""
    remove_superseded(lake)
    assert checked(lake) == replace(found, manifests=2, files=8, bytes=checked(lake).bytes)
    forget(lake, CONTRACT, "bob")
    assert breaches(lake) == ""
    retire(lake, CONTRACT, max(m.landed_at for m in lake.manifests()) + kept_for(CONTRACT))
    assert breaches(lake) == ""
    remove_superseded(lake)
    assert breaches(lake) == ""


def rewritten(lake: Lake, change: Callable[[Manifest], Manifest], batch: int = 1) -> None:
    """A manifest as a fault would have left it."""
    found = next(m for m in lake.manifests() if m.first <= batch <= m.batch)
    lake.manifest_path(found.name).write_bytes(change(found).to_bytes())


def moved(manifest: Manifest, topic: str, start: int, end: int) -> Manifest:
    return replace(
        manifest,
        start={**manifest.start, topic: {0: start}},
        end={**manifest.end, topic: {0: end}},
    )


TOPIC = CONTRACT.events.topic


@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: replace(m, counts={**m.counts, "events": 99}), "events: found .* rows, expected the 99"),
        (lambda m: replace(m, counts={**m.counts, "weather": 1}), "weather: found 0 rows"),
        (lambda m: moved(m, TOPIC, 100, 101), "offsets .*, expected from 100 to before 101"),
        (lambda m: moved(m, TOPIC, 50, 200), "found .*, expected (the end of 0|the range's)"),
        (lambda m: replace(m, files=(*m.files, m.files[0])), "more than once"),
        (
            lambda m: replace(m, files=(replace(m.files[0], rows=7), *m.files[1:])),
            "expected the 7 its manifest",
        ),
    ],
)
def test_a_law_that_does_not_hold_is_named(
    lake: Lake, ranged: bool, change: Callable[[Manifest], Manifest], says: str
) -> None:
    if ranged:
        compact(lake)
        remove_superseded(lake)
    rewritten(lake, change)
    assert re.search(says, breaches(lake))


@pytest.mark.parametrize("ranged", [False, True])
@pytest.mark.parametrize("how", ["absent", "empty", "truncated", "altered"])
def test_a_harmed_file_is_named(lake: Lake, ranged: bool, how: str) -> None:
    if ranged:
        compact(lake)
        remove_superseded(lake)
    path = lake.path(lake.manifests()[0].files[0])
    whole = path.read_bytes()
    path.unlink()
    if how != "absent":
        flipped = whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]
        path.write_bytes({"empty": b"", "truncated": whole[:-1], "altered": flipped}[how])
    (breach,) = checked(lake).breaches
    assert breach.where == str(path)


@pytest.mark.parametrize(
    ("column", "kind"), [("who", None), ("count", pa.float64()), ("at", pa.timestamp("ms", tz="UTC"))]
)
def test_a_column_that_is_missing_widened_or_of_another_time_unit_is_named(
    lake: Lake, column: str, kind: pa.DataType | None
) -> None:
    def change(manifest: Manifest) -> Manifest:
        return replace(manifest, files=tuple(_altered(lake, f, column, kind) for f in manifest.files))

    rewritten(lake, change)
    assert f"column {column}: found" in breaches(lake)


def _altered(lake: Lake, file: File, column: str, kind: pa.DataType | None) -> File:
    if file.dataset != "events":
        return file
    path = lake.path(file)
    table = pq.read_table(path, partitioning=None)
    number = table.column_names.index(column)
    kept = table.remove_column(number)
    pq.write_table(kept if kind is None else kept.add_column(number, column, table[column].cast(kind)), path)
    data = path.read_bytes()
    return replace(file, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_a_manifest_that_is_absent_or_harmed_is_named(lake: Lake) -> None:
    path = lake.folder / "manifest/1.json"
    path.write_text("{")
    assert str(path) in breaches(lake)
    path.unlink()
    assert "manifest 2: found first batch 2, expected 1" in breaches(lake)
    assert checked(lake).unlisted > 0


def test_a_ranges_batches_that_are_absent_or_harmed_are_named(lake: Lake) -> None:
    compact(lake)
    path = lake.folder / "manifest/0-2.batches"
    path.write_bytes(b"x")
    assert str(path) in breaches(lake)
    path.unlink()
    assert f"{path}: found absent" in breaches(lake)


def test_a_file_in_no_manifest_is_counted_and_is_no_breach(lake: Lake) -> None:
    stray = lake.folder / "events/schema=x/batch_id=1/stray.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"no parquet")
    assert (checked(lake).unlisted, checked(lake).breaches) == (1, ())


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "data"))
    found = load()
    Deployed(found.deployed()).put(CONTRACT)
    filled(Lake(found.lake_root(), "small"))
    return found


def test_the_commands_say_what_is_there_what_is_wrong_and_what_was_done(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    ls("small", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["datasets"]["events"]["rows"] == 2 * BATCHES
    assert (found["batches"], found["manifests"], found["unlisted"]) == ([0, 3], 4, 0)
    compaction("small", as_json=True)
    assert json.loads(capsys.readouterr().out)["ranges"] == 1
    ls("small")
    assert "events" in capsys.readouterr().out
    ls("small", as_json=True)
    assert json.loads(capsys.readouterr().out)["superseded"]["files"] > 0
    with pytest.raises(SystemExit) as ending:
        command("small")
    assert ending.value.code == 0
    assert "every law holds" in capsys.readouterr().out
    lake = Lake(settings.lake_root(), "small")
    path = lake.path(lake.manifests()[0].files[0])
    path.unlink()
    with pytest.raises(SystemExit) as ending:
        command("small", as_json=True)
    assert ending.value.code == 1
    assert json.loads(capsys.readouterr().out)["breaches"][0]["where"] == str(path)


def test_a_pipeline_without_a_lake_is_refused(settings: Settings) -> None:
    assert settings.data.exists()
    with pytest.raises(BadConfig, match="landed something"):
        ls("nobody")


def test_files_beside_no_manifest_at_all_are_a_breach(lake: Lake) -> None:
    for path in (lake.folder / "manifest").iterdir():
        path.unlink()
    (breach,) = checked(lake).breaches
    assert str(lake.folder / "manifest") in breach.where
    assert "no manifest" in breach.found


def test_where_the_batches_of_a_range_are_lost_the_other_laws_are_held_all_the_same(lake: Lake) -> None:
    compact(lake)
    harmed = lake.path(lake.manifests()[0].files[0])
    harmed.unlink()
    path = lake.folder / "manifest/0-2.batches"
    path.unlink()
    assert [b.where for b in checked(lake).breaches] == [str(path), str(harmed)]


def test_a_manifest_that_does_not_read_is_one_breach_and_the_next_one_none(lake: Lake) -> None:
    path = lake.folder / "manifest/1.json"
    path.write_text("{")
    (breach,) = checked(lake).breaches
    assert breach.where == str(path)
    path.unlink()
    path.mkdir()  # as one that may not be read: the tests run as root
    (breach,) = checked(lake).breaches
    assert breach.where == str(path)


def test_a_manifest_with_the_content_of_another_is_named_by_its_file(lake: Lake) -> None:
    path = lake.folder / "manifest/2.json"
    path.write_bytes((lake.folder / "manifest/1.json").read_bytes())
    (breach,) = checked(lake).breaches
    assert (breach.where, breach.found) == (str(path), "the content of 1.json")


def test_a_spoilt_record_of_an_import_is_a_breach(lake: Lake) -> None:
    lake.record_import(Import("one", {"t": {0: (0, 9)}}))
    assert breaches(lake) == ""
    path = lake.folder / "imports/one.json"
    whole = path.read_bytes()
    path.write_text("{}")
    assert str(path) in breaches(lake)
    path.write_bytes(whole.replace(b"one", b"two"))
    assert f"{path}: found import two" in breaches(lake)
