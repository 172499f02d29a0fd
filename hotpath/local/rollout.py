"""Brings what `hotpath deploy` put there into the running system, pipeline by pipeline.

A new pipeline gets its topics, its producers where they are ours, its stream job, its trainer; a changed
one a new stream job where its records changed, and its trainer trains at once by itself. Scorer, monitoring
and the parts of other pipelines are not touched; the mirror starts again where it has more topics to carry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import Topic, topics
from hotpath.lake import Lake
from hotpath.local import stack
from hotpath.local.stack import Part
from hotpath.local.supervisor import Supervisor
from hotpath.progress import Progress, Shown
from hotpath.settings import Settings

Stage = Literal["importing", "landing", "running"]
"""What a pipeline waits for: its history to be imported, then to land; then nothing."""
DEPLOYED, STAGES = "deployed", "stages"
"""What the state file says, by pipeline: the fingerprint that was taken up, and the stage."""


@dataclass
class Rollout:
    """`step` does what can be done now; what a broker that is away hinders, the next one does.

    `ensure` makes topics at both sites; `of_pipeline` gives a pipeline's parts, in start order.
    """

    settings: Settings
    parts: Supervisor
    deployed: Deployed
    ensure: Callable[[Sequence[Topic]], None]
    say: Callable[[str], None]
    of_pipeline: Callable[[str], Sequence[Part]] = stack.of_pipeline
    taken: dict[str, Contract] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._progress = Progress(self.settings.state("rollout"))
        self._said: object = None
        self._hindered = ""

    def runs(self, contract: Contract) -> None:
        """The caller has started this pipeline itself."""
        self.taken[contract.name], self.stages[contract.name] = contract, "running"

    def step(self) -> None:
        """Take up what is newly deployed; take each pipeline one stage further where it can be."""
        contracts = self.deployed.all()
        try:
            if any(self.taken.get(contract.name) != contract for contract in contracts):
                self._topics(contracts)
        except Unavailable as error:
            if str(error) != self._hindered:
                self.say(f"what is deployed waits: {error}")
            self._hindered = str(error)
            return
        self._hindered = ""
        for contract in contracts:
            before = self.taken.get(contract.name)
            if before is None:
                self._begin(contract)
            elif before != contract:
                self._change(before, contract)
            self._go_on(contract.name)
        self._tell()

    def landed(self) -> list[Contract]:
        """Of the pipelines that were taken up, those whose history has landed."""
        return [contract for name, contract in self.taken.items() if self.stages[name] == "running"]

    def _begin(self, contract: Contract) -> None:
        name = contract.name
        self.say(f"{name} is deployed")
        self.taken[name], self.stages[name] = contract, "importing"
        self.parts.add(self.of_pipeline(name))
        self.parts.start(f"ingest-{name}")

    def _change(self, before: Contract, contract: Contract) -> None:
        name = contract.name
        self.say(f"{name} is deployed anew")
        self.taken[name] = contract
        if before.sources != contract.sources:
            ours = (before.events, before.labels) != (contract.events, contract.labels)
            producers = (f"ingest-{name}",) if ours else ()
            self.parts.restart(*self._running(*producers, f"transform-{name}"))

    def _topics(self, contracts: Sequence[Contract]) -> None:
        wanted = topics(contracts)
        self.ensure(wanted)
        if stack.write_configs(self.settings, wanted):
            self.parts.restart(*self._running("mirror"))

    def _go_on(self, name: str) -> None:
        lake = Lake(self.settings.lake_root(), name)
        if self.stages[name] == "importing" and (self._no_history(name) or lake.imports()):
            self.parts.start(f"transform-{name}")
            self.stages[name] = "landing"
        if self.stages[name] == "landing" and history_landed(lake):
            self.parts.start(f"train-{name}")
            self.stages[name] = "running"
            self.say(f"{name}: its history has landed, its trainer begins")

    def _tell(self) -> None:
        facts: dict[str, Shown] = {
            DEPLOYED: {name: contract.fingerprint for name, contract in self.taken.items()},
            STAGES: {name: str(stage) for name, stage in self.stages.items()},
        }
        if facts != self._said:
            self._said = facts
            self._progress.say("running", **facts)

    def _no_history(self, name: str) -> bool:
        return f"ingest-{name}" not in self.parts.parts

    def _running(self, *names: str) -> list[str]:
        return [name for name in names if name in self.parts.running()]


def history_landed(lake: Lake) -> bool:
    """Whether every offset that an import filled is in a published batch."""
    ends = {topic: ends for m in lake.manifests() for topic, ends in m.end.items()}
    return all(ends.get(topic, {}).get(partition, 0) > last for topic, partition, last in _imported(lake))


def _imported(lake: Lake) -> Iterable[tuple[str, int, int]]:
    for done in lake.imports():
        for topic, ranges in done.ranges.items():
            for partition, (_, last) in ranges.items():
                yield topic, partition, last
