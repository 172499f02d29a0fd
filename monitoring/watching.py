"""What the monitoring job watches of each pipeline: its watches put together, fed, and looked at.

Part of the composition root (`monitoring/job.py`). One thread calls `turn`; any thread may ask what was
seen last. A batch that cannot be read stops the watches that want it, says so, and is tried again; the others
go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from hotpath.bundle_store import BundleStore
from hotpath.clock import SECOND, Clock
from hotpath.contract import metrics
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import MARKS, MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import Entry, Log, Tail
from hotpath.kafka_admin import Logs
from hotpath.lake import Lake, Manifest
from hotpath.points import Points
from hotpath.settings import Settings
from hotpath.signatures import Pair
from hotpath.trouble import Troubles
from monitoring.clock_watch import ClockWatch
from monitoring.console import rows
from monitoring.console.snapshot import Elsewhere
from monitoring.freshness import FreshnessWatch
from monitoring.lake_gaps import LakeGaps
from monitoring.outcome_watch import OutcomeWatch
from monitoring.parity_watch import ParityWatch
from monitoring.windows import Rules

MOST_BATCHES = 50
"""A watch takes in one turn: a long lake must not keep the marks waiting."""
MOST_RECORDS = 2_000

log = logging.getLogger("monitoring")


class Watch(Protocol):
    """What follows a lake batch by batch."""

    @property
    def cursor(self) -> int:
        """The next batch it wants."""

    def take(self, manifest: Manifest) -> None:
        """That batch. Raises BadArtifact on a file of it that does not read."""

    def tick(self) -> None:
        """Time has passed."""


def rules(settings: Settings, clock: Clock) -> Rules:
    """The ledger's rules in domain time: jitter on the way is real, so a replay's rate magnifies it."""
    clocks, second = settings.clocks, max(1.0, clock.timeline().rate) * SECOND
    return Rules(int(clocks.window_s * second), int(clocks.limit_s * second), clocks.confirm)


@dataclass
class Pipeline:
    """One pipeline's lake and its watches, of the contract that it has now."""

    contract: Contract
    lake: Lake
    store: BundleStore
    clocks: ClockWatch
    outcomes: OutcomeWatch
    freshness: FreshnessWatch
    gaps: LakeGaps
    parity: ParityWatch
    holdout: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """Metrics on the holdout by bundle, as the trainer noted them of its runs."""
    behind: bool = False
    """Whether there is more to take at once: after a lost state the whole lake is read again."""
    _noted: int = 0

    def turn(self, informed: bool) -> None:
        """New batches to each watch and a tick, new runs; trouble with one of them hinders no other.

        Not `informed` of what stands on the topics, nobody rules on a model yet. Raises BadArtifact naming
        the first that cannot be read, OSError where a disk takes or gives nothing.
        """
        troubles: list[BadArtifact | OSError] = []
        self.behind = False
        watches: tuple[Watch, ...] = (self.clocks, self.outcomes, self.freshness, self.gaps, self.parity)
        feeds = [partial(self._feed, watch) for watch in watches]
        ticks = [watch.tick for watch in watches if informed or watch is not self.outcomes]
        steps: tuple[Callable[[], None], ...] = (*feeds, *ticks, self._note)
        for step in steps:
            try:
                step()
            except (BadArtifact, OSError) as error:
                troubles.append(error)
        if troubles:
            raise troubles[0]

    def _feed(self, watch: Watch) -> None:
        found = self.lake.since(watch.cursor, MOST_BATCHES)
        for manifest in found:
            watch.take(manifest)
        self.behind = self.behind or len(found) == MOST_BATCHES

    def _note(self) -> None:
        for number, run in self.store.runs_after(self._noted).items():
            self._noted = number
            if run.bundle is not None:
                self.holdout[run.bundle] = run.metrics

    def models(self) -> rows.Known:
        """What the console says of its models."""
        headline = metrics.of(self.contract.labels.kind)[0].name
        return rows.Known(headline, self.holdout, _by_model(self.outcomes.figures()))


