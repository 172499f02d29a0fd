"""A search's own folder: the rows that it works on, what H2O keeps of it, how much of its budget is spent.

It stands beside the run's folder (FOLDER.search), which every run empties, and goes once the search is done:
so a search that was killed is found by the next run, and taken up.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.files import replace
from train.folder import Folder
from train.handed import FEATURE, SLICE, handed, read

LEAST_OF_A_PART = 50
"""To learn from, and of a slice: below that neither a model nor a figure says anything."""


@dataclass(frozen=True)
class Begun:
    """Whose search it is and when its window ended (domain time); `slices`: when each begins; `rows`: those
    to learn from, then those of each slice.
    """

    fingerprint: str
    at: Micros
    slices: tuple[Micros, ...]
    rows: tuple[int, ...]


@dataclass
class Spent:
    """Real seconds by algorithm, and those that are through."""

    seconds: dict[str, float] = field(default_factory=dict)
    through: list[str] = field(default_factory=list)


class SearchFolder:
    """The folder of one pipeline's search."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, folder: Folder) -> SearchFolder:
        """That of the search that belongs to a run's folder."""
        return cls(folder.path.with_name(f"{folder.path.name}.search"))

    @property
    def learn(self) -> list[Path]:
        """The rows that models are grown of."""
        return sorted((self.path / "learn").glob("*.parquet"))

    @property
    def valid(self) -> list[Path]:
        """The rows of every slice."""
        return sorted((self.path / "valid").glob("*.parquet"))

    def grid(self, algorithm: str) -> Path:
        """What H2O keeps of an algorithm's search."""
        return self.path / "grids" / algorithm

    def begun(self, fingerprint: str, since: Micros) -> Begun | None:
        """The search that stands here unfinished, where it is that contract's and began after `since`."""
        try:
            raw = json.loads((self.path / "begun.json").read_bytes())
            found = Begun(raw["fingerprint"], raw["at"], tuple(raw["slices"]), tuple(raw["rows"]))
        except (OSError, ValueError, KeyError, TypeError):  # none, or one that was killed as it began
            return None
        return found if found.fingerprint == fingerprint and found.at > since else None

    def begin(self, folder: Folder, fingerprint: str, at: Micros, slices: tuple[Micros, ...]) -> Begun:
        """A new search of the window in a run's folder. Raises BadArtifact where it has too few rows."""
        if self.path.exists():
            shutil.rmtree(self.path)
        table = read(folder.files("train"))
        if SLICE not in table.column_names:
            raise BadArtifact("train.parquet", table.column_names, f"a column {SLICE}")
        place = table[SLICE].to_numpy()
        rows = tuple(int(np.sum(place == number)) for number in range(len(slices) + 1))
        if not slices or min(rows) < LEAST_OF_A_PART:
            raise BadArtifact("rows before and in each slice", rows, f"at least {LEAST_OF_A_PART} each")
        handed(table.filter(pc.equal(table[SLICE], 0)), self.path / "learn")
        handed(table.filter(pc.greater_equal(table[SLICE], 1)), self.path / "valid")
        found = Begun(fingerprint, at, slices, rows)
        replace(self.path / "begun.json", json.dumps(asdict(found)).encode())
        return found

    def slices(self) -> pa.Table:
        """The slices' rows apart from their features."""
        table = read(self.valid)
        return table.select([name for name in table.column_names if not name.startswith(FEATURE)])

    def spent(self) -> Spent:
        """What earlier lives of this search took."""
        try:
            raw: Mapping[str, object] = json.loads((self.path / "spent.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return Spent()
        return Spent(**raw)  # type: ignore[arg-type]

    def spend(self, spent: Spent) -> None:
        """Note it."""
        replace(self.path / "spent.json", json.dumps(asdict(spent)).encode())

    def done(self) -> None:
        """The search is over: nothing of it is needed."""
        shutil.rmtree(self.path)
