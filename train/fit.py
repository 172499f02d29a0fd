"""Root of the child process that grows one model on H2O: `python -m train.fit FOLDER`.

Reads the contract and the window's Parquet files in the run's folder, leaves model, quality and the golden
rows with the cluster's scores. A process of its own, for H2O's client has no deadline: its parent ends it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath import settings
from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.contract.parts import Feature, Kind
from hotpath.contract.types import Type
from hotpath.errors import HotpathError
from train.folder import Folder
from train.h2o_backend import Grown, Tables, grow
from train.h2o_server import Address, server
from train.parameters import FIXED

THREADS = 2


def main(argv: Sequence[str]) -> int:
    """Train on the window in the folder that `argv` names."""
    folder = Folder(Path(argv[0]).resolve())
    try:
        fit(folder, settings.load().h2o)
    except HotpathError as error:
        logging.error("%s", error)
        return 1
    return 0


def fit(folder: Folder, h2o: settings.H2O) -> None:
    """The model of one window, in the window's folder."""
    contract = Contract.from_json(folder.contract.read_bytes())
    golden = pa.concat_tables(pq.read_table(path) for path in folder.files("golden"))
    # Only the model's columns: H2O would have to be told the type of every other one too.
    asked = folder.path / "asked.parquet"
    pq.write_table(golden.select([f"feature.{f.name}" for f in contract.features]), asked)
    columns = {f.name: _kind(f) for f in contract.features}
    labels = contract.labels
    train, holdout = folder.files("train"), folder.files("holdout")
    tables = Tables(labels.kind, labels.classes, columns, train, holdout, [asked])
    with _cluster(h2o, folder.path / "h2o") as address:
        grown = grow(address, tables, FIXED, folder.mojo)
    pq.write_table(golden.append_column(*_scores(labels.kind, grown)), folder.scored)
    folder.measured.write_text(json.dumps(asdict(grown.measured)))


def _scores(kind: Kind, grown: Grown) -> tuple[str, pa.Array]:
    """`score`, a double a row; of classes `scores`, a row's doubles in the order of Labels.classes."""
    if kind == "classes":
        return "scores", pa.array(grown.golden.tolist(), pa.list_(pa.float64()))
    return "score", pa.array(grown.golden, pa.float64())


def _cluster(h2o: settings.H2O, folder: Path) -> AbstractContextManager[Address]:
    """The operator's cluster, or one of this run's own."""
    if h2o.url:
        return nullcontext(Address(h2o.url))
    return server(folder, h2o.port, h2o.memory, THREADS, Clock())


def _kind(feature: Feature) -> str:
    return "enum" if feature.type == Type.CATEGORY else "real"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
