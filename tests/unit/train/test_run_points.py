"""What a run tells of itself, whatever it came to."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.handoffs import POINTS
from hotpath.kafka import MemoryLog
from hotpath.points import BY_NAME, Point
from hotpath.progress import Progress
from hotpath.settings import PROJECT
from train.account import Account, Span
from train.clocks import REASONS
from train.folder import Folder
from train.job import Trainer, attempt, measured

ACCOUNT = Account(
    span=Span(0, 1),
    rows={"train": 80, "holdout": 20},
    positive={"train": 8, "holdout": 2},
    left_out={"no label yet": 5, REASONS[0]: 3, REASONS[1]: 2},
    noticed={},
    batches=(0,),
    offsets={},
)


def test_a_run_tells_its_rows_and_those_it_left_out_for_a_wrong_clock() -> None:
    run = Run("trained", "", 0, {"window": 2.5, "training": 4.0}, auc=0.7, bundle="b", sequence=3)
    found = measured(run, ACCOUNT)
    assert found == {
        "seconds": 6.5,
        "rows": 80,
        "left_out": 10,
        "wrong_clock": 5,
        "auc": 0.7,
        "sequence": 3,
    }
    assert set(found) == set(BY_NAME["run"].fields)


def test_a_run_that_breaks_before_its_window_is_told_as_failed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = MemoryLog()
    trainer = Trainer(
        contract=load(PROJECT / "config/pipelines/flights.yaml"),
        folder=Folder(tmp_path / "file" / "run"),
        store=BundleStore(tmp_path / "store"),
        log=log,
        key=Ed25519PrivateKey.generate(),
        clock=Clock(),
        progress=Progress(tmp_path / "state.json"),
        clock_limit=1,
    )
    assert attempt(trainer).state == "failed"
    (point,) = [Point.parse((e.value or b"").decode()) for e in log.entries if e.topic == POINTS]
    assert (point.measurement, point.tags) == ("run", {"pipeline": "flights", "state": "failed"})
    assert point.fields == {"seconds": 0.0}
