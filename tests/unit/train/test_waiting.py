"""Whose outcomes a run waits for, when that ends, and what an outer scheduler is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hotpath import keys, settings
from hotpath.bundle import CONTENT, seal
from hotpath.bundle_store import BundleStore, Forced, Run, State
from hotpath.clock import HOUR, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import RECEIPTS, Receipt
from hotpath.kafka import MemoryLog
from hotpath.progress import Progress
from tests.integration.train.calls import contract
from tests.unit.train.accounts import of_classes
from train import job, stages
from train.attempt import Attempt, Trainer
from train.folder import Folder
from train.measured import CHAMPION, WAITING, Shadow

ASKED = contract(shadow=100)
OTHER = contract(shadow=200)
ACCOUNT = of_classes({"0": 80, "1": 80}, {"0": 80, "1": 80}, kind="binary")
AT: Micros = 1_780_000_000_000_000


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    keys.make(tmp_path / "signing.pem", tmp_path / "verify.pem")
    return Trainer(
        contract=ASKED,
        folder=Folder(tmp_path / "run"),
        store=BundleStore(tmp_path / "store"),
        log=MemoryLog(),
        signing=tmp_path / "signing.pem",
        verifying=tmp_path / "verify.pem",
        clock=Clock(),
        progress=Progress(tmp_path / "state.json"),
        clock_limit=1,
        limits=settings.load().train,
    )


def sealed(trainer: Trainer, named: str) -> str:
    """A kept bundle without a model."""
    files = {**dict.fromkeys(CONTENT, b"{}"), "contract.json": trainer.contract.canonical()}
    found = seal(files, {"pipeline": named, "fingerprint": trainer.contract.fingerprint}, trainer.key)
    trainer.store.keep(found)
    return found.id


def waits(trainer: Trainer) -> Run:
    """A challenger that waits since AT, noted."""
    run = Run(
        "waiting",
        "0 outcomes",
        AT,
        {},
        bundle=sealed(trainer, "calls"),
        fingerprint=trainer.contract.fingerprint,
    )
    trainer.store.record(run)
    return run


def waited_for(trainer: Trainer, asked: Contract = ASKED) -> Run | None:
    found = replace(trainer, contract=asked)
    attempt = Attempt(found, began_at=AT)
    folder = found.folder.begun(asked.canonical())
    attempt._champion(folder)
    return attempt._waiting(folder)


def live(trainer: Trainer, bundle: str, sequence: int) -> None:
    said = Receipt("calls", "host", sequence, bundle, "live", "", AT)
    trainer.log.send(RECEIPTS, said.to_bytes())


def test_a_challenger_waits_under_its_own_contract_alone(trainer: Trainer) -> None:
    run = waits(trainer)
    assert waited_for(trainer) == run
    assert waited_for(trainer, OTHER) is None


def test_one_that_an_operator_made_public_waits_no_more(trainer: Trainer) -> None:
    run = waits(trainer)
    trainer.store.note_forced(Forced(str(run.bundle), 3, "ops", "now", AT))
    assert waited_for(trainer) is None


def test_nor_does_one_that_is_live(trainer: Trainer) -> None:
    run = waits(trainer)
    live(trainer, str(run.bundle), 3)
    assert waited_for(trainer) is None


@pytest.mark.parametrize(("hours", "state"), [(1, "waiting"), (3, "refused")])
def test_it_waits_for_no_longer_than_a_window(trainer: Trainer, hours: int, state: State) -> None:
    run = waits(trainer)

    class Weighed(Attempt):
        def _grow(self, folder: Folder, *what: str) -> None:
            assert what == ("shadow", str(AT))
            folder.shadow.write_bytes(Shadow(7).to_bytes())

    attempt = Weighed(trainer, began_at=AT + hours * HOUR)
    folder = trainer.folder.begun(ASKED.canonical())
    found = attempt.taught(folder, ACCOUNT, attempt._waiting(folder))
    assert (found.state, found.bundle) == (state, run.bundle)


def test_a_gates_word_does_not_hold_for_what_went_live_meanwhile(trainer: Trainer) -> None:
    first, second = sealed(trainer, "first"), sealed(trainer, "second")
    live(trainer, first, 1)
    attempt = Attempt(trainer, began_at=AT)
    attempt._champion(trainer.folder.begun(ASKED.canonical()))
    assert attempt._overtaken() == ""
    live(trainer, second, 2)
    assert first in attempt._overtaken()
    assert second in attempt._overtaken()


def test_a_champion_whose_bytes_are_gone_is_told_to_the_gate(trainer: Trainer) -> None:
    live(trainer, "0" * 64, 1)
    attempt = Attempt(trainer, began_at=AT)
    attempt._champion(trainer.folder.begun(ASKED.canonical()))
    assert "0" * 64 in attempt._unasked[CHAMPION]
    assert WAITING not in attempt._unasked


@pytest.mark.parametrize(
    ("state", "code", "again"),
    [("trained", 0, False), ("refused", 3, False), ("waiting", 3, False), ("failed", 1, True)],
)
def test_an_outer_scheduler_is_told_the_same_until_a_run_is_due_and_a_failed_one_is(
    trainer: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State, code: int, again: bool
) -> None:
    calls: list[Micros] = []

    def ran(now: Trainer) -> Run:
        calls.append(now.clock.now())
        run = Run(state, "", now.clock.now(), {}, fingerprint=now.contract.fingerprint)
        now.store.record(run)
        return run

    monkeypatch.setattr(job, "ran", ran)
    codes = [job.once(trainer, lambda: ASKED, tmp_path / "turn") for _ in range(2)]
    assert codes == [code, code]
    assert len(calls) == (2 if again else 1)


def test_a_stage_that_fails_says_what_it_took(tmp_path: Path) -> None:
    ticks = iter((3.0, 10.0))

    class Ticking(Clock):
        def elapsed(self) -> float:
            return next(ticks)

    say = stages.Stages(tmp_path / "stages.json", Ticking())
    with pytest.raises(Unavailable), say.stage("grow"):
        raise Unavailable("H2O", "gone", "an answer")
    assert stages.read(tmp_path / "stages.json").spent["grow"].seconds == 7.0


def test_a_signing_key_that_is_not_there_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    for name in ("deployed", "onprem/keys"):
        (tmp_path / name).mkdir(parents=True)
    Deployed(tmp_path / "deployed").put(ASKED)
    keys.make(tmp_path / "signing.pem", tmp_path / "onprem/keys/verify.pem")
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path))
    assert job.main(["calls", "--once"]) == job.SETTINGS
    assert "signing.pem" in caplog.text
