"""An entity is erased from every dataset, whatever is killed and whenever; its neighbours keep everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath import files
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, BadConfig, BadInput
from hotpath.forget_rows import columns, mentions
from hotpath.forgetting import POINTS, Forgotten, forget
from hotpath.lake import DATASETS, PLACE, Dataset, Lake, Manifest
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, LABEL, land, score

CONTRACT = small()
HIS, HERS = "ann", "bob"
LANDED = 10
"""Records of the lake below."""


class Killed(Exception):
    """What a test dies of at a named point."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three batches; batch 1 knows nothing of her.

    0: an event and a label each, a bad record that names her    1: his event    2: her event, both scores
    """
    lake = Lake(tmp_path, "small")
    both = [{**EVENT, "id": f"0{who}", "who": who} for who in (HIS, HERS)]
    bad = orjson.dumps({**EVENT, "who": HERS, "count": "many"})
    land(lake, CONTRACT, 0, [*both, bad, b"{torn"], [{**LABEL, "who": who} for who in (HIS, HERS)], [])
    land(lake, CONTRACT, 1, [{**EVENT, "id": "1", "who": HIS}], [], [])
    land(lake, CONTRACT, 2, [{**EVENT, "id": "2", "who": HERS}], [], [score(HIS), score(HERS)])
    return lake


def entities(lake: Lake) -> dict[Dataset, list[str]]:
    columns: dict[Dataset, str] = {"events": "who", "labels": "who", "scores": "entity"}
    return {dataset: lake.read(dataset)[column].to_pylist() for dataset, column in columns.items()}


def places(lake: Lake) -> int:
    """Law 1: every record is among the datasets, or was forgotten."""
    counts = lake.counts()
    return sum(counts[name] for name in (*DATASETS, "forgotten"))


def on_disk(lake: Lake) -> set[Path]:
    return {p for d in DATASETS for p in (lake.folder / d).rglob("*.parquet")}


def trace(lake: Lake, entity: str) -> list[Path]:
    """Files, listed or not, and manifests that hold the entity still."""
    rows = [p for p in on_disk(lake) if entity in str(pq.read_table(p, partitioning=None).to_pylist())]
    return rows + [p for p in (lake.folder / "manifest").iterdir() if entity in p.read_text()]


def assert_forgotten(lake: Lake) -> None:
    assert entities(lake) == {"events": [HIS, HIS], "labels": [HIS], "scores": [HIS]}
    assert lake.read("rejected")["raw"].to_pylist() == [b"{torn"]
    assert trace(lake, HERS) == []
    assert lake.unlisted() == ()
    assert places(lake) == LANDED


def test_an_entity_is_erased_from_every_dataset_and_it_is_said_what_was(lake: Lake) -> None:
    done = forget(lake, CONTRACT, HERS)
    assert done == Forgotten({"events": 2, "labels": 1, "scores": 1, "rejected": 1}, 5, 0, 2)
    assert_forgotten(lake)
    counts = lake.counts()
    told = {name: counts[name] for name in counts if name.startswith("forgotten")}
    assert told == {"forgotten": 5, "forgotten.events": 3, "forgotten.labels": 1, "forgotten.scores": 1}
    assert (counts["rejected"], counts["rejected.events"]) == (1, 1)


def test_a_batch_that_knows_nothing_of_it_stays_as_it_is(lake: Lake) -> None:
    before = lake.manifest(1)
    forget(lake, CONTRACT, HERS)
    assert lake.manifest(1) == before
    assert [m.revision for m in lake.manifests()] == [1, 0, 1]


def test_who_is_unknown_is_nothing_to_forget(lake: Lake) -> None:
    before = on_disk(lake)
    assert forget(lake, CONTRACT, "nobody").nothing
    assert on_disk(lake) == before


def test_forgetting_twice_finds_nothing_and_another_entity_may_follow(lake: Lake) -> None:
    forget(lake, CONTRACT, HERS)
    assert forget(lake, CONTRACT, HERS).nothing
    assert forget(lake, CONTRACT, HIS).rows == {"events": 2, "labels": 1, "scores": 1}
    assert on_disk(lake) == set(lake.paths("rejected"))
    assert [m.revision for m in lake.manifests()] == [2, 1, 2]
    assert places(lake) == LANDED


@pytest.mark.parametrize("batch", [0, 2])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_what_readers_see_is_whole_and_a_repeat_finishes(
    lake: Lake, point: str, batch: int
) -> None:
    def kill(reached: str, at: int) -> None:
        if (reached, at) == (point, batch):
            raise Killed

    with pytest.raises(Killed):
        forget(lake, CONTRACT, HERS, kill)
    assert entities(lake)["events"].count(HIS) == 2
    assert places(lake) == LANDED
    forget(lake, CONTRACT, HERS)
    assert_forgotten(lake)


def test_a_reader_that_meets_a_file_taken_away_reads_the_newer_revision(lake: Lake) -> None:
    manifests = lake.manifests()
    forget(lake, CONTRACT, HERS)
    assert lake.read("events", ["who"], manifests)["who"].to_pylist() == [HIS, HIS]
    assert lake.read_known("labels", ["who"], manifests)["who"].to_pylist() == [HIS]


def test_a_reader_that_is_overtaken_twice_reads_the_newest_revision(lake: Lake) -> None:
    manifests, others = lake.manifests(), [HERS, HIS]

    def reading(listed: Sequence[Manifest]) -> list[object]:
        if others:
            forget(lake, CONTRACT, others.pop(0))
        return [file for m in listed for file in m.files if lake.checked(file) and file.dataset == "events"]

    assert lake.current(reading, manifests) == []


def test_a_file_that_is_lost_and_not_taken_away_is_refused_still(lake: Lake) -> None:
    forget(lake, CONTRACT, HERS)
    lake.paths("events")[0].unlink()
    with pytest.raises(BadArtifact, match="bytes its manifest lists"):
        lake.read("events")


def test_a_batch_is_not_published_again_where_a_revision_stands(lake: Lake) -> None:
    manifests = lake.manifests()
    forget(lake, CONTRACT, HERS)
    with pytest.raises(BadArtifact, match="one writer"):
        lake.publish(manifests[0])


def test_an_older_contracts_file_is_searched_in_all_its_texts(lake: Lake) -> None:
    assert forget(lake, _renamed(), HERS).rows["events"] == 2


def test_a_batch_that_lands_meanwhile_is_not_said_to_be_searched(lake: Lake) -> None:
    def more_lands(point: str, batch: int) -> None:
        if (point, batch) == ("before the files", 0):
            land(lake, CONTRACT, 3, [{**EVENT, "id": "3", "who": HERS}], [], [])

    assert forget(lake, CONTRACT, HERS, more_lands).batch == 2
    assert entities(lake)["events"].count(HERS) == 1


def test_two_may_not_rewrite_one_lake_at_a_time(lake: Lake) -> None:
    with files.hold(lake.folder / "rewrite.lock", "test"), pytest.raises(BadConfig, match="another process"):
        forget(lake, CONTRACT, HERS)


def test_no_entity_is_refused(lake: Lake) -> None:
    with pytest.raises(BadInput, match="not empty"):
        forget(lake, CONTRACT, "")


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'{"who": "bob"}', True),
        (b'{"a": [{"b": "b\\u006fb"}]}', True),
        (b'{"who": "bobby"}', False),
        (b'{"who": "bob", "who": "ann"}', True),
        (b'{"bob": 1}', False),
        (b'{"who": "bob', True),
        (b"x,bob,y", True),
        (b"", False),
        (b"[" * 100_000 + b'"bob"', True),
    ],
)
def test_a_rejected_record_is_about_whom_it_names(raw: bytes, found: bool) -> None:
    assert mentions(raw, HERS) is found


@pytest.mark.parametrize("raw", [b'{"who": "Jos\\u00e9', b'{"who": "Jos\\u00E9', b'{"who": "Jos\xc3\xa9'])
def test_whoever_is_named_in_escapes_in_what_is_no_json_is_found(raw: bytes) -> None:
    assert mentions(raw, "José")
    assert not mentions(raw, "Joss")


def test_an_older_contracts_column_of_the_name_that_is_no_text_is_not_the_entitys() -> None:
    older = pa.schema([("who", pa.int64()), ("person", pa.string()), *PLACE])
    assert columns(CONTRACT, "events", older) == ("person",)


def test_an_entity_that_is_a_number_in_json_is_found() -> None:
    assert mentions(b'{"who": 17}', "17")


def _renamed() -> Contract:
    events = CONTRACT.events
    parts = tuple(replace(part, name="person") if part.name == "who" else part for part in events.parts)
    return replace(CONTRACT, events=replace(events, entity="person", parts=parts))


def test_a_file_that_does_not_read_stops_it_and_it_is_said_how_far_it_got(lake: Lake) -> None:
    path = lake.path(next(f for f in lake.manifests()[2].files if f.dataset == "events"))
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))
    with pytest.raises(
        BadArtifact, match="1 events, 1 labels, 1 rejected, in the batches before 2"
    ) as stopped:
        forget(lake, CONTRACT, HERS)
    assert stopped.value.thing == str(path)
    path.write_bytes(whole)
    forget(lake, CONTRACT, HERS)
    assert_forgotten(lake)
