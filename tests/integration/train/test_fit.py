"""One model on the real H2O, by every algorithm for every kind of target.

What the cluster says of rows with nulls, unseen levels and extremes, the scorer's engine says too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath import settings
from hotpath.clock import Clock
from hotpath.contract.parts import Kind
from hotpath.local.ports import free_port
from serve import engine
from serve import generation as served
from tests.integration.train.made import CLASSES, FEATURES, vectors, window
from train import fit
from train.folder import Folder
from train.h2o_backend import Target, columns, connected, drop, foreign, grow, imported, met, predicted
from train.h2o_server import server
from train.handed import asked, handed, read
from train.measured import Measured
from train.parameters import BY_NAME, TABLE, Chosen

KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.fixture(scope="module")
def h2o() -> settings.H2O:
    return settings.H2O(port=free_port(), memory="1g", deadline_s=60)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, h2o: settings.H2O) -> Iterator[None]:
    """One server, XGBoost with it."""
    place = tmp_path_factory.mktemp("h2o") / "server"
    with server(place, h2o.port, h2o.memory, 2, Clock(), xgboost=True) as address, connected(address, 60):
        yield


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Folder]:
    place = tmp_path_factory.mktemp("windows")
    return {kind: window(place / kind, kind, weights=(0.5, 1.5)) for kind in KINDS}


def few(algorithm: str) -> Chosen:
    """The table's defaults; of trees no more than a test needs."""
    return Chosen(algorithm, {"ntrees": 10} if "ntrees" in BY_NAME[algorithm].names else {})


def loaded(mojo: Path, kind: Kind) -> engine.Mojo:
    kinds = {n: served.CATEGORY if t == "enum" else served.NUMBER for n, t in FEATURES.items()}
    engine.start(engine.JARS)
    return engine.load(mojo.read_bytes(), kinds, served.Target(kind, CLASSES[kind]))


def engines(mojo: Path, kind: Kind, rows: pa.Table) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    model = loaded(mojo, kind)
    said = [model(vector) for vector in vectors(rows)]
    return np.array([one.scores if kind == "classes" else one.score for one in said])


def same(one: object, other: object) -> None:
    """To fifteen digits; an estimate that is beyond every double is so in both."""
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", [a.name for a in TABLE])
def test_engine_cluster_and_another_run_that_asks_its_mojo_agree(
    algorithm: str, kind: Kind, windows: dict[Kind, Folder], tmp_path: Path
) -> None:
    folder, mojo, target = windows[kind], tmp_path / "model.zip", Target(kind, CLASSES[kind])
    files, rows = folder.files("train"), read(folder.files("holdout"))
    train = imported(columns(files, FEATURES, kind), files)
    frame = imported(FEATURES, handed(asked(rows, list(FEATURES)), tmp_path / "asked"))
    model = grow(few(algorithm), train, list(FEATURES), weighted=True)
    model.download_mojo(str(mojo))
    said = predicted(model, frame, target)
    assert len(np.unique(said, axis=0)) > 20
    same(engines(mojo, kind, rows), said)
    rival = foreign(mojo)
    told = imported(FEATURES, handed(asked(rows, list(FEATURES), met(rival)), tmp_path / "told"))
    same(predicted(rival, told, target), said)
    drop(train, frame, told, model, rival)


def test_a_window_gets_a_model_its_golden_scores_and_its_figures_beside_those_of_rivals(
    h2o: settings.H2O, tmp_path: Path
) -> None:
    folder = window(tmp_path / "run", "classes")
    fit.fit(folder, h2o)
    rows, first = read(folder.files("holdout")), pq.read_table(folder.predictions)
    assert first.column_names == ["challenger"]
    same(engines(folder.mojo, "classes", rows), first["challenger"].to_pylist())
    scored = pq.read_table(folder.scored)
    assert scored["event.id"].to_pylist() == [f"e{n}" for n in range(500)]
    same(scored["scores"].to_pylist(), first["challenger"].to_pylist()[::-1])
    # The next run of the same window is by a linear model, and has the first one's as its champion.
    (place := folder.rival("champion")).mkdir(parents=True)
    folder.mojo.rename(place / "model.zip")
    (place / "contract.json").write_bytes(folder.contract.read_bytes())
    folder.part("holdout").rename(folder.part("holdout", "champion"))
    (folder.part("holdout")).symlink_to(folder.part("holdout", "champion"))
    folder.chosen.write_bytes(Chosen("glm", {"alpha": 0.1}).to_bytes())
    fit.fit(folder, h2o)
    found = pq.read_table(folder.predictions)
    assert found["champion"] == first["challenger"]
    assert found["challenger"] != first["challenger"]
    measured = Measured.from_bytes(folder.measured.read_bytes())
    assert measured.champion is not None
    assert measured.champion.metrics["accuracy"] > 0.4
    assert set(measured.baselines) == {"constant"}
    assert folder.scorecard.exists()
    assert folder.plots.exists()
