"""Targets of many classes and of numbers, from a lake to a bundle that opens, on real Spark and real H2O."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath import settings
from hotpath.bundle import Bundle
from hotpath.bundle_store import Run
from hotpath.clock import Clock
from hotpath.contract.fitted import Fitted
from serve import engine
from serve.generation import build
from serve.golden import read
from serve.proof import prove
from tests.integration.train.sites import Site, site
from tests.integration.train.trips import ENDINGS, MINUTES, Trips
from train.account import Account
from train.attempt import Attempt, attempt


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def trained(folder: Path, trips: Trips, environment: pytest.MonkeyPatch) -> tuple[Site, Run, Bundle]:
    found = site(folder, trips.contract, trips.land, environment)
    run = attempt(found.trainer())
    assert run.state == "trained", run.why
    (said,) = found.announced()
    return found, run, found.bundle(said)


def prove_on_the_scorer(bundle: Bundle, trips: Trips) -> None:
    """Law 4: the scorer's features and scores are the cluster's on every golden row."""
    engine.start(settings.PROJECT / ".jars" / "genmodel")
    generation = build(bundle, 1, trips.contract.name, engine.load)
    prove(generation, read(bundle.files["golden.parquet"], trips.contract), Clock().elapsed)


def golden(bundle: Bundle) -> pa.Table:
    return pq.read_table(io.BytesIO(bundle.files["golden.parquet"]))


def test_a_target_of_many_classes_is_learned_and_each_class_has_its_score(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    found, run, bundle = trained(tmp_path, ENDINGS, environment)
    assert run.why == f"holdout accuracy {run.metrics['accuracy']:.4f}"
    assert set(run.metrics) == {"accuracy", "log_loss", "brier", "macro_f1", "macro_auc"}
    scores = np.array(golden(bundle)["scores"].to_pylist())
    assert len(scores) >= 1000
    assert scores.shape[1] == 4
    assert scores.sum(axis=1) == pytest.approx(1)
    assert set(scores[:, 3]) == {0.0}, "nobody in the window was lost"
    assert bundle.facts["noticed"] == {
        "entities whose labels disagree": 0,
        "entities whose label came again": 0,
        "files in no manifest": 0,
        "classes without a training row": 1,
    }
    folder = found.trainer().folder
    holdout = pa.concat_tables(map(pq.read_table, folder.files("holdout")))
    given = pq.read_table(folder.predictions)["challenger"].to_pylist()
    classes = ENDINGS.contract.labels.classes
    said = zip(given, holdout["label"].to_pylist(), strict=True)
    right = [classes[int(np.argmax(chances))] == label for chances, label in said]
    assert run.metrics["accuracy"] == pytest.approx(np.mean(right))
    card = json.loads(bundle.files["scorecard.json"])
    assert (card["kind"], card.get("threshold")) == ("classes", None)
    assert sum(card["classes"]["holdout"].values()) == 160
    assert Fitted.from_bytes(bundle.files["fitted.json"]).levels["device.os"] in (
        ("android", "ios"),
        ("android", "other"),
    )
    prove_on_the_scorer(bundle, ENDINGS)
    _refuses_a_class_that_only_the_holdout_has(found)


def _refuses_a_class_that_only_the_holdout_has(found: Site) -> None:
    trainer = found.trainer()
    account = Account.from_bytes(trainer.folder.account.read_bytes())
    lost = {**account.classes["holdout"], "lost": 2}
    window = Account(**{**vars(account), "classes": {**account.classes, "holdout": lost}})
    run = Attempt(trainer, found.now).taught(trainer.folder, window)
    why = "no train rows of class lost, of which 2 of 162 holdout rows are: more than the 1% that is borne"
    assert (run.state, run.why) == ("refused", why)


def test_a_number_is_learned_in_the_targets_unit(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    found, run, bundle = trained(tmp_path, MINUTES, environment)
    assert run.why == f"holdout rmse {run.metrics['rmse']:.4f}"
    assert run.metrics["mae"] < run.metrics["rmse"] < 20
    rows = golden(bundle)
    km, score = (rows[name].to_numpy() for name in ("feature.km", "score"))
    assert np.corrcoef(km, score)[0, 1] > 0.9
    account = Account.from_bytes(found.trainer().folder.account.read_bytes())
    least, mean, greatest = account.spread["holdout"]
    assert -30 < least < mean < greatest < 230
    prove_on_the_scorer(bundle, MINUTES)
    assert "auc" not in json.loads(bundle.files["scorecard.json"])["metrics"]
