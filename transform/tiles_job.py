"""Tells the tiles of every pipeline: `python -m transform.tiles_job`.

Composition root: settings, contracts, lakes, the cloud's marks and `hotpath.tiles`. It keeps nothing but the
contracts that were replaced: killed at any moment, it makes the tiles anew from the lake and tells them
again. One lake that does not read does not stop the others. Ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

from hotpath import deployed
from hotpath import settings as configuration
from hotpath.clock import Clock, Micros
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.ending import told_to_end
from hotpath.errors import BadArtifact, BadConfig, BadInput, HotpathError, Unavailable
from hotpath.files import hold
from hotpath.handoffs import MARKS, Mark
from hotpath.kafka import KafkaLog, Log, Tail
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.trouble import Troubles
from transform.replaced import Remembered
from transform.standing import Shelf, Stood, stood
from transform.tiler import Seen, Tiler

PAUSE_S = 0.2
POINTS_S = 10.0
QUEUED = 20_000
MOST_MARKS = 5_000

log = logging.getLogger("tiles")


class Ends(Protocol):
    """Whoever knows where the cloud's topics end."""

    def committed_ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """As `hotpath.kafka_admin.Admin` has it."""


@dataclass
class Tiling:
    """All pipelines, and the cloud's topics that say when their tiles close."""

    settings: configuration.Settings
    log: Log
    admin: Ends
    clock: Clock
    stopping: Event
    _remembered: Remembered = field(init=False)
    _deployed: Deployed = field(init=False)
    _files: tuple[Contract, ...] | None = None
    _contracts: tuple[Contract, ...] = ()
    _tilers: dict[str, Tiler] = field(default_factory=dict)
    _stood: dict[str, Stood] | None = None
    _marks: Tail | None = None
    _troubles: Troubles = field(init=False)

    def __post_init__(self) -> None:
        self._remembered = Remembered(self.settings.tiles() / "contracts.json")
        self._deployed = Deployed(self.settings.deployed())
        self._troubles = Troubles(log, self.clock.elapsed)

    def turn(self) -> bool:
        """Everything that is new; whether there is more at once. Raises Unavailable where Kafka is away."""
        self._follow()
        seen = self._seen()
        behind = False
        for name, tiler in self._tilers.items():
            try:
                behind |= tiler.turn(seen)
            except (HotpathError, OSError) as error:
                self.trouble(name, error)
        return behind

    def tell(self) -> None:
        """Points of all."""
        for tiler in self._tilers.values():
            tiler.tell()

    def told(self) -> dict[str, int]:
        """Through which instant each layout is told."""
        return {name: at for tiler in self._tilers.values() for name, at in tiler.told().items()}

    def trouble(self, where: str, error: HotpathError | OSError) -> None:
        """Named once a minute; nothing is told of what ends because this process does."""
        if not self.stopping.is_set():
            self._troubles.tell(where, error)

    def _follow(self) -> None:
        """The contracts that must be told now; what stands of layouts that none of them has is cleared."""
        if self._stood is None:
            self._stood = stood(self.log)
        found = self._remembered.contracts(self._running(), self.clock.now())
        if found == self._contracts:
            return
        for name in {contract.name for contract in (*found, *self._contracts)}:
            self._tiler(name).follow([c for c in found if c.name == name], self._stood)
        for name, left in list(self._stood.items()):
            self._shelf().clear(name, left.keys)
            del self._stood[name]
        self._contracts = found  # last: what could not be cleared is cleared at the next turn

    def _running(self) -> Sequence[Contract]:
        """What is deployed, or else the files as they were at the start."""
        try:
            if found := self._deployed.all():
                return found
            if self._files is None:
                self._files = deployed.contracts(self.settings)
            return self._files
        except (BadArtifact, BadConfig) as error:  # what was read before goes on
            self.trouble("deployed", error)
            return self._contracts

    def _tiler(self, name: str) -> Tiler:
        if name not in self._tilers:
            lake = Lake(self.settings.lake_root(), name)
            points = Points(self.log, self.clock, {"pipeline": name})
            self._tilers[name] = Tiler(lake, self._shelf(), self.clock, points)
        return self._tilers[name]

    def _shelf(self) -> Shelf:
        return Shelf(self.log, self.clock, self.stopping.is_set)

    def _seen(self) -> Seen | None:
        """A mark that has come, and where the topics end now that it has; None: none has come."""
        at = self._newest_mark()
        topics = {layout.topic for contract in self._contracts for layout in contract.layouts}
        if at is None or not topics:
            return None
        # Never ahead of our own clock: a tile that is closed too early makes every record after it late.
        return Seen(min(at, self.clock.now()), self.admin.committed_ends(topics))

    def _newest_mark(self) -> Micros | None:
        if self._marks is None:
            self._marks = self.log.tail([MARKS], newest=True)
        newest: Micros | None = None
        for _ in range(MOST_MARKS):
            if (entry := self._marks.poll(0)) is None:
                break
            try:
                newest = max(newest or 0, Mark.from_bytes(entry.value).at)
            except BadInput as error:
                self.trouble(MARKS, error)
        return newest


def run(settings: configuration.Settings, stopping: Event) -> None:
    """Until told to stop. Raises BadConfig where another process tells this deployment's tiles."""
    clock, address = Clock(settings.clock_file()), settings.kafka.cloud.address
    held = hold(settings.tiles() / "job.lock", "process that tells tiles")
    tiling = Tiling(settings, KafkaLog(address, queued=QUEUED), Admin(address), clock, stopping)
    progress, said = Progress(settings.state("tiles")), clock.elapsed()
    progress.say("starting")
    while not stopping.is_set():
        behind = False
        try:
            behind = tiling.turn()
            progress.say("telling", told=tiling.told())
        except (Unavailable, BadConfig) as error:  # no broker, or one that has no topics yet
            tiling.trouble("tiles", error)
        if clock.elapsed() - said >= POINTS_S:
            tiling.tell()
            said = clock.elapsed()
        stopping.wait(0 if behind else PAUSE_S)
    progress.say("stopped")
    held.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM. Returns 0, or 1 after an error that was logged."""
    parser = argparse.ArgumentParser(prog="transform.tiles_job", description=__doc__)
    parser.add_argument("--settings", type=Path)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stopping = told_to_end()
    try:
        run(configuration.load(asked.settings), stopping)
    except HotpathError as error:
        log.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
