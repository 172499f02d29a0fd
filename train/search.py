"""Root of the child process that searches for better hyperparameters: `python -m train.search FOLDER`.

Learns from the rows before the validation slices, lets each algorithm of the contract have its share of the
budget, takes the figures of the best on every slice, times them in the scorer's engine, and leaves in
searched.json what train/searched.py chooses of them and of what models are grown by so far, and the evidence.

A killed or hung H2O is replaced and goes on; a killed search is taken up by the next one of the same contract
(train/search_folder.py): only the model that was being grown is lost. In a cluster of the operator's own
(h2o.url) all that is the search's carries its mark and is gone when it ends, whatever it came to.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath import jackknife, settings
from hotpath.clock import SECOND, Clock, wait
from hotpath.contract import metrics
from hotpath.contract.model import Contract
from hotpath.contract.parts import Labels, Search
from hotpath.errors import BadArtifact, BadConfig, HotpathError, Unavailable
from hotpath.jackknife import Told
from hotpath.quality import Sample
from train.account import Account
from train.folder import Folder
from train.h2o_backend import Target, available, columns, connected, grow, imported, marked, predicted
from train.h2o_grid import Data, Grid
from train.h2o_server import cluster
from train.handed import SLICE, read, types, weighted
from train.holdout import Given, truth
from train.latency import timed
from train.parameters import BY_NAME, DEFAULT, SEED, Chosen
from train.search_folder import Begun, Model, SearchFolder
from train.searched import Candidate, Choice, choose
from train.stages import Stages

INCUMBENT = "incumbent"
BEST = 3
"""Models of each algorithm that are held against the incumbent."""
LIVES = 3
"""Servers that a search may use up: one that is out of memory would be so again."""
LOOK_S = 0.5
LEAST_S = 1.0
"""H2O takes no time at all for any time."""
TIMED_ROWS = 500

logger = logging.getLogger("search")


def main(argv: Sequence[str]) -> int:
    """Search in the folder that `argv` names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGTERM, _told_to_end)
    folder = Folder(Path(argv[0]).resolve())
    try:
        search(folder, settings.load().h2o)
    except HotpathError as error:
        logger.error("%s", error)
        return 1
    return 0


def _told_to_end(*_: object) -> None:
    """By the trainer, at the deadline: blocks are left as ever, and no job runs on in another's cluster."""
    sys.exit(128 + signal.SIGTERM)


def search(folder: Folder, h2o: settings.H2O) -> Chosen:
    """What models are to be grown by from now on, also in searched.json. The search's own folder stays for
    whoever takes that up (train/search_place.py).
    """
    run = Searching.of(folder)
    models = run.models(h2o)
    with run.stages.stage("time"):
        candidates = run.candidates(models)
    metric = metrics.of(run.contract.labels.kind)[0]
    choice = choose(candidates, INCUMBENT, metric, run.contract.gate.confidence)
    found = run.found(choice, candidates, metric.name)
    folder.searched.write_bytes(found.to_bytes())
    return found


