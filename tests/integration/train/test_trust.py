"""Runs beside what is live, on real Spark and real H2O: refused where labels were inverted for an hour,
waiting for outcomes of its own, called twice at once.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath import keys
from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock, Micros, Segment
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.handoffs import MODELS, RECEIPTS, Receipt, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from tests.integration.train.calls import Calls, contract
from tests.integration.train.sites import Site, site
from train.attempt import attempt

ENDED_S = 240


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@dataclass
class Line:
    """A site whose calls go on, run by run."""

    site: Site
    calls: Calls
    ran: int = 0

    @property
    def now(self) -> Micros:
        return Clock(self.site.folder / "clock.jsonl").now()

    def later(self, hours: float, inverted: bool = False) -> None:
        """So much more has arrived, and time has come to its end."""
        end = self.calls.land(hours, inverted)
        self.ran += 1
        Clock(self.site.folder / "clock.jsonl").append(Segment(self.ran, end, 0))

    def run(self, made: Contract) -> Run:
        """A run under this contract, noted."""
        trainer = self.site.trainer(made)
        run = attempt(trainer)
        trainer.store.record(run)
        return run

    def is_live(self, run: Run) -> None:
        """A scorer says that it answers with the run's model."""
        assert run.bundle is not None
        assert run.sequence is not None
        said = Receipt(self.site.contract.name, "scorer-1", run.sequence, run.bundle, "live", "", self.now)
        self.site.log.send(RECEIPTS, said.to_bytes(), b"calls")


@pytest.fixture
def line(tmp_path: Path, environment: pytest.MonkeyPatch) -> Line:
    """Two hours of calls, the model of them live."""
    calls = Calls(Lake(tmp_path / "cloud" / "lake", "calls"))
    made = Line(site(tmp_path, contract(), lambda _: calls.land(2), environment), calls)
    first = made.run(contract())
    assert first.state == "trained", first.why
    made.is_live(first)
    return made


def test_an_hour_of_inverted_labels_ends_in_a_refusal_with_its_numbers(line: Line) -> None:
    """
    hours   0 ───────── 2 ──── 2.5 ═══ inverted ═══ 3.5 ── 4
    window              ├───────────── train ────────────┤ holdout
    """
    line.later(0.5)
    line.later(1, inverted=True)
    line.later(0.5)
    run = line.run(contract())
    assert (run.state, run.sequence) == ("refused", None)
    reasons = {reason["rule"]: reason for reason in run.reasons}
    assert not reasons["auc"]["holds"]
    assert not reasons["champion"]["holds"]
    assert f"auc is {run.metrics['auc']:.4f}, the gate asks for at least 0.7" in run.why
    assert "against the champion, significantly worse" in run.why
    assert run.metrics["auc"] < 0.5
    assert len(line.site.announced()) == 1, "what is live stays"
    line.later(2)
    assert line.run(contract()).state == "trained", "once the window has forgotten them"


def test_a_challenger_waits_for_outcomes_of_its_own_and_then_goes_live_as_it_is(line: Line) -> None:
    asking = contract(shadow=100)
    line.later(0.5)
    waits = line.run(asking)
    assert (waits.state, waits.sequence) == ("waiting", None)
    assert "0 outcomes in the shadow, the gate asks for at least 100" in waits.why
    line.later(0.1)
    still = line.run(asking)
    assert (still.state, still.bundle) == ("waiting", waits.bundle)
    assert "training" in still.seconds
    line.later(0.5)
    done = line.run(asking)
    assert (done.state, done.bundle) == ("trained", waits.bundle)
    assert [said.bundle for said in line.site.announced()][-1] == waits.bundle
    shadow = next(r for r in done.reasons if r["rule"] == "shadow outcomes")
    assert isinstance(shadow["value"], int)
    assert shadow["value"] >= 100


def test_two_calls_at_once_are_one_run_and_a_third_finds_nothing_due(
    tmp_path: Path, environment: pytest.MonkeyPatch, kafka: str
) -> None:
    made = contract()
    calls = Calls(Lake(tmp_path / "cloud" / "lake", "calls"))
    site(tmp_path, made, lambda _: calls.land(2), environment)
    environment.setenv("HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS", kafka)
    Admin(kafka).ensure(topics([made]), "cloud", 1)
    Deployed(tmp_path / "deployed").put(made)
    keys.make(tmp_path / "cloud/keys/signing.pem", tmp_path / "onprem/keys/verify.pem")
    store = BundleStore(tmp_path / "cloud" / "bundles" / "calls")
    command = [sys.executable, "-m", "hotpath.cli.main", "train", "once", "calls"]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(ENDED_S) for process in both] == [0, 0]
    (run,) = store.runs()
    assert run.state == "trained"
    assert subprocess.run(command, timeout=ENDED_S, check=False).returncode == 0
    assert len(store.runs()) == 1
    said = [e for e in standing(KafkaLog(kafka), MODELS) if (e.key or b"").startswith(b"calls/")]
    assert len(said) == 1
