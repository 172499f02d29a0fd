"""`hotpath lake recover`: beside no running job, and it says where the stream goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hotpath.cli.recover import recover
from hotpath.errors import BadArtifact, BadConfig
from hotpath.files import hold
from hotpath.lake import Lake, Manifest
from transform.checkpoint import examine


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path))
    lake = Lake(tmp_path / "cloud" / "lake", "flights")
    lake.publish(Manifest(0, {}, {"flights.status": {0: 7}}, (), {}, 1))
    return tmp_path / "cloud"


def test_a_lost_checkpoint_is_made_anew(cloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recover("flights", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"batch": 0, "aside": None, "lost": 0}
    examine(cloud / "checkpoints" / "flights", Lake(cloud / "lake", "flights"))
    recover("flights")
    said = capsys.readouterr().out
    assert "behind batch 0" in said
    assert "flights.damaged-1" in said


def test_beside_a_running_job_it_refuses(cloud: Path) -> None:
    lock = cloud / "checkpoints" / "flights.lock"
    with hold(lock, "stream job a checkpoint"), pytest.raises(BadConfig, match="held by another process"):
        recover("flights")


@pytest.mark.parametrize("left", ["checkpoints/flights/commits/0", "lake/flights/events/schema=a/x.parquet"])
def test_where_batches_had_landed_and_the_lake_is_gone_it_refuses_and_moves_nothing(
    cloud: Path, left: str
) -> None:
    (cloud / "lake" / "flights" / "manifest" / "0.json").unlink()
    (cloud / left).parent.mkdir(parents=True)
    (cloud / left).write_text("v1\n{}")
    with pytest.raises(BadArtifact, match="restore the lake"):
        recover("flights")
    assert (cloud / left).exists()
    assert not list(cloud.glob("checkpoints/*damaged*"))