@dataclass
class Searching:
    """One search under way. `tried`: models by algorithm; `skipped`: why an algorithm was left out;
    `resumed`: models that an earlier server of this search had finished; `lost`: why servers ended.
    """

    folder: Folder
    place: SearchFolder
    contract: Contract
    search: Search
    incumbent: Chosen
    begun: Begun
    stages: Stages
    clock: Clock
    tried: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    resumed: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Folder) -> Searching:
        """The search of a run's window, or the unfinished one there. Raises BadConfig, BadArtifact."""
        contract = Contract.from_json(folder.contract.read_bytes())
        if (search := contract.train.search) is None:
            raise BadConfig("train.search", None, "a search in the contract")
        account = Account.from_bytes(folder.account.read_bytes())
        incumbent = Chosen.from_bytes(folder.chosen.read_bytes()) if folder.chosen.exists() else DEFAULT
        place, at = SearchFolder.beside(folder), account.span.end
        clock = Clock()
        stages = Stages(folder.stages, clock)
        with stages.stage("part") as spent:
            begun = place.begun(contract.fingerprint, at - search.every) or place.begin(
                folder, contract.fingerprint, at, account.slices
            )
            spent.rows = sum(begun.rows)
        return cls(folder, place, contract, search, incumbent, begun, stages, clock)

    def models(self, h2o: settings.H2O) -> list[Model]:
        """The incumbent and the best of every algorithm, on as many servers as it takes."""
        while True:
            try:
                return self._life(h2o)
            except Unavailable as error:
                self.lost.append(str(error))
                logger.warning("H2O is lost (%d of %d): %s", len(self.lost), LIVES, error)
                if h2o.url or len(self.lost) == LIVES:
                    raise

    def _life(self, h2o: settings.H2O) -> list[Model]:
        """The search on one server, from where the one before left it."""
        with ExitStack() as stack:
            with self.stages.stage("start H2O"):
                xgboost = "xgboost" in (*self.search.algorithms, self.incumbent.algorithm)
                address = stack.enter_context(
                    cluster(h2o, self.place.path / "h2o", self.clock, xgboost, long=True)
                )
                stack.enter_context(connected(address, h2o.deadline_s))
                if h2o.url:
                    stack.enter_context(marked(self.begun.mark))
            with self.stages.stage("import") as spent:
                data = self._data()
                spent.rows = data.learn.nrows + data.valid.nrows
            with self.stages.stage(INCUMBENT):
                made = [self._taken(INCUMBENT, *self._reigning(data), data)]
            for number, name in enumerate(self.search.algorithms):
                with self.stages.stage(name):
                    made += self._best(name, len(self.search.algorithms) - number, data)
            return made

    def _data(self) -> Data:
        labels, features = self.contract.labels, types(self.contract.features)
        of = columns(self.place.learn, features, labels.kind)
        learn = imported(of, self.place.learn, f"learn_{self.begun.mark}")
        valid = imported(of, self.place.valid, f"valid_{self.begun.mark}")
        return Data(learn, valid, list(features), weighted(self.place.learn))

    def _reigning(self, data: Data) -> tuple[Chosen, Any]:
        """The incumbent, grown of the same rows as the others."""
        known = available(BY_NAME[self.incumbent.algorithm])
        chosen = replace(self.incumbent if known else DEFAULT, evidence={})
        name = f"{INCUMBENT}_{self.begun.mark}"
        return chosen, grow(chosen, data.learn, data.features, data.weighted, name)

    def _best(self, name: str, shares: int, data: Data) -> Sequence[Model]:
        """The best models of one algorithm, which is one of so many that share what is left of the budget;
        those that an earlier life took where it was through.
        """
        if (through := self.place.through(name)) is not None:
            self.tried[name] = self.resumed[name] = through.tried
            return through.best
        algorithm = BY_NAME[name]
        if not available(algorithm):
            self.skipped[name] = "this platform's H2O does not have it"
            return []
        grid = Grid(algorithm, self.place.grid(name), self.begun.mark)
        try:
            self._run(grid, shares, data)
        except BadArtifact as error:
            self.skipped[name] = str(error)
            return []
        best = [
            self._taken(f"{name} {rank}", grid.chosen(model), model, data)
            for rank, model in enumerate(grid.best(BEST), start=1)
        ]
        return self.place.keep(name, self.tried[name], best).best

    def _run(self, grid: Grid, shares: int, data: Data) -> None:
        """An algorithm's search until its time is up, from where an earlier life left it."""
        name, spent = grid.algorithm.name, self.place.spent()
        left = self.search.budget / SECOND - sum(spent.values())
        until = max(left / shares, LEAST_S)
        self.resumed[name] = grid.begin(data, until)
        began, before = self.clock.elapsed(), spent.get(name, 0.0)
        while (looked := grid.look()).running:
            took = self.clock.elapsed() - began
            spent[name] = round(before + took, 1)
            self.place.spend(spent)
            self.stages.say(done=looked.models, best=looked.best)
            if took > until:
                grid.stop()
            wait(LOOK_S)
        self.tried[name] = looked.models

    def _taken(self, name: str, chosen: Chosen, model: Any, data: Data) -> Model:
        """A model's MOJO and what it says of the slices, before its server ends."""
        labels = self.contract.labels
        mojo = self.place.mojo(name)
        mojo.parent.mkdir(exist_ok=True)
        model.download_mojo(str(mojo))
        return Model(name, chosen, mojo, predicted(model, data.valid, Target(labels.kind, labels.classes)))

    def candidates(self, models: Sequence[Model]) -> list[Candidate]:
        """The models with their figures on each slice, and what a row costs where they would answer."""
        labels, rows, few = self.contract.labels, self.place.slices(), self.place.path / "few.parquet"
        pq.write_table(read(self.place.valid).slice(0, TIMED_ROWS), few)
        kinds = {n: "category" if t == "enum" else "number" for n, t in types(self.contract.features).items()}
        costs = timed([m.mojo for m in models], few, kinds, labels, self.place.path, self.clock)
        return [
            Candidate(model.name, model.chosen, told(labels, rows, model.given), cost.us, cost.why)
            for model, cost in zip(models, costs, strict=True)
        ]

    def found(self, choice: Choice, candidates: Sequence[Candidate], metric: str) -> Chosen:
        """The choice with its evidence, as it is kept."""
        evidence: dict[str, object] = {
            "why": choice.why,
            "taken": choice.taken.name,
            "metric": metric,
            "confidence": self.contract.gate.confidence,
            "candidates": [_plain(one, choice, metric) for one in candidates],
            "tried": self.tried,
            "skipped": self.skipped,
            "resumed": self.resumed,
            "lost": self.lost,
            "seconds": self.place.spent(),
            "budget_s": self.search.budget / SECOND,
            "seed": SEED,
            "window_ended": self.begun.at,
            "slices": list(self.begun.slices),
            "rows": list(self.begun.rows),
        }
        chosen = choice.taken.chosen
        # When the search is told, not when its window ended: the next one is due an interval later.
        at = Account.from_bytes(self.folder.account.read_bytes()).span.end
        return Chosen(chosen.algorithm, chosen.parameters, evidence, at, self.contract.fingerprint)


def told(labels: Labels, rows: pa.Table, given: Given) -> tuple[Told, ...]:
    """A model's headline metric on each slice, and without each group of its rows."""
    names = [metrics.of(labels.kind)[0].name]
    place, truths = rows[SLICE].to_numpy(), truth(labels, rows["label"])
    groups = rows["row.group"].to_numpy()
    slices = [place == number for number in range(1, int(place.max()) + 1)]
    return tuple(
        jackknife.told(Sample(labels.kind, truths[rows], given[rows]), groups[rows], names) for rows in slices
    )


def _plain(one: Candidate, choice: Choice, metric: str) -> Mapping[str, object]:
    return {
        "name": one.name,
        "algorithm": one.chosen.algorithm,
        "parameters": one.chosen.parameters,
        "slices": [slice_.whole.get(metric) for slice_ in one.slices],
        "us": one.us,
        "out": choice.out.get(one.name, ""),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
