"""A run's folder: what its steps hand to each other, by name.

The trainer puts in the contract and hosts.json first, so that a run reads one of each, and rivals/NAME/
(contract.json, fitted.json, model.zip) of each model that the new one is held against. `build` leaves
train.parquet/, holdout.parquet/, golden.parquet/, rivals/NAME/holdout.parquet/, fitted.json and account.json;
`search` leaves searched.json; `fit` leaves model.zip, scored.parquet, predictions.parquet, measured.json and
scorecard.json.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hotpath.errors import BadArtifact
from train.measured import CHAMPION, WAITING

Part = Literal["train", "holdout", "golden"]
RIVALS = (CHAMPION, WAITING)
"""What a model may be held against: what receipts say is live, and what passed the gate but for outcomes."""


@dataclass(frozen=True)
class Folder:
    """The files of one run."""

    path: Path

    @property
    def contract(self) -> Path:
        """The contract's canonical JSON."""
        return self.path / "contract.json"

    @property
    def hosts(self) -> Path:
        """The wrong clocks that were known when the run began."""
        return self.path / "hosts.json"

    @property
    def account(self) -> Path:
        """The window's account."""
        return self.path / "account.json"

    @property
    def stages(self) -> Path:
        """What the child under way is doing, and what its stages took."""
        return self.path / "stages.json"

    @property
    def judged(self) -> Path:
        """Every event of the window and its verdict, while `build` runs: raw, so it does not outlive that."""
        return self.path / "judged.parquet"

    @property
    def asked(self) -> Path:
        """The golden rows before their features are made, while `build` runs."""
        return self.path / "asked.parquet"

    @property
    def fitted(self) -> Path:
        """Levels and baselines of the training rows."""
        return self.path / "fitted.json"

    @property
    def mojo(self) -> Path:
        """The model."""
        return self.path / "model.zip"

    @property
    def scored(self) -> Path:
        """The golden rows with the cluster's scores."""
        return self.path / "scored.parquet"

    @property
    def predictions(self) -> Path:
        """What each model says of the holdout's rows, in their order."""
        return self.path / "predictions.parquet"

    @property
    def chosen(self) -> Path:
        """By which algorithm and parameters a model is to be grown."""
        return self.path / "chosen.json"

    @property
    def searched(self) -> Path:
        """What a search found, and its evidence."""
        return self.path / "searched.json"

    @property
    def measured(self) -> Path:
        """The model's quality on the holdout."""
        return self.path / "measured.json"

    @property
    def scorecard(self) -> Path:
        """What the bundle says of that quality, and what it promises."""
        return self.path / "scorecard.json"

    @property
    def plots(self) -> Path:
        """The model card's pictures."""
        return self.path / "plots.json"

    @property
    def shadow(self) -> Path:
        """What the outcomes of a waiting challenger come to."""
        return self.path / "shadow.json"

    def rival(self, name: str) -> Path:
        """The folder of a model that the new one is held against."""
        return self.path / "rivals" / name

    @property
    def rivals(self) -> tuple[str, ...]:
        """Those of RIVALS that the trainer has put there."""
        return tuple(name for name in RIVALS if self.rival(name).is_dir())

    def part(self, name: Part, rival: str = "") -> Path:
        """The folder of Parquet files that Spark writes for one part of the window, as a rival sees it."""
        return (self.rival(rival) if rival else self.path) / f"{name}.parquet"

    def files(self, name: Part, rival: str = "") -> list[Path]:
        """The Parquet files of a part, in the rows' order. Raises BadArtifact where there is none."""
        found = sorted(self.part(name, rival).glob("*.parquet"))
        if not found:
            raise BadArtifact(str(self.part(name, rival)), "no file", "what the window's builder writes")
        return found

    def begun(self, contract: bytes) -> Folder:
        """This folder, emptied of an earlier run, holding the contract."""
        if self.path.exists():
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True)
        self.contract.write_bytes(contract)
        return self
