"""A run's folder: what its steps hand to each other, by name.

The trainer puts in the contract and hosts.json first, so that a run reads one of each. `build` leaves
train.parquet/, holdout.parquet/, golden.parquet/, fitted.json and account.json; `fit` leaves model.zip,
scored.parquet and measured.json.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hotpath.errors import BadArtifact

Part = Literal["train", "holdout", "golden"]


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
    def judged(self) -> Path:
        """Every event of the window and its verdict, while `build` runs: raw, so it does not outlive that."""
        return self.path / "judged.parquet"

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
    def measured(self) -> Path:
        """The model's quality on the holdout."""
        return self.path / "measured.json"

    def part(self, name: Part) -> Path:
        """The folder of Parquet files that Spark writes for one part of the window."""
        return self.path / f"{name}.parquet"

    def files(self, name: Part) -> list[Path]:
        """The Parquet files of a part, in the rows' order. Raises BadArtifact where there is none."""
        found = sorted(self.part(name).glob("*.parquet"))
        if not found:
            raise BadArtifact(str(self.part(name)), "no file", "what the window's builder writes")
        return found

    def begun(self, contract: bytes) -> Folder:
        """This folder, emptied of an earlier run, holding the contract."""
        if self.path.exists():
            shutil.rmtree(self.path)
        self.path.mkdir(parents=True)
        self.contract.write_bytes(contract)
        return self
