"""A checkpoint and a lake that do not belong together are told apart before anything is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import DataFrame

from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.errors import BadArtifact
from hotpath.lake import File, Lake, Manifest
from hotpath.settings import PROJECT
from transform.landing import Landing
from transform.writing import Writing

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


def published(landing: Landing, batch: int, end: int, *files: File) -> None:
    landing.lake.publish(Manifest(batch, {}, {"flights.status": {0: end}}, files, {}, 1))


def test_a_batch_that_is_published_already_is_done(landing: Landing) -> None:
    offsets(landing, 0, 10)
    published(landing, 0, 10)
    assert landing(NEVER_READ, 0) is None
    assert len(landing.lake.manifests()) == 1


def test_of_a_batch_that_is_done_only_what_its_manifest_lists_is_kept(landing: Landing) -> None:
    folder = landing.lake.folder / "events" / "schema=x"
    names = ("batch_id=0/listed.parquet", "batch_id=0/torn.parquet", "batch_id=1/of-another-batch.parquet")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"PAR1")
    offsets(landing, 0, 10)
    published(landing, 0, 10, File(f"events/schema=x/{names[0]}", "events", 1, 4, ""))
    landing(NEVER_READ, 0)
    assert [(folder / name).exists() for name in names] == [True, False, True]


def test_a_batch_that_was_rewritten_is_done_and_its_new_files_are_kept(landing: Landing) -> None:
    folder = landing.lake.folder / "events" / "schema=x" / "batch_id=0"
    new, making = folder / "revision=1/new.parquet", folder / "revision=2/making.parquet"
    for path in (folder / "old.parquet", new, making):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PAR1")
    offsets(landing, 0, 10)
    published(landing, 0, 10, File("events/schema=x/batch_id=0/old.parquet", "events", 1, 4, ""))
    (first,) = landing.lake.manifests()
    file = File("events/schema=x/batch_id=0/revision=1/new.parquet", "events", 1, 4, "")
    landing.lake.publish(replace(first, files=(file,), revision=1))
    assert landing(NEVER_READ, 0) is None
    assert [path.exists() for path in (folder / "old.parquet", new, making)] == [False, True, True]


def test_a_checkpoint_begun_anew_over_a_lake_that_has_landed_is_refused(landing: Landing) -> None:
    offsets(landing, 0, 99)
    published(landing, 0, 10)
    with pytest.raises(BadArtifact, match=r"end of manifest 0.*operations"):
        landing(NEVER_READ, 0)


def test_a_checkpoint_that_is_ahead_of_its_lake_is_refused(landing: Landing) -> None:
    offsets(landing, 4, 10)
    offsets(landing, 5, 20)
    with pytest.raises(BadArtifact, match="end of manifest 4: found None"):
        landing(NEVER_READ, 5)


def test_a_checkpoint_of_another_lake_is_refused_though_the_numbers_fit(landing: Landing) -> None:
    offsets(landing, 4, 10)
    offsets(landing, 5, 20)
    published(landing, 4, 11)
    with pytest.raises(BadArtifact, match="end of manifest 4"):
        landing(NEVER_READ, 5)


@pytest.mark.parametrize("text", ["", "v1\n", "v1\n{}\nnonsense", "v1\n{}\n[]"])
def test_a_damaged_checkpoint_is_named_with_a_way_back(landing: Landing, text: str) -> None:
    offsets(landing, 0, 10)
    (landing.checkpoint / "offsets" / "0").write_text(text)
    with pytest.raises(BadArtifact, match=r"offsets/0.*operations"):
        landing(NEVER_READ, 0)


class Full:
    """A batch whose workers write a file and then find no room; `publish` takes it further."""

    def __init__(self, landing: Landing, done: bool = False) -> None:
        self.landing, self.done = landing, done

    def selectExpr(self, *_: object) -> Full:
        return self

    coalesce = selectExpr

    def mapInArrow(self, writing: Writing, _: str) -> Full:
        self.path = writing.folder / "events/schema=x/batch_id=1" / f"{writing.attempt}-0.parquet"
        return self

    def collect(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"PAR1")
        if self.done:
            published(
                self.landing,
                1,
                20,
                File(str(self.path.relative_to(self.landing.lake.folder)), "events", 1, 4, ""),
            )
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("done", [False, True])
def test_an_attempt_that_failed_takes_back_its_files_unless_they_are_listed(
    landing: Landing, done: bool
) -> None:
    others = landing.lake.folder / "events/schema=x/batch_id=1/another-attempt.parquet"
    others.parent.mkdir(parents=True)
    others.write_bytes(b"PAR1")
    offsets(landing, 0, 10)
    offsets(landing, 1, 20)
    published(landing, 0, 10)
    batch = Full(landing, done)
    with pytest.raises(OSError, match="No space"):
        landing(cast("DataFrame", batch), 1)
    assert batch.path.exists() == done
    assert others.exists(), "it may be of one who publishes yet"
