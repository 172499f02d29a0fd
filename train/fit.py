"""Root of the child process that grows one model on H2O: `python -m train.fit FOLDER [shadow SINCE]`.

Reads the contract and the window's Parquet files in the run's folder. Leaves the model, the golden rows with
the cluster's scores, and what the model and those it is held against say of the holdout; then, H2O ended and
its memory free, how good they are. With `shadow` nothing is grown: the waiting challenger and the champion
are asked of the rows that arrived after SINCE (µs). A process of its own, for H2O's client has no deadline
over all that it does: its parent ends it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath import settings
from hotpath.clock import Clock, Micros
from hotpath.contract.model import Contract
from hotpath.errors import HotpathError
from train.account import Account
from train.folder import Folder
from train.h2o_backend import Target, columns, connected, drop, foreign, grow, imported, met, predicted
from train.h2o_server import cluster
from train.handed import FEATURE, answers, asked, handed, read, types, weighted
from train.measured import CHALLENGER
from train.parameters import DEFAULT, Chosen
from train.stages import Stages

if TYPE_CHECKING:
    from train.holdout import Given

LONG = 300_000
"""Training rows from which H2O's own code is worth being optimised."""


def main(argv: Sequence[str]) -> int:
    """Grow and measure a model, or measure a waiting one, in the folder that `argv` names."""
    folder = Folder(Path(argv[0]).resolve())
    Thread(target=import_module, args=("train.quality_files",), daemon=True).start()
    try:
        h2o = settings.load().h2o
        if argv[1:2] == ["shadow"]:
            shadow(folder, h2o, int(argv[2]))
        else:
            fit(folder, h2o)
    except HotpathError as error:
        logging.error("%s", error)
        return 1
    return 0


def fit(folder: Folder, h2o: settings.H2O) -> None:
    """The model of one window and how good it is, in the window's folder."""
    run = Fitting.of(folder)
    with run.cluster(h2o):
        model = run.grown()
        golden = run.scored(model)
        given = {CHALLENGER: run.holdout(model, run.contract)}
        drop(model)
        given |= run.rivals()
        run.forget()
    pq.write_table(golden, folder.scored)
    from train import quality_files  # loaded by now: scikit-learn and matplotlib take seconds

    with run.stages.stage("measure"):
        quality_files.write(folder, run.contract, run.kept(given))


def shadow(folder: Folder, h2o: settings.H2O, since: Micros) -> None:
    """What a waiting challenger is worth beside the champion, on rows that arrived after `since`."""
    run = Fitting.of(folder)
    with run.cluster(h2o):
        given = run.rivals()
        run.forget()
    from train import quality_files

    with run.stages.stage("measure"):
        quality_files.write_shadow(folder, run.contract, run.kept(given), since)


@dataclass(frozen=True)
class Fitting:
    """One window under its contract, and how its model is to be grown.

    `asked`: the rows that models were asked of last, and H2O's frame of them.
    """

    folder: Folder
    contract: Contract
    chosen: Chosen
    stages: Stages
    asked: list[tuple[pa.Table, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Folder) -> Fitting:
        """What the trainer and the window's builder have put there. Raises BadArtifact."""
        contract = Contract.from_json(folder.contract.read_bytes())
        chosen = Chosen.from_bytes(folder.chosen.read_bytes()) if folder.chosen.exists() else DEFAULT
        return cls(folder, contract, chosen, Stages(folder.stages, Clock()))

    @contextmanager
    def cluster(self, h2o: settings.H2O) -> Iterator[None]:
        """H2O for as long as the block."""
        xgboost = self.chosen.algorithm == "xgboost"
        account = Account.from_bytes(self.folder.account.read_bytes())
        long = account.rows["train"] > LONG
        with ExitStack() as stack:
            with self.stages.stage("start H2O"):
                address = stack.enter_context(cluster(h2o, self.folder.path / "h2o", Clock(), xgboost, long))
                stack.enter_context(connected(address, h2o.deadline_s))
            yield

    def grown(self) -> Any:
        """The model of every training row, its MOJO saved."""
        features, kind = types(self.contract.features), self.contract.labels.kind
        files = self.folder.files("train")
        with self.stages.stage("import") as spent:
            train = imported(columns(files, features, kind), files)
            spent.rows, spent.bytes = train.nrows, sum(path.stat().st_size for path in files)
        with self.stages.stage("grow") as spent:
            model = grow(self.chosen, train, list(features), weighted(files))
            spent.rows = train.nrows
        with self.stages.stage("save") as spent:
            model.download_mojo(str(self.folder.mojo))
            spent.bytes = self.folder.mojo.stat().st_size
        drop(train)
        return model

    def scored(self, model: Any) -> pa.Table:
        """The golden rows with what the cluster says of them: `score`, or of classes `scores`."""
        kind = self.contract.labels.kind
        golden = read(self.folder.files("golden"))
        with self.stages.stage("golden") as spent:
            spent.rows = golden.num_rows
            given = self._said(model, golden, self.contract, "golden")
        return golden.append_column("scores" if kind == "classes" else "score", answers(given, kind))

    def holdout(self, model: Any, contract: Contract, rival: str = "") -> Given:
        """What a model says of the holdout, whose features are its own contract's."""
        names = [f"{FEATURE}{f.name}" for f in contract.features]
        rows = read(self.folder.files("holdout", rival), names)
        with self.stages.stage("predict") as spent:
            spent.rows = (spent.rows or 0) + rows.num_rows
            return self._said(model, rows, contract, rival or CHALLENGER)

    def rivals(self) -> dict[str, Given]:
        """What those say that the new model is held against, where they can be asked of this window."""
        found = {}
        for name in self.folder.rivals:
            if self.folder.part("holdout", name).is_dir():
                place = self.folder.rival(name)
                model = foreign(place / "model.zip")
                contract = Contract.from_json((place / "contract.json").read_bytes())
                found[name] = self.holdout(model, contract, name)
                drop(model)
        return found

    def kept(self, given: Mapping[str, Given]) -> Mapping[str, Given]:
        """The same, put into the folder."""
        kind = self.contract.labels.kind
        pq.write_table(
            pa.table({name: answers(one, kind) for name, one in given.items()}), self.folder.predictions
        )
        return given

    def _said(self, model: Any, rows: pa.Table, contract: Contract, name: str) -> Given:
        """What a model says of some rows."""
        features, labels = types(contract.features), contract.labels
        # The new model is asked as it will be: the golden rows prove that the engine does as the cluster did.
        known = {} if name in (CHALLENGER, "golden") else met(model)
        frame = self._frame(asked(rows, list(features), known), features, name)
        return predicted(model, frame, Target(labels.kind, labels.classes))

    def _frame(self, rows: pa.Table, features: Mapping[str, str], name: str) -> Any:
        """Rows in H2O, once: most often a rival is asked of the very rows that the new model was."""
        if not self.asked or not self.asked[0][0].equals(rows):
            self.forget()
            frame = imported(features, handed(rows, self.folder.path / "asked" / name))
            self.asked.append((rows, frame))
        return self.asked[0][1]

    def forget(self) -> None:
        """Free the rows that were asked last."""
        drop(*(frame for _, frame in self.asked))
        self.asked.clear()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
