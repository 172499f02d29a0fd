"""A bundle store without room: the run's note waits, and the trainer with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.kafka import MemoryLog
from hotpath.progress import Progress, read
from hotpath.settings import PROJECT
from hotpath.settings import load as load_settings
from train import job
from train.attempt import Trainer
from train.folder import Folder


def test_a_run_is_noted_once_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "ROOM_S", 0.0)
    left, record = [3], BundleStore.record

    def tried(store: BundleStore, run: Run) -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        return record(store, run)

    monkeypatch.setattr(BundleStore, "record", tried)
    trainer = Trainer(
        contract=load(PROJECT / "config/pipelines/flights.yaml"),
        folder=Folder(tmp_path / "run"),
        store=BundleStore(tmp_path / "store"),
        log=MemoryLog(),
        signing=tmp_path / "signing.pem",
        verifying=tmp_path / "verify.pem",
        clock=Clock(),
        progress=Progress(tmp_path / "state.json"),
        clock_limit=1,
        limits=load_settings().train,
    )
    run = Run("failed", "no room for its bundle", 0, {})
    job.remember(trainer, run)
    assert trainer.store.runs() == (run,)
    assert read(tmp_path / "state.json")["why"] == run.why
