"""A whole run on real Spark and real H2O, from a lake to an announcement."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath import keys, settings
from hotpath.bundle import Bundle
from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Micros
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.contract.parts import Gate, Rule
from hotpath.contract.types import Type
from hotpath.errors import Unavailable
from hotpath.handoffs import HOSTS, HostClock, topics
from hotpath.kafka import MemoryLog, Tail
from hotpath.kafka_admin import Admin
from hotpath.progress import read
from serve import engine
from serve.generation import CATEGORY, NUMBER, Target
from tests.conftest import until
from tests.integration.train.lakes import Flights
from tests.integration.train.sites import Site, site
from train.account import Account
from train.attempt import Attempt, attempt
from train.parameters import DEFAULT
from train.runs import tally

CONTRACT = load(settings.PROJECT / "config" / "pipelines" / "flights.yaml")
START: Micros = 1_780_000_000_000_000


class Deaf(MemoryLog):
    """A log whose hosts' topic cannot be read."""

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        if HOSTS in topics:
            raise Unavailable(HOSTS, "away", "its end")
        return super().tail(topics, newest, since)


def flights(folder: Path, number: int, environment: pytest.MonkeyPatch) -> Site:
    """A site with so many flights in its lake."""
    made = Flights(CONTRACT, START, random.Random(5))
    return site(folder, CONTRACT, lambda lake: made.land(lake, number, spacing=900_000_000), environment)


def running(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    lines = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch) -> tuple[Site, Run]:
    found = flights(tmp_path_factory.mktemp("site"), 1500, environment)
    return found, attempt(found.trainer())


def test_a_run_announces_a_bundle_that_opens_with_the_verify_key(trained: tuple[Site, Run]) -> None:
    found, run = trained
    assert (run.state, run.why) == ("trained", f"holdout auc {run.auc:.4f}")
    (said,) = found.announced()
    assert (said.bundle, said.sequence, said.announced_at) == (run.bundle, 1, found.now)
    facts = found.bundle(said).facts
    assert facts["window"] == {"from": found.now - CONTRACT.train.window, "to": found.now}
    assert facts["batches"] == [0, 1, 2, 3]
    assert facts["trained_at"] == found.now
    assert run.auc is not None
    assert run.auc > 0.6


def test_the_mojo_scores_the_golden_rows_as_the_cluster_did(trained: tuple[Site, Run]) -> None:
    found, _ = trained
    (said,) = found.announced()
    files = found.bundle(said).files
    golden = _golden(found.bundle(said))
    kinds = {f.name: CATEGORY if f.type == Type.CATEGORY else NUMBER for f in CONTRACT.features}
    engine.start(settings.PROJECT / ".jars" / "genmodel")
    model = engine.load(files["model.zip"], kinds, Target("binary", CONTRACT.labels.classes))
    vectors = zip(*(golden[f"feature.{name}"].to_pylist() for name in kinds), strict=True)
    assert golden.num_rows >= 1000
    assert [model(v).score for v in vectors] == golden["score"].to_pylist()


def test_the_progress_names_the_last_stage_and_the_tally_what_came_of_it(trained: tuple[Site, Run]) -> None:
    found, run = trained
    assert read(found.folder / "state.json")["state"] == "publishing"
    refused = Run("refused", "", 0, {}, {"auc": 0.5})
    assert tally([run, refused, Run("failed", "", 0, {})]) == {
        "trained": 2,
        "announced": 1,
        "refused": 1,
        "waiting": 0,
        "failed": 1,
        "holdout_auc": 0.5,
    }


def test_a_model_below_the_gate_is_refused_and_the_live_one_kept(trained: tuple[Site, Run]) -> None:
    found, _ = trained
    strict = found.trainer(replace(CONTRACT, gate=Gate((Rule("auc", 0.99, ">="),))))
    account = Account.from_bytes(strict.folder.account.read_bytes())
    run = Attempt(strict, found.now).judged(strict.folder, account, DEFAULT)
    assert (run.state, run.sequence) == ("refused", None)
    assert run.why == f"auc is {run.metrics['auc']:.4f}, the gate asks for at least 0.99"
    assert {r["rule"]: r["holds"] for r in run.reasons} == {
        "auc": False,
        "timestamp quality": True,
        "champion": True,
        "constant": True,
        "fallback": True,
    }
    assert len(found.announced()) == 1
    assert run.bundle in strict.store.kept(), "an operator may force it"


def test_nothing_of_a_run_is_left_running(trained: tuple[Site, Run]) -> None:
    assert running(trained[0].folder) == []


