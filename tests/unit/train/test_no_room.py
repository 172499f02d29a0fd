"""A bundle store without room: the run's note waits, and the trainer with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.kafka import MemoryLog
from hotpath.progress import Progress, read
from hotpath.settings import PROJECT
from train import job
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
    trainer = job.Trainer(
        contract=load(PROJECT / "config/pipelines/flights.yaml"),
        folder=Folder(tmp_path / "run"),
        store=BundleStore(tmp_path / "store"),
        log=MemoryLog(),
        key=Ed25519PrivateKey.generate(),
        clock=Clock(),
        progress=Progress(tmp_path / "state.json"),
        clock_limit=1,
    )
    run = Run("failed", "no room for its bundle", 0, {})
    job.remember(trainer, run)
    assert trainer.store.runs() == (run,)
    assert read(tmp_path / "state.json")["why"] == run.why
