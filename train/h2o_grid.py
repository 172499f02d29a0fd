"""One algorithm's random search on an H2O cluster: begun, watched, stopped, taken up again after a kill.

H2O keeps a grid, its frames and every model that is finished in the search's own folder, so that a new server
goes on where a killed one was: what is lost is the model that was being grown. Once a grid has ended by
itself H2O empties that folder: who wants its models takes them from the server that grew them.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h2o
from h2o.exceptions import H2OResponseError
from h2o.grid.grid_search import H2OGridSearch

from hotpath.errors import BadArtifact
from train.h2o_backend import RESPONSE, RUNNING, estimator, plain
from train.handed import WEIGHT
from train.parameters import ALWAYS, SEED, Algorithm, Chosen, Parameter

_NOTE = "recovery.json"
"""What H2O writes once a search can be taken up again."""


@dataclass(frozen=True)
class Data:
    """What a search learns from and stops by: frames of the cluster with these columns."""

    learn: h2o.H2OFrame
    valid: h2o.H2OFrame
    features: Sequence[str]
    weighted: bool


@dataclass(frozen=True)
class Looked:
    """How far a search is; `best`: its best model's figure on the validation rows, as "log_loss 0.2519", ""
    before the first.
    """

    models: int
    running: bool
    best: str


class Grid:
    """The search of one algorithm in `folder`, which is its own; `mark` is in the names of all that it has in
    the cluster, and must be the same where it is taken up.
    """

    def __init__(self, algorithm: Algorithm, folder: Path, mark: str) -> None:
        self.algorithm, self._folder, self._job = algorithm, folder, ""
        self._id = f"grid_{algorithm.name}_{mark}"

    def begin(self, data: Data, seconds: float) -> int:
        """Start, or take up what a killed server left: how many models of it are there. Returns at once.

        Raises BadArtifact where H2O will not have it.
        """
        try:
            return self._begin(data, seconds)
        except H2OResponseError as error:
            said = str(error).strip().splitlines()
            raise BadArtifact(f"search of {self.algorithm.name}", said[:2], "one that H2O takes") from error

    def _begin(self, data: Data, seconds: float) -> int:
        there = self.load()
        grid = self._grid(seconds)
        if there is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            weights = WEIGHT if data.weighted else None
            grid.start(
                x=list(data.features),
                y=RESPONSE,
                training_frame=data.learn,
                validation_frame=data.valid,
                weights_column=weights,
            )
        else:
            grid.resume(recovery_dir=str(self._folder), detach=True)
        self._job = grid._job.job_key
        return there or 0

    def load(self) -> int | None:
        """The models that an earlier server finished, taken into this one: how many; None: there is no search
        in the folder that could be taken up.
        """
        if not (self._folder / _NOTE).exists() or not (self._folder / self._id).exists():
            return None
        place = {"grid_path": str(self._folder / self._id), "load_params_references": True}
        h2o.api("POST /3/Grid.bin/import", data=place)
        return len(self._ids())

    def look(self) -> Looked:
        """How far it is."""
        status = h2o.api(f"GET /3/Jobs/{self._job}")["jobs"][0]["status"]
        said = self._said()
        ids = said["model_ids"]
        return Looked(len(ids), status in RUNNING, _figure(said["validation_metrics"]) if ids else "")

    def stop(self) -> None:
        """End it: the model that is being grown is lost."""
        h2o.api(f"POST /3/Jobs/{self._job}/cancel")

    def best(self, most: int) -> list[Any]:
        """Its best models by H2O's own metric on the validation rows, the best first."""
        return [h2o.get_model(name) for name in self._ids()[:most]]

    def chosen(self, model: Any) -> Chosen:
        """How that model was grown, with what it came to where it stopped early."""
        actual = model.actual_params
        picked = {name: _value(actual[name], among) for name, among in self.algorithm.grid.items()}
        summary = model._model_json["output"]["model_summary"]
        grown = {name: int(summary[said][0]) for name, said in self.algorithm.grown.items()}
        return Chosen(self.algorithm.name, {**picked, **grown})

    def _grid(self, seconds: float) -> H2OGridSearch:
        way = self.algorithm
        kept = {**way.defaults, **way.fixed, **way.searching, **ALWAYS}
        model = estimator(way.name, {name: v for name, v in kept.items() if name not in way.grid})
        for name in way.grid:  # the client fills in H2O's own defaults, and a grid may not say a name twice
            model._parms.pop(name, None)
        return H2OGridSearch(
            model,
            {name: [plain(v) for v in among] for name, among in way.grid.items()},
            grid_id=self._id,
            search_criteria={**_criteria(way.searching), "max_runtime_secs": seconds},
            recovery_dir=str(self._folder),
        )

    def _ids(self) -> list[str]:
        return [str(key["name"]) for key in self._said()["model_ids"]]

    def _said(self) -> Any:
        """What H2O says of the grid, the best model first."""
        return h2o.api(f"GET /99/Grids/{self._id}")


def _figure(found: Sequence[Any]) -> str:
    """What H2O ranks by, in this project's words: of chances log_loss, of a number rmse (it squares that)."""
    best = found[0]._metric_json
    name, value = ("log_loss", best["logloss"]) if "logloss" in best else ("rmse", best["RMSE"])
    return f"{name} {value:.4g}"


def _criteria(searching: Mapping[str, Parameter]) -> dict[str, object]:
    """Early stopping of the whole search too: once ten more models have brought nothing."""
    tolerance = searching.get("stopping_tolerance", 0.001)
    return {
        "strategy": "RandomDiscrete",
        "seed": SEED,
        "stopping_rounds": 10,
        "stopping_tolerance": tolerance,
    }


def _value(actual: Any, among: Sequence[Parameter]) -> Any:
    """H2O tells some single numbers as lists of one."""
    single = not isinstance(among[0], tuple)
    return actual[0] if single and isinstance(actual, list) else actual