def test_the_trainer_ends_within_five_seconds_and_takes_spark_with_it(
    tmp_path: Path, environment: pytest.MonkeyPatch, kafka: str
) -> None:
    found = flights(tmp_path, 5, environment)
    environment.setenv("HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS", kafka)
    Admin(kafka).ensure(topics([CONTRACT]), "cloud", 1)
    keys.make(tmp_path / "cloud/keys/signing.pem", tmp_path / "onprem/keys/verify.pem")
    job = subprocess.Popen([sys.executable, "-m", "train.job", CONTRACT.name], stderr=subprocess.DEVNULL)
    try:
        until(lambda: any("org.apache.spark" in line for line in running(found.folder)), "Spark runs")
        assert read(found.folder / "state" / f"train-{CONTRACT.name}.json")["state"] == "window"
        job.terminate()
        assert job.wait(5) == 0
    finally:
        job.kill()
        job.wait()
    assert running(found.folder) == []


def test_a_window_of_one_class_is_refused_and_the_live_model_kept(trained: tuple[Site, Run]) -> None:
    found, _ = trained
    trainer = found.trainer()
    account = Account.from_bytes(trainer.folder.account.read_bytes())
    one_class = replace(account, classes={**account.classes, "train": {"0": 80}})
    run = Attempt(trainer, found.now).taught(trainer.folder, one_class)
    assert run.state == "refused"
    assert "only one class in the train rows" in run.why
    assert len(found.announced()) == 1


def test_a_run_that_breaks_is_a_failed_run_with_its_reason(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    found = flights(tmp_path, 5, environment)
    (tmp_path / "cloud" / "lake" / CONTRACT.name / "manifest" / "9.json").write_text("{")
    run = attempt(found.trainer())
    assert run.state == "failed"
    assert "a manifest" in run.why


def test_a_run_that_cannot_read_the_host_clocks_learns_nothing(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    found = flights(tmp_path, 5, environment)
    run = attempt(replace(found.trainer(), log=Deaf()))
    assert run.state == "failed"
    assert HOSTS in run.why
    assert found.announced() == []


def test_a_run_says_what_it_left_out_and_for_which_hosts(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    found = flights(tmp_path, 5, environment)
    bad = HostClock(CONTRACT.name, "station-1", 1, "ahead", -7, 0, 1, 4, [[START, None, -7]], 0)
    found.log.send(HOSTS, bad.to_bytes(), f"{CONTRACT.name}/station-1".encode())
    run = attempt(found.trainer())
    assert run.state == "refused"
    assert run.left_out["host's clock was wrong"] == 4
    account = Account.from_bytes(found.trainer().folder.account.read_bytes())
    assert account.clocks.intervals == bad.bad()
    store = BundleStore(found.folder / "store")
    store.record(run)
    assert store.runs() == (run,)


def test_a_run_that_was_kept_by_an_older_trainer_still_reads(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "1.json").write_text(
        '{"state": "failed", "why": "", "began_at": 1, "seconds": {},'
        ' "auc": null, "bundle": null, "sequence": null}'
    )
    (tmp_path / "runs" / "2.json").write_text(
        '{"state": "trained", "why": "", "began_at": 2, "seconds": {},'
        ' "auc": 0.7, "bundle": "b", "sequence": 1, "left_out": {}}'
    )
    failed, trained = BundleStore(tmp_path).runs()
    assert (failed.metrics, failed.left_out, failed.fingerprint) == ({}, {}, None)
    assert (trained.metrics, trained.auc) == ({"auc": 0.7}, 0.7)


def test_changing_a_feature_needs_no_new_landing(
    trained: tuple[Site, Run], environment: pytest.MonkeyPatch
) -> None:
    """The same site, its lake untouched: the run after the change has the new feature for all its rows."""
    found, before = trained
    environment.setenv("HOTPATH__DATA", str(found.folder))
    plain = json.loads(CONTRACT.canonical())
    plain["features"]["long_haul"] = "distance > 500"
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    changed = Contract.from_json(text.encode())
    trainer, landed = found.trainer(changed), found.landed()
    assert trainer.due(before)
    run = attempt(trainer)
    assert (run.state, run.fingerprint) == ("trained", changed.fingerprint)
    assert not trainer.due(run)
    older, newer = (found.bundle(said) for said in found.announced())
    assert newer.facts["fingerprint"] == changed.fingerprint
    assert newer.facts["batches"] == older.facts["batches"]
    golden = _golden(newer)
    far = [float(distance > 500) for distance in golden["event.distance"].to_pylist()]
    assert golden["feature.long_haul"].to_pylist() == far
    assert newer.facts["files"] == older.facts["files"]
    assert found.landed() == landed


def _golden(bundle: Bundle) -> pa.Table:
    return pq.read_table(io.BytesIO(bundle.files["golden.parquet"]))
