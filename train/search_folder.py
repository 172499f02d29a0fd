"""A search's own folder: the rows that it works on, what H2O keeps, what algorithms came to, what is spent.

It stands beside the run's folder (FOLDER.search), which every run empties, and goes once the trainer has kept
what was found (train/search_place.py): so a search that was killed is found by the next run, and taken up.

H2O empties its own folder of a grid as soon as that has ended by itself. So an algorithm that is through
leaves all that is wanted of it in results/ALGORITHM, which is there as a whole or not at all: no later server
is asked for it again. What a kill between the two costs is that algorithm's search.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.files import make_folder, replace, sync
from train.folder import Folder
from train.handed import FEATURE, SLICE, handed, read
from train.holdout import Given
from train.parameters import Chosen
from train.search_place import place

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

    @property
    def mark(self) -> str:
        """What all that the search has in a cluster carries in its name: there may be others' beside it."""
        return f"{self.fingerprint[:12]}_{self.at}"


@dataclass(frozen=True)
class Model:
    """A model that was grown. `given`: what it says of the slices' rows."""

    name: str
    chosen: Chosen
    mojo: Path
    given: Given


@dataclass(frozen=True)
class Through:
    """What an algorithm's search came to: how many models were tried, and the best of them."""

    tried: int
    best: tuple[Model, ...]


class SearchFolder:
    """The folder of one pipeline's search."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, folder: Folder) -> SearchFolder:
        """That of the search that belongs to a run's folder."""
        return cls(place(folder))

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

    def mojo(self, model: str) -> Path:
        """Where a model is put by its server."""
        return self.path / "mojos" / f"{model}.zip"

    def result(self, algorithm: str) -> Path:
        """What an algorithm's search came to, once it is through."""
        return self.path / "results" / algorithm

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

    def spent(self) -> dict[str, float]:
        """Real seconds that earlier lives of this search took, by algorithm."""
        try:
            raw = json.loads((self.path / "spent.json").read_bytes())
            return {str(name): float(seconds) for name, seconds in raw["seconds"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def spend(self, seconds: dict[str, float]) -> None:
        """Note it."""
        replace(self.path / "spent.json", json.dumps({"seconds": seconds}).encode())

    def keep(self, algorithm: str, tried: int, best: Sequence[Model]) -> Through:
        """An algorithm is through: what it came to, durably. The models' MOJOs are moved there."""
        draft = self.path / "results" / f".{algorithm}"
        shutil.rmtree(draft, ignore_errors=True)  # of a life that was killed in the middle of this
        make_folder(draft)
        for number, model in enumerate(best):
            os.replace(model.mojo, draft / f"{number}.zip")
            sync(draft / f"{number}.zip")
            replace(draft / f"{number}.npy", _packed(model.given))
        said = {"tried": tried, "best": [{"name": one.name, "chosen": one.chosen.plain()} for one in best]}
        replace(draft / "through.json", json.dumps(said).encode())
        shutil.rmtree(self.result(algorithm), ignore_errors=True)  # one that could not be read
        os.replace(draft, self.result(algorithm))
        sync(draft.parent)
        named = [(one.name, one.chosen) for one in best]
        return Through(tried, self._models(algorithm, named))

    def through(self, algorithm: str) -> Through | None:
        """What an algorithm came to in an earlier life of this search; None: it is not through."""
        try:
            said = json.loads((self.result(algorithm) / "through.json").read_bytes())
            named = [(str(one["name"]), Chosen(**one["chosen"])) for one in said["best"]]
            return Through(int(said["tried"]), self._models(algorithm, named))
        except (OSError, EOFError, ValueError, KeyError, TypeError):  # none, or the disk has lost some of it
            return None

    def _models(self, algorithm: str, named: Sequence[tuple[str, Chosen]]) -> tuple[Model, ...]:
        """As `keep` left them. Raises OSError, EOFError or ValueError where something is missing."""
        found = self.result(algorithm)
        if missing := [n for n in range(len(named)) if not (found / f"{n}.zip").exists()]:
            raise FileNotFoundError(str(found), missing)
        return tuple(
            Model(name, chosen, found / f"{n}.zip", np.load(found / f"{n}.npy", allow_pickle=False))
            for n, (name, chosen) in enumerate(named)
        )


def _packed(given: Given) -> bytes:
    """As numpy writes an array."""
    out = BytesIO()
    np.save(out, given, allow_pickle=False)
    return out.getvalue()
