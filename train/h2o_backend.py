"""Training on an H2O cluster through its own client.

Owns what H2O is told and what is read back; knows nothing of contracts, windows or bundles. The client has
no deadline of its own (it repeats "job is missing" for ever): run this in a process that someone ends.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h2o
import numpy as np
from h2o.estimators import H2OGradientBoostingEstimator
from numpy.typing import NDArray

from hotpath.contract.parts import Kind
from hotpath.errors import BadArtifact
from train.h2o_server import Address
from train.parameters import GBM
from train.quality import accuracy, log_loss
from train.scorecard import Measured

RESPONSE = "row.label"
"""The label's name in the model: dotted, as no feature's name can be."""


@dataclass(frozen=True)
class Tables:
    """Parquet files by use, rows in order; `columns` are H2O's types by feature, in the files' order.

    Training and holdout files end with the label; the golden ones have none. The label is one of the texts
    `classes`, "0" and "1" of a binary target, and a double where `kind` is number.
    """

    kind: Kind
    classes: tuple[str, ...]
    columns: Mapping[str, str]
    train: Sequence[Path]
    holdout: Sequence[Path]
    golden: Sequence[Path]


@dataclass(frozen=True)
class Grown:
    """A model's quality, and the golden rows' predictions in their order.

    A prediction is one double a row, p1 of a binary model; of classes it is (rows, classes), 0.0 for a class
    that no training row had.
    """

    measured: Measured
    golden: NDArray[np.float64]


def grow(address: Address, tables: Tables, parameters: GBM, mojo: Path) -> Grown:
    """Train, measure on the holdout, score the golden rows, save the MOJO at `mojo`."""
    h2o.connect(url=address.url, auth=address.login, verbose=False, strict_version_check=True)
    h2o.no_progress()
    labelled = {**tables.columns, RESPONSE: "real" if tables.kind == "number" else "enum"}
    train, holdout = (_imported(labelled, files) for files in (tables.train, tables.holdout))
    golden = _imported(tables.columns, tables.golden)
    model = H2OGradientBoostingEstimator(**parameters.named())
    model.train(x=list(tables.columns), y=RESPONSE, training_frame=train)
    model.download_mojo(str(mojo))
    grown = Grown(_MEASURED[tables.kind](model, holdout, tables), _predicted(model, golden, tables))
    # The embedded server ends with the run, but another's cluster must not fill up.
    h2o.remove([train, holdout, golden, model])
    return grown


def _imported(columns: Mapping[str, str], files: Sequence[Path]) -> h2o.H2OFrame:
    """An explicit list of files with explicit types: H2O's guesses differ from one file to the next."""
    frame = h2o.import_file(path=[str(f) for f in files], col_types=list(columns.values()))
    if len(frame.names) != len(columns):
        raise BadArtifact("the window's files", frame.names, f"the columns {list(columns)}")
    frame.names = list(columns)
    return frame


def _binary(model: H2OGradientBoostingEstimator, holdout: h2o.H2OFrame, _: Tables) -> Measured:
    found = model.model_performance(holdout)
    ((threshold, f1),) = found.F1()
    ((_, right),) = found.accuracy(thresholds=[threshold])
    quality = {"auc": found.auc(), "f1": f1, "accuracy": right, "log_loss": found.logloss()}
    return Measured("binary", _floats(quality), float(threshold))


def _classes(model: H2OGradientBoostingEstimator, holdout: h2o.H2OFrame, tables: Tables) -> Measured:
    """Of its predictions: H2O measures a model that met two classes as a binary one, by another threshold."""
    told = holdout[RESPONSE]
    places = np.array([tables.classes.index(name) for name in told.levels()[0]])
    # As places in H2O's own list: its CSV does not quote every text well.
    codes = _numbers(told.set_levels([str(n) for n in range(len(places))]), int)
    truth = places[codes[:, 0]]
    chances = _predicted(model, holdout, tables)
    return Measured("classes", {"accuracy": accuracy(truth, chances), "log_loss": log_loss(truth, chances)})


def _number(model: H2OGradientBoostingEstimator, holdout: h2o.H2OFrame, _: Tables) -> Measured:
    found = model.model_performance(holdout)
    return Measured("number", _floats({"rmse": found.rmse(), "mae": found.mae()}))


_MEASURED: Mapping[Kind, Callable[[H2OGradientBoostingEstimator, h2o.H2OFrame, Tables], Measured]] = {
    "binary": _binary,
    "classes": _classes,
    "number": _number,
}


def _predicted(
    model: H2OGradientBoostingEstimator, frame: h2o.H2OFrame, tables: Tables
) -> NDArray[np.float64]:
    """The predictions as `Grown` has them. H2O's columns: of a number its value, else a label and each p."""
    predicted = model.predict(frame)
    if tables.kind == "number":
        return _numbers(predicted)[:, 0]
    chances = _numbers(predicted[1:])
    if tables.kind == "binary":
        return chances[:, 1]
    known = list(model._model_json["output"]["domains"][-1])
    found = np.zeros((len(chances), len(tables.classes)))
    found[:, [tables.classes.index(name) for name in known]] = chances
    return found


def _numbers(frame: h2o.H2OFrame, read: Callable[[str], float] = float.fromhex) -> NDArray[Any]:
    """A frame's cells, (rows, columns); doubles travel in hexadecimal, so that nothing is lost in print."""
    frame = frame.set_names([f"c{n}" for n in range(frame.ncols)])  # a class may be any text, a header not
    raw = h2o.api("GET /3/DownloadDataset", data={"frame_id": frame.frame_id, "hex_string": True})
    return np.array([[read(cell) for cell in row] for row in list(csv.reader(raw.splitlines()))[1:]])


def _floats(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}
