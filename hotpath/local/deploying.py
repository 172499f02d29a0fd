"""What `hotpath deploy` does: hand a contract to the running system, and tell how far it has come.

Nothing is done here that the parts do not do by themselves: they take up what is deployed; this looks on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from hotpath import progress
from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import Clock, wait
from hotpath.contract.compatibility import breaks_callers
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadConfig
from hotpath.handoffs import RECEIPTS, Receipt
from hotpath.kafka import KafkaLog, standing
from hotpath.lake import Lake
from hotpath.local.rollout import DEPLOYED, STAGES
from hotpath.settings import Settings

LOOK_S = 1.0
TOLD = {
    "importing": "its topics are there, its history is on its way",
    "landing": "its records land in the lake",
    "running": "its history has landed",
}
"""What a stage of the rollout means to whoever waits."""
WORKING = ("window", "training", "publishing")
"""States of a trainer worth a word."""


def deploy(settings: Settings, contract: Contract) -> Contract | None:
    """This is what the pipeline runs from now on; what it ran until now, None where it is new.

    Raises BadConfig, and deploys nothing, where callers of what runs would be refused, or its query could not
    go on.
    """
    deployed = Deployed(settings.deployed())
    before = deployed.get(contract.name)
    if before is not None:
        _goes_on(before, contract)
    deployed.put(contract)
    return before


def _goes_on(before: Contract, contract: Contract) -> None:
    if broken := breaks_callers(before, contract):
        raise BadConfig(
            f"contract {contract.name}",
            "; ".join(broken),
            "what callers of the running one send taken, and answered alike",
            "mend that, or deploy it as a pipeline of another name",
        )
    # Spark takes a topic that its checkpoint knows and its query does not for lost data, and ends for ever.
    # One that it gains is read from where it begins.
    was, now = ({name: s.topic for name, s in c.sources.items()} for c in (before, contract))
    if not was.items() <= now.items():
        todo = "deploy it as a pipeline of another name"
        raise BadConfig(f"topics of contract {contract.name}", now, f"those of the running one, {was}", todo)


def answering(receipts: Iterable[Receipt], pipeline: str, bundles: Collection[str]) -> int | None:
    """The sequence that a pipeline answers with by its newest receipt, if its bundle is one of these."""
    newest = None
    for receipt in receipts:
        if receipt.pipeline == pipeline and receipt.kind in ("live", "rolled_back"):
            newest = receipt
    return None if newest is None or newest.bundle not in bundles else newest.sequence


@dataclass
class Following:
    """Looks on until a model of `contract` is live. `say` is told each thing once."""

    settings: Settings
    contract: Contract
    say: Callable[[str], None]
    clock: Clock
    said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._store = BundleStore(self.settings.bundle_store() / self.contract.name)
        self._receipts = KafkaLog(self.settings.kafka.onprem.address)
        self._landed: int | None = None

    def follow(self, deadline_s: float) -> int | None:
        """The live sequence, None where there is none within `deadline_s`. Raises Unavailable."""
        end = self.clock.elapsed() + deadline_s
        while self.clock.elapsed() < end:
            for line in self.news():
                if line not in self.said:
                    self.said.add(line)
                    self.say(line)
            if (sequence := self.live()) is not None:
                return sequence
            wait(LOOK_S)
        return None

    def live(self) -> int | None:
        """The sequence that answers, by the scorers' newest word, if its model is of this very contract."""
        ours = {run.bundle for run in self._runs() if run.bundle is not None}
        if not ours:
            return None
        said = Receipt.readable(entry.value for entry in standing(self._receipts, RECEIPTS))
        return answering(said, self.contract.name, ours)

    def news(self) -> Iterator[str]:
        """Where it stands, in the order of the way; every line is the same as long as nothing changes."""
        rollout = progress.read(self.settings.state("rollout"))
        taken, stages = rollout.get(DEPLOYED), rollout.get(STAGES)
        name = self.contract.name
        if not isinstance(taken, dict) or taken.get(name) != self.contract.fingerprint:
            return
        stage = str(stages[name]) if isinstance(stages, dict) else ""
        yield f"{name}: {TOLD[stage]}{self._history() if stage == 'running' else ''}"
        state = str(progress.read(self.settings.state(f"train-{name}")).get("state"))
        if stage == "running" and state in WORKING:
            yield f"{name}: trainer: {state}"
        yield from (f"{name}: run: {run.state}: {run.why}" for run in self._runs())

    def _history(self) -> str:
        if self._landed is None:
            self._landed = Lake(self.settings.lake_root(), self.contract.name).counts()["events"]
        return f" ({self._landed} events)"

    def _runs(self) -> list[Run]:
        return [run for run in self._store.runs() if run.fingerprint == self.contract.fingerprint]
