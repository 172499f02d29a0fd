"""Training on an H2O cluster through its own client.

Owns what H2O is told and what is read back; knows nothing of contracts, windows or bundles. The client has
no deadline of its own (it repeats "job is missing" for ever): run this in a process that someone ends.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h2o
from h2o.estimators import H2OGradientBoostingEstimator

from hotpath.errors import BadArtifact
from train.h2o_server import Address
from train.parameters import GBM
from train.scorecard import Measured

RESPONSE = "row.label"
"""The label's name in the model: dotted, as no feature's name can be."""
POSITIVE = "p1"
"""The column of predictions that belongs to the label "1"."""


@dataclass(frozen=True)
class Tables:
    """Parquet files by use, rows in order; `columns` are H2O's types by feature, in the files' order.

    Training and holdout files end with the label, "0" or "1"; the golden ones have none.
    """

    columns: Mapping[str, str]
    train: Sequence[Path]
    holdout: Sequence[Path]
    golden: Sequence[Path]


@dataclass(frozen=True)
class Fitted:
    """A model's quality, and the golden rows' scores in their order."""

    measured: Measured
    golden: tuple[float, ...]


def fit(address: Address, tables: Tables, parameters: GBM, mojo: Path) -> Fitted:
    """Train, measure on the holdout, score the golden rows, save the MOJO at `mojo`."""
    h2o.connect(url=address.url, auth=address.login, verbose=False, strict_version_check=True)
    h2o.no_progress()
    labelled = {**tables.columns, RESPONSE: "enum"}
    train, holdout = (_imported(labelled, files) for files in (tables.train, tables.holdout))
    golden = _imported(tables.columns, tables.golden)
    model = H2OGradientBoostingEstimator(**parameters.named())
    model.train(x=list(tables.columns), y=RESPONSE, training_frame=train)
    model.download_mojo(str(mojo))
    fitted = Fitted(_measured(model.model_performance(holdout)), _scores(model, golden))
    # The embedded server ends with the run, but another's cluster must not fill up.
    h2o.remove([train, holdout, golden, model])
    return fitted


def _imported(columns: Mapping[str, str], files: Sequence[Path]) -> h2o.H2OFrame:
    """An explicit list of files with explicit types: H2O's guesses differ from one file to the next."""
    frame = h2o.import_file(path=[str(f) for f in files], col_types=list(columns.values()))
    if len(frame.names) != len(columns):
        raise BadArtifact("the window's files", frame.names, f"the columns {list(columns)}")
    frame.names = list(columns)
    return frame


def _measured(found: h2o.model.metrics.binomial.H2OBinomialModelMetrics) -> Measured:
    ((threshold, f1),) = found.F1()
    ((_, accuracy),) = found.accuracy(thresholds=[threshold])
    return Measured(
        auc=float(found.auc()), f1=float(f1), accuracy=float(accuracy), threshold=float(threshold)
    )


def _scores(model: H2OGradientBoostingEstimator, golden: h2o.H2OFrame) -> tuple[float, ...]:
    """p1 of each row, in order, as hexadecimal doubles: nothing is lost in print."""
    predicted = model.predict(golden)
    raw = h2o.api("GET /3/DownloadDataset", data={"frame_id": predicted.frame_id, "hex_string": True})
    return tuple(float.fromhex(row[POSITIVE]) for row in csv.DictReader(raw.splitlines()))
