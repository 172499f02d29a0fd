"""Keeps the lakes of all pipelines in order: `python -m transform.upkeep`.

Composition root, one process in the cloud. Each `lake.compact_every` of the domain's time a pipeline's small
files become large ones and what is past its time is put out of force; what is out of force is removed once
readers have had `lake.keep_superseded_s`. One bad lake is told and tried again later; the others go on. Ends
with 0 on SIGTERM wherever it is: a kill at any moment loses nothing.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hotpath import rewriting
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.model import Contract
from hotpath.deployed import contracts
from hotpath.due import due
from hotpath.errors import HotpathError
from hotpath.files import hold
from hotpath.kafka import KafkaLog
from hotpath.lake import Lake
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.settings import Settings, load
from transform.compaction import compact
from transform.ranges import large
from transform.retention import retire

TURN_S = 5.0
LOOK_S = 30.0
"""Between two looks at a lake."""
RETRY_S = 60.0
"""After trouble."""
QUEUED_POINTS = 1_000
FLUSH_S = 1.0

log = logging.getLogger("upkeep")


@dataclass
class Upkeep:
    """`turn` does what is due; it remembers nothing that a restart would miss."""

    settings: Settings
    clock: Clock
    points: Points
    progress: Progress
    _compacted: dict[str, Micros] = field(default_factory=dict)
    _next: dict[str, float] = field(default_factory=dict)
    _seconds: dict[str, float] = field(default_factory=dict)

    def turn(self, pipelines: Sequence[Contract]) -> None:
        """Look after each lake that is due for a look."""
        for contract in pipelines:
            if self.clock.elapsed() < self._next.get(contract.name, 0.0):
                continue
            pause = LOOK_S
            try:
                self._keep(contract)
            except (HotpathError, OSError) as error:
                log.error("%s: %s", contract.name, error)
                pause = RETRY_S
            self._next[contract.name] = self.clock.elapsed() + pause

    def _keep(self, contract: Contract) -> None:
        lake = Lake(self.settings.lake_root(), contract.name)
        if not lake.folder.is_dir():
            return
        last, every = self._compacted.get(contract.name), self.settings.lake.compaction
        began, now = self.clock.elapsed(), self.clock.now()
        is_due = due(last, every, now)
        ranges = 0
        try:
            if is_due:
                self.progress.say("compacting", pipeline=contract.name)
                ranges = compact(lake)
        finally:  # also after a bad file or on a full disk what is past its time goes
            retired, removed = self._take_away(lake, contract, now if is_due else None)
        if is_due:
            self._compacted[contract.name] = now
            self._seconds[contract.name] = self.clock.elapsed() - began
        self._say(lake, contract.name, retired)
        if ranges or retired or removed:
            log.info(
                "%s: %d ranges made, %d retired, %d files removed", contract.name, ranges, retired, removed
            )

    def _take_away(self, lake: Lake, contract: Contract, now: Micros | None) -> tuple[int, int]:
        """What is retired at `now` (None: nothing is), and files removed."""
        retired = 0 if now is None else retire(lake, contract, now)
        before = self.clock.real() - int(self.settings.lake.keep_superseded_s * SECOND)
        with rewriting.hold(lake):
            return retired, rewriting.remove_superseded(lake, before)

    def _say(self, lake: Lake, name: str, retired: int) -> None:
        found = lake.manifests()
        facts = {
            "files": sum(len(manifest.files) for manifest in found),
            "bytes": sum(manifest.size for manifest in found),
            "large": large(found),
            "manifests": len(found),
            "superseded": len(lake.names()) - len(found),
            "retired": retired,
            "seconds": self._seconds.get(name),
        }
        self.points.say("lake", facts, {"pipeline": name})
        self.progress.say("keeping", pipeline=name, manifests=len(found))


def main(arguments: Sequence[str]) -> int:
    """Run until SIGTERM. Returns 0, or 1 after an error that was logged."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = load(Path(arguments[0]) if arguments else None)
        with hold(settings.state("upkeep").with_suffix(".lock"), "upkeep a data folder"):
            _run(settings)
    except HotpathError as error:
        log.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def _run(settings: Settings) -> None:
    clock, progress = Clock(settings.clock_file()), Progress(settings.state("upkeep"))
    kafka = KafkaLog(settings.kafka.cloud.address, queued=QUEUED_POINTS)
    upkeep = Upkeep(settings, clock, Points(kafka, clock, {}), progress)
    progress.say("running")
    try:
        while True:
            try:
                upkeep.turn(contracts(settings))
            except HotpathError as error:  # what is deployed does not read: the next turn looks again
                log.error("%s", error)
            kafka.poll(0)
            wait(TURN_S)
    finally:
        progress.say("stopped")
        kafka.flush(FLUSH_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