@dataclass
class Watching:
    """All pipelines, and the cloud's topics that tell of models and marks."""

    settings: Settings
    contracts: Sequence[Contract]
    key: Pair
    log: Log
    logs: Logs
    points: Points
    clock: Clock
    seen: Elsewhere = field(init=False)
    _pipelines: dict[str, Pipeline] = field(default_factory=dict)
    _announced: dict[tuple[str, int], Announcement] = field(default_factory=dict)
    _receipts: dict[Receipt, None] = field(default_factory=dict)
    _tails: list[Tail] = field(default_factory=list)
    _troubles: Troubles = field(init=False)

    def __post_init__(self) -> None:
        self.seen = Elsewhere(self.clock.now())
        self._troubles = Troubles(log, self.clock.elapsed)

    def turn(self) -> None:
        """Everything that is new. Raises Unavailable where Kafka is away; call it again."""
        self._open()
        for tail in self._tails:
            self._hear(tail)
        informed = all(tail.at_end() for tail in self._tails)
        for name, pipeline in self._pipelines.items():
            try:
                pipeline.turn(informed)
            except (BadArtifact, OSError) as error:
                self._troubles.tell(name, error)
        self.seen = self._elsewhere()

    def follow(self, contracts: Sequence[Contract]) -> None:
        """From the next turn on watch these: a new one is taken up, a changed one watched anew from what it
        had kept; one that is as it was goes on, one that is gone is let go of.
        """
        self.contracts = contracts
        names = {contract.name for contract in contracts}
        self._pipelines = {name: p for name, p in self._pipelines.items() if name in names}

    @property
    def behind(self) -> bool:
        """Whether the next turn should come at once."""
        return any(pipeline.behind for pipeline in self._pipelines.values())

    def close(self) -> None:
        """Let go of the topics."""
        while self._tails:
            self._tails.pop().close()

    def _open(self) -> None:
        """Watches and tails, once Kafka answers; the clocks' watch anew where a replay changes its rate."""
        found = rules(self.settings, self.clock)
        for contract in self.contracts:
            pipeline = self._pipelines.get(contract.name)
            if pipeline is None or pipeline.contract != contract:
                self._pipelines[contract.name] = self._pipeline(contract, found)
            elif pipeline.clocks.rules != found:
                pipeline.clocks = self._clocks(contract, pipeline.lake, found)
        if not self._tails:
            self._tails.append(self.log.tail([MODELS, RECEIPTS]))
            # Marks of the past tell nothing of the line: when they were received is not written anywhere.
            self._tails.append(self.log.tail([MARKS], newest=True))

    def _pipeline(self, contract: Contract, found: Rules) -> Pipeline:
        lake = Lake(self.settings.lake_root(), contract.name)
        store = BundleStore(self.settings.bundle_store() / contract.name)
        points = replace(self.points, tags={**self.points.tags, "pipeline": contract.name})
        folder = self.settings.monitoring(contract.name)
        made = Pipeline(
            contract,
            lake,
            store,
            self._clocks(contract, lake, found),
            OutcomeWatch(lake, contract, store, self.key, self.log, points, self.clock, folder),
            FreshnessWatch(lake, contract, points, self.clock, store),
            LakeGaps(lake, contract, self.logs, points, self.clock),
            ParityWatch(lake, contract, store, self.log, points, self.clock, folder),
        )
        for announcement in self._announced.values():  # the topics were read before it was there
            made.outcomes.announced(announcement)
        for receipt in self._receipts:
            made.outcomes.receipt(receipt)
        return made

    def _clocks(self, contract: Contract, lake: Lake, found: Rules) -> ClockWatch:
        folder = self.settings.monitoring(contract.name)
        return ClockWatch(lake, contract, found, self.log, self.points, self.clock, folder)

    def _hear(self, tail: Tail) -> None:
        for _ in range(MOST_RECORDS):
            if (entry := tail.poll(0.02)) is None:
                return
            try:
                self._heard(entry)
            except (BadInput, BadArtifact) as error:
                self._troubles.tell(entry.topic, error)

    def _heard(self, entry: Entry) -> None:
        """Raises BadInput or BadArtifact on a record that is not what its topic carries."""
        if entry.topic == MARKS:
            for pipeline in self._pipelines.values():
                pipeline.clocks.mark(entry, self.clock.real())
        elif entry.topic == MODELS and entry.value is not None:
            found = Announcement.verified(entry.value, self.key)
            self._announced[found.pipeline, found.sequence] = found
            for pipeline in self._pipelines.values():
                pipeline.outcomes.announced(found)
        elif entry.topic == RECEIPTS:
            receipt = Receipt.from_bytes(entry.value)
            if receipt in self._receipts:  # a tail that was opened anew begins at the topic's beginning
                return
            self._receipts[receipt] = None
            for pipeline in self._pipelines.values():
                pipeline.outcomes.receipt(receipt)
                pipeline.freshness.receipt(receipt)

    def _elsewhere(self) -> Elsewhere:
        now = self.clock.now()
        outcomes = {name: p.outcomes.figures() for name, p in self._pipelines.items()}
        ledger = [host for p in self._pipelines.values() for host in p.clocks.hosts().values()]
        known = {name: p.models() for name, p in self._pipelines.items()}
        return Elsewhere(
            virtual=now,
            rate=self.clock.timeline().rate,
            models=rows.models(self._announced.values(), self._receipts, known, now),
            hosts=rows.hosts(ledger),
            outcomes=outcomes,
        )


def _by_model(said: Mapping[str, object]) -> Mapping[str, Mapping[str, float | None]]:
    match said.get("by"):
        case {"model": dict(models)}:
            return models
    return {}
