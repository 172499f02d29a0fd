"""A topic that a contract gains is taken up where it begins, whatever it has lost before."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from hotpath.errors import Unavailable
from hotpath.kafka_admin import MemoryLogs
from hotpath.lake import Lake, Manifest
from tests.unit.transform.test_checkpoint import plan
from transform.checkpoint import examine, offsets
from transform.joining import joined, take_up

TOPIC, WIND = "flights.status", "weather.wind"
LOGS = MemoryLogs({WIND: "w"}, {(WIND, 0): (70, 90), (WIND, 1): (0, 5)})
"""Of the wind, what came first is gone."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """One batch has landed."""
    found = Lake(tmp_path / "lake", "flights")
    found.publish(Manifest(0, {}, {TOPIC: {0: 10}}, (), {"events": 10}, 1))
    return found


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "flights"


def away(_: Iterable[str]) -> dict[tuple[str, int], int]:
    raise Unavailable("Kafka", "no answer", "an answer")


def test_a_batch_without_files_says_where_a_new_topic_begins() -> None:
    newest = Manifest(7, {}, {TOPIC: {0: 10}}, (), {}, 1)
    found = joined(newest, {(WIND, 0): 70, (WIND, 1): 0, (TOPIC, 0): 3}, now=2)
    end = {TOPIC: {0: 10}, WIND: {0: 70, 1: 0}}
    assert found == Manifest(8, {TOPIC: {0: 10}}, end, (), {"purged": 70}, 2)
    assert newest.end == {TOPIC: {0: 10}}


def test_a_topic_that_begins_at_0_is_left_to_spark(lake: Lake, checkpoint: Path) -> None:
    plan(checkpoint, 0, committed=0)
    take_up(checkpoint, lake, [TOPIC, WIND], MemoryLogs({WIND: "w"}, {(WIND, 0): (0, 9)}).starts, 2)
    assert lake.newest() == 0


@pytest.mark.parametrize("planned", [[0], [0, 1]], ids=["all landed", "a batch is planned"])
def test_the_checkpoint_goes_on_behind_that_batch(lake: Lake, checkpoint: Path, planned: list[int]) -> None:
    plan(checkpoint, *planned, committed=0)
    left = lake.folder / "events" / "schema=x" / "batch_id=1" / "attempt-1.parquet"
    left.parent.mkdir(parents=True)
    left.touch()
    take_up(checkpoint, lake, [TOPIC, WIND], LOGS.starts, 2)
    examine(checkpoint, lake)
    assert offsets(checkpoint, 1) == {TOPIC: {0: 10}, WIND: {0: 70, 1: 0}}
    assert not left.exists(), "its records come in the next batch"
    assert [path.name for path in checkpoint.parent.iterdir()] == ["flights"]


def test_killed_before_the_checkpoint_the_next_start_finishes_it(lake: Lake, checkpoint: Path) -> None:
    plan(checkpoint, 0, committed=0)
    newest = lake.manifest(0)
    assert newest is not None
    batch = joined(newest, LOGS.starts([WIND]), 2)
    assert batch is not None
    lake.publish(batch)
    take_up(checkpoint, lake, [TOPIC, WIND], away, 3)
    examine(checkpoint, lake)
    assert offsets(checkpoint, 1) == batch.end


def test_nobody_is_asked_where_nothing_is_new(lake: Lake, checkpoint: Path, tmp_path: Path) -> None:
    plan(checkpoint, 0, committed=0)
    take_up(checkpoint, lake, [TOPIC], away, 2)
    take_up(checkpoint, Lake(tmp_path / "none", "flights"), [TOPIC, WIND], away, 2)
    with pytest.raises(Unavailable):
        take_up(checkpoint, lake, [TOPIC, WIND], away, 2)
