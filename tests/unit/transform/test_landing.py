"""A checkpoint and a lake that do not belong together are told apart before anything is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import DataFrame

from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.errors import BadArtifact, BadConfig
from hotpath.files import hold
from hotpath.lake import Lake, Manifest
from hotpath.settings import PROJECT
from transform.landing import Landing

CONTRACT = load(PROJECT / "config/pipelines/flights.yaml")
NEVER_READ = cast("DataFrame", None)
"""A batch that is refused, or done, is not looked at."""


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(Lake(tmp_path / "lake", "flights"), tmp_path / "checkpoint", CONTRACT, Clock())


def offsets(landing: Landing, batch: int, end: int) -> None:
    path = landing.checkpoint / "offsets" / str(batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("v1\n{}\n" + json.dumps({"flights.status": {"0": end}}))


def published(landing: Landing, batch: int, end: int) -> None:
    landing.lake.publish(Manifest(batch, {}, {"flights.status": {0: end}}, (), {}, 1))


def test_a_batch_that_is_published_already_is_done(landing: Landing) -> None:
    offsets(landing, 0, 10)
    published(landing, 0, 10)
    landing(NEVER_READ, 0)
    assert len(landing.lake.manifests()) == 1


def test_a_new_checkpoint_over_an_old_lake_is_refused(landing: Landing) -> None:
    offsets(landing, 0, 99)
    published(landing, 0, 10)
    with pytest.raises(BadArtifact, match=r"manifest's end.*operations"):
        landing(NEVER_READ, 0)


def test_an_old_checkpoint_over_a_new_lake_is_refused(landing: Landing) -> None:
    offsets(landing, 4, 10)
    offsets(landing, 5, 20)
    with pytest.raises(BadArtifact, match="manifest 4"):
        landing(NEVER_READ, 5)


@pytest.mark.parametrize("text", ["", "v1\n", "v1\n{}\nnonsense", "v1\n{}\n[]"])
def test_a_damaged_checkpoint_is_named_with_a_way_back(landing: Landing, text: str) -> None:
    offsets(landing, 0, 10)
    (landing.checkpoint / "offsets" / "0").write_text(text)
    with pytest.raises(BadArtifact, match=r"offsets/0.*operations"):
        landing(NEVER_READ, 0)


def test_a_second_stream_job_on_one_checkpoint_is_refused(tmp_path: Path) -> None:
    with (
        hold(tmp_path / "flights.lock", "stream job a checkpoint"),
        pytest.raises(BadConfig, match="one stream job"),
    ):
        hold(tmp_path / "flights.lock", "stream job a checkpoint")
    hold(tmp_path / "flights.lock", "stream job a checkpoint").close()
