"""What a run tells of itself, whatever it came to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.handoffs import POINTS
from hotpath.kafka import MemoryLog
from hotpath.points import BY_NAME, Point
from hotpath.progress import Progress
from hotpath.settings import PROJECT
from hotpath.settings import load as load_settings
from tests.unit.train.accounts import of_classes
from train.attempt import Trainer, attempt
from train.clocks import REASONS
from train.folder import Folder
from train.runs import measured

ACCOUNT = of_classes(
    {"0": 72, "1": 8},
    {"0": 18, "1": 2},
    kind="binary",
    left_out={"no label yet": 5, REASONS[0]: 3, REASONS[1]: 2},
)


def test_a_run_tells_its_rows_and_those_it_left_out_for_a_wrong_clock() -> None:
    run = Run(
        "trained", "", 0, {"window": 2.5, "training": 4.0}, {"auc": 0.7, "f1": 0.4}, bundle="b", sequence=3
    )
    found = measured(run, ACCOUNT)
    assert set(found) == set(BY_NAME["run"].fields)
    assert {name: value for name, value in found.items() if value is not None} == {
        "seconds": 6.5,
        "rows": 80,
        "left_out": 10,
        "wrong_clock": 5,
        "believed": 1.0,
        "auc": 0.7,
        "f1": 0.4,
        "sequence": 3,
    }


def test_a_run_that_breaks_before_its_window_is_told_as_failed_and_waits_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = MemoryLog()
    trainer = Trainer(
        contract=load(PROJECT / "config/pipelines/flights.yaml"),
        folder=Folder(tmp_path / "file" / "run"),
        store=BundleStore(tmp_path / "store"),
        log=log,
        signing=tmp_path / "signing.pem",
        verifying=tmp_path / "verify.pem",
        clock=Clock(),
        progress=Progress(tmp_path / "state.json"),
        clock_limit=1,
        limits=load_settings().train,
    )
    run = attempt(trainer)
    assert run.state == "failed"
    assert trainer.due(None)
    assert trainer.due(replace(run, fingerprint="another contract's"))
    assert not trainer.due(run), "a run that fails is not tried again at once"
    (point,) = [Point.parse((e.value or b"").decode()) for e in log.entries if e.topic == POINTS]
    assert (point.measurement, point.tags) == ("run", {"pipeline": "flights", "state": "failed"})
    assert point.fields == {"seconds": 0.0}
