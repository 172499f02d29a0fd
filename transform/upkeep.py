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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hotpath import rewriting
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.model import Contract
from hotpath.deployed import contracts
from hotpath.due import due
from hotpath.errors import BadArtifact, HotpathError
from hotpath.files import hold
from hotpath.kafka import KafkaLog
from hotpath.lake import Lake
from hotpath.manifests import Manifest, Name, in_force
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
LONGEST = 2_000
"""Characters that are told of what hinders a lake."""
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
    _hindered: dict[str, str] = field(default_factory=dict)

    def turn(self, pipelines: Sequence[Contract]) -> None:
        """Look after each lake that is due for a look."""
        for contract in pipelines:
            if self.clock.elapsed() < self._next.get(contract.name, 0.0):
                continue
            lake = Lake(self.settings.lake_root(), contract.name)
            troubles: Sequence[str] = ()
            try:
                if lake.folder.is_dir():
                    troubles = self._keep(lake, contract)
            except (HotpathError, OSError) as error:  # a folder or a clock that does not read
                troubles = (str(error),)
            for trouble in troubles:
                log.error("%s: %s", contract.name, trouble)
            pause = RETRY_S if troubles else LOOK_S
            self._next[contract.name] = self.clock.elapsed() + pause

    def _keep(self, lake: Lake, contract: Contract) -> Sequence[str]:
        """Do what is due, each step whatever becomes of the others: a harmed file must not keep on the disk
        what is past its time. Returns what hindered it.
        """
        last, every = self._compacted.get(contract.name), self.settings.lake.compaction
        began, now = self.clock.elapsed(), self.clock.now()
        is_due = due(last, every, now)
        troubles, ranges, retired = dict[str, None](), 0, 0  # told once each, in their order

        def tried(step: Callable[[], int]) -> int:
            try:
                return step()
            except (HotpathError, OSError) as error:
                troubles[str(error)] = None
                return 0

        if is_due:
            self.progress.say("compacting", pipeline=contract.name)
            ranges = tried(lambda: compact(lake))
            retired = tried(lambda: retire(lake, contract, now))
        removed = tried(lambda: self._remove(lake))
        if is_due and not troubles:
            self._compacted[contract.name] = now
            self._seconds[contract.name] = self.clock.elapsed() - began
        self._say(lake, contract.name, retired, "; ".join(troubles))
        if ranges or retired or removed:
            log.info(
                "%s: %d ranges made, %d retired, %d files removed", contract.name, ranges, retired, removed
            )
        return tuple(troubles)

    def _remove(self, lake: Lake) -> int:
        before = self.clock.real() - int(self.settings.lake.keep_superseded_s * SECOND)
        with rewriting.hold(lake):
            return rewriting.remove_superseded(lake, before)

    def _say(self, lake: Lake, name: str, retired: int, trouble: str) -> None:
        """What the lake holds, as far as its manifests read, and what hinders which pipeline."""
        names = lake.names()
        force = in_force(names)
        found = list(_readable(lake, force))
        facts = {
            "files": sum(len(manifest.files) for manifest in found),
            "bytes": sum(manifest.size for manifest in found),
            "large": large(found),
            "manifests": len(force),
            "superseded": len(names) - len(force),
            "retired": retired,
            "seconds": self._seconds.get(name),
        }
        self.points.say("lake", facts, {"pipeline": name})
        self._hindered.pop(name, None)
        if trouble:
            self._hindered[name] = trouble
        state = "hindered" if self._hindered else "keeping"
        why = {pipeline: text[:LONGEST] for pipeline, text in self._hindered.items()}
        self.progress.say(state, pipeline=name, manifests=len(force), why=why)


def _readable(lake: Lake, names: Iterable[Name]) -> Iterator[Manifest]:
    for name in names:
        with suppress(BadArtifact, OSError):  # told by the step that needed it
            yield lake.read_manifest(name)


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
                progress.say("hindered", why={"deployed": str(error)})
            kafka.poll(0)
            wait(TURN_S)
    finally:
        progress.say("stopped")
        kafka.flush(FLUSH_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
