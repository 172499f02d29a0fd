"""Bundles about many classes and about a number: through the real sandbox, the folder and the engine."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotpath.bundle import Sealed, seal
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.handoffs import Score, scores_topic
from serve import engine
from serve.folder import BundleFolder, Pointer
from serve.metrics import Metrics
from serve.scorer import Scorer
from serve.warm import loader
from tests.integration.serve import bundles
from tests.integration.serve.bundles import DATA, START
from tests.integration.serve.conftest import Host
from tests.unit.serve.generations import THINGS

_FIELDS = "    size: {type: double, nullable: true}\n    kind: {type: category, nullable: true}\n"
_FEATURES = "  minutes: minutes_between(event_time, due_at)\n  size: size\n  kind: kind\n"
_XYC = _FIELDS.replace("size", "x") + "    y: {type: double, nullable: true}\n"
TARGETS = {
    "gbm_ways": ("{type: category, levels: [air, rail, road, sea]}", '{accuracy: ">= 0.5"}'),
    "gbm_cost": ("{type: double, unit: EUR}", '{rmse: "<= 90"}'),
}


def contract(name: str) -> Contract:
    """Things whose features are the columns of a small model of tests/data."""
    truth, gate = TARGETS[name]
    text = THINGS.replace(_FIELDS, _XYC.replace("kind", "c")).replace(_FEATURES, "  x: x\n  y: y\n  c: c\n")
    text = text.replace("late: {type: bool}", f"late: {truth}").replace('{auc: ">= 0.60"}', gate)
    return Contract.from_yaml(text, "things.yaml")


def golden(name: str) -> bytes:
    """What H2O said of its rows, as the trainer writes it."""
    data = np.load(DATA / f"{name}.npz")
    number = len(data["c"])
    x, y = ([None if np.isnan(v) else v for v in data[n].tolist()] for n in ("x", "y"))
    c = [v or None for v in data["c"].tolist()]
    columns: dict[str, Any] = {f"event.{f.name}": [None] * number for f in contract(name).events.fields}
    columns |= {f"{of}.{n}": v for of in ("event", "feature") for n, v in (("x", x), ("y", y), ("c", c))}
    if name == "gbm_cost":
        columns["score"] = data["expected"][:, 0].tolist()
    else:  # no training row was of the class road
        columns["scores"] = [[air, rail, 0.0, sea] for air, rail, sea in data["expected"].tolist()]
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def sealed(name: str, host: Host, rows: bytes, of: Contract | None = None) -> Sealed:
    made = of or contract(name)
    content = {
        "contract.json": made.canonical(),
        "fitted.json": Fitted().to_bytes(),
        "model.zip": (DATA / f"{name}.zip").read_bytes(),
        "scorecard.json": json.dumps({"kind": made.labels.kind}).encode(),
        "golden.parquet": rows,
        "card.html": b"<p>A model.</p>",
    }
    return seal(
        content, {"pipeline": made.name, "trained_at": START, "fingerprint": made.fingerprint}, host.key
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_bundle_of_its_kind_goes_live_and_answers(host: Host, name: str) -> None:
    bundle = sealed(name, host, golden(name))
    bundles.send(host.log, bundle, 1, host.key)
    host.follow()
    assert host.follower.live() == {"things": 1}, host.receipts()
    engine.start(engine.JARS)
    folder = BundleFolder(host.follower.root / "things")
    generation = loader(host.follower.key, engine.load)(folder, Pointer(1, bundle.id, START))
    row = {"thing_id": "BYTES", "due_at": "BYTES", "x": "FP64", "y": "FP64", "c": "BYTES"}
    values = {"thing_id": "t1", "due_at": "2026-11-18T13:26:40Z", "x": 0.5, "y": 0.25, "c": "b"}
    inputs = [{"name": n, "datatype": d, "shape": [1], "data": [values[n]]} for n, d in row.items()]
    answered: Any = Scorer("s", host.follower.clock, host.log, Metrics()).infer(
        generation, {"inputs": inputs}, START
    )
    found = {o["name"]: o["data"][0] for o in answered["outputs"]}
    assert found["decision"] == "accept"
    (said,) = (Score.from_bytes(e.value) for e in host.log.entries if e.topic == scores_topic("things"))
    assert (said.score, said.predicted) == (found["score"], found.get("class"))
    assert len(said.scores) == len(contract(name).labels.classes)
    assert said.threshold is None


@pytest.mark.parametrize(
    ("name", "other"), [("gbm_ways", "gbm_cost"), ("gbm_cost", "gbm_ways")], ids=["classes", "number"]
)
def test_golden_rows_of_another_kind_are_refused(host: Host, name: str, other: str) -> None:
    bundles.send(host.log, sealed(name, host, golden(other)), 1, host.key)
    host.follow()
    assert "golden.parquet's columns" in host.receipts()[-1].why
