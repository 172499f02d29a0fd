"""Checkpoint and lake: held against each other before Spark starts, and the one made anew of the other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.errors import BadArtifact
from hotpath.lake import Lake, Manifest, Offsets
from transform.checkpoint import examine, offsets, recover

TOPIC = "flights.status"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", "flights")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "flights"


def ends(batch: int, width: int = 10) -> Offsets:
    return {TOPIC: {0: (batch + 1) * width}} if batch >= 0 else {}


def land(lake: Lake, *batches: int) -> None:
    for batch in batches:
        lake.publish(Manifest(batch, ends(batch - 1), ends(batch), (), {}, 1))


def plan(checkpoint: Path, *batches: int, committed: int | None = None) -> None:
    """As Spark leaves it: offsets of these batches, commits up to `committed`."""
    (checkpoint / "offsets").mkdir(parents=True, exist_ok=True)
    (checkpoint / "commits").mkdir(exist_ok=True)
    (checkpoint / "sources" / "0").mkdir(parents=True, exist_ok=True)
    (checkpoint / "metadata").write_text('{"id":"x"}')
    (checkpoint / "sources" / "0" / "0").write_text('\0v1\n{"flights.status":{"0":0}}')
    for batch in batches:
        (checkpoint / "offsets" / str(batch)).write_text("v1\n{}\n" + json.dumps(ends(batch)))
        if committed is not None and batch <= committed:
            (checkpoint / "commits" / str(batch)).write_text('v1\n{"nextBatchWatermarkMs":0}')


def test_nothing_of_either_is_a_stream_that_has_yet_to_begin(lake: Lake, checkpoint: Path) -> None:
    examine(checkpoint, lake)


@pytest.mark.parametrize(
    ("planned", "landed"),
    [
        pytest.param([0], [], id="killed before the first manifest"),
        pytest.param([0, 1], [0], id="killed before a manifest"),
        pytest.param([0, 1], [0, 1], id="killed after it, or committed"),
    ],
)
def test_what_a_kill_leaves_is_of_one_stream(
    lake: Lake, checkpoint: Path, planned: list[int], landed: list[int]
) -> None:
    plan(checkpoint, *planned, committed=planned[-1] - 1)
    land(lake, *landed)
    examine(checkpoint, lake)


def no_checkpoint(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)


def older(checkpoint: Path) -> None:
    for batch in (2, 3):
        (checkpoint / "offsets" / str(batch)).unlink()


def newer(checkpoint: Path) -> None:
    plan(checkpoint, 4, 5)


def of_another(checkpoint: Path) -> None:
    (checkpoint / "offsets" / "3").write_text("v1\n{}\n" + json.dumps(ends(3, 11)))


CUT = ("offsets/3", "offsets/2", "commits/3", "metadata", "sources/0/0")


@pytest.mark.parametrize("damage", [no_checkpoint, older, newer, of_another])
def test_what_is_of_another_stream_is_refused_with_its_way_back(
    lake: Lake, checkpoint: Path, damage: Callable[[Path], None]
) -> None:
    plan(checkpoint, 0, 1, 2, 3, committed=3)
    land(lake, 0, 1, 2, 3)
    damage(checkpoint)
    with pytest.raises(BadArtifact, match="operations"):
        examine(checkpoint, lake)
    assert recover(checkpoint, lake)[0] == 3
    examine(checkpoint, lake)


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("left", [0, 2, 5])
def test_a_file_that_was_cut_is_named_with_its_way_back(
    lake: Lake, checkpoint: Path, name: str, left: int
) -> None:
    plan(checkpoint, 0, 1, 2, 3, committed=3)
    land(lake, 0, 1, 2, 3)
    path = checkpoint / name
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BadArtifact, match=rf"{name}.*operations"):
        examine(checkpoint, lake)


@given(widths=st.lists(st.dictionaries(st.integers(0, 3), st.integers(0, 9)), max_size=6))
def test_a_checkpoint_made_anew_goes_on_where_the_lake_ends(
    widths: list[dict[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("recovered")
    lake, checkpoint = Lake(folder / "lake", "flights"), folder / "checkpoint"
    end: Offsets = {}
    for batch, width in enumerate(widths):
        start, before = end, end.get(TOPIC, {})
        end = {TOPIC: {p: before.get(p, 0) + width.get(p, 0) for p in before.keys() | width.keys()}}
        lake.publish(Manifest(batch, start, end, (), {}, 1))
    newest = lake.newest()
    assert recover(checkpoint, lake) == (newest, None)
    examine(checkpoint, lake)
    if newest is not None:
        assert offsets(checkpoint, newest) == end
    # Done twice it is the same, and nothing that was there is lost.
    again, aside = recover(checkpoint, lake)
    assert again == newest
    assert (aside is not None and aside.is_dir()) == (newest is not None)


def test_a_lake_with_a_gap_is_no_ground_for_a_checkpoint(lake: Lake, checkpoint: Path) -> None:
    plan(checkpoint, 0, 1, 2, committed=2)
    land(lake, 0, 2)
    with pytest.raises(BadArtifact, match=r"batch 1 of .*restore"):
        recover(checkpoint, lake)
    assert checkpoint.is_dir()
