"""The follower's work: topics in, `swap.step`, its actions carried out, receipts out.

One a host. Owns the loop and the order of things; what may be live is the pure machine's to say, what is
good the sandbox's. Ports are handed in: a log (Kafka or its twin), the folders, and the sandbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hotpath.clock import Clock
from hotpath.contract.types import PIPELINE_NAME
from hotpath.errors import BadArtifact, BadInput
from hotpath.handoffs import BUNDLES, COMMANDS, MODELS, RECEIPTS, Announcement, Command, Receipt
from hotpath.kafka import Entry, Log
from hotpath.signatures import Verifies
from serve.compatible import keeps_callers
from serve.folder import BundleFolder, Pointer
from serve.moves import (
    Action,
    Admit,
    Admitted,
    Announced,
    Arrived,
    Commanded,
    Drop,
    Event,
    Place,
    PointLive,
    Refused,
    Remember,
    Restored,
    Retired,
    Say,
    State,
)
from serve.parcels import Parcels
from serve.swap import step

TOPICS = (MODELS, BUNDLES, COMMANDS)
OVERDUE_S = 60.0
"""Real seconds that a candidate's chunks may be behind its announcement."""

Prove = Callable[[Announcement, bytes], None]
"""Raises BadArtifact unless the candidate's bytes are good, Unavailable when told to stop half way."""

log = logging.getLogger(__name__)


@dataclass
class Follower:
    """Every pipeline's machine on this host. `counts` is what it tells about itself."""

    root: Path
    key: Verifies
    log: Log
    clock: Clock
    scorer: str
    sandbox: Prove
    states: dict[str, State] = field(default_factory=dict)
    parcels: Parcels = field(default_factory=Parcels)
    proved: Announcement | None = None
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("announced", "admitted", "refused"), 0)
    )
    overdue: frozenset[str] = frozenset()
    """Candidates, as PIPELINE/SEQUENCE, that have waited for their bytes for OVERDUE_S."""
    _since: dict[str, float] = field(default_factory=dict)

    def restore(self) -> None:
        """Take up what this host knew. Raises BadArtifact on a memory that cannot be read."""
        for path in sorted(self.root.glob("*/follower.json")):
            folder = BundleFolder(path.parent)
            self._feed(folder.pipeline, Restored(folder.memory(), folder.placed()))

    def hear(self, entry: Entry) -> None:
        """Take one record in. A record that is not what its topic carries is said and passed over.

        Raises OSError where the folder takes nothing: hear it again, it has had no effect.
        """
        try:
            {MODELS: self._model, BUNDLES: self._chunk, COMMANDS: self._command}[entry.topic](entry)
        except (BadArtifact, BadInput) as error:
            self.counts["refused"] += 1
            log.error("%s, offset %s: %s", entry.topic, entry.offset, error)

    def ready(self) -> Announcement | None:
        """The newest candidate whose bytes are here: proved first, it may spare the older ones."""
        candidates = (
            a
            for state in self.states.values()
            for a in state.candidates.values()
            if a.bundle in state.arrived | state.placed
        )
        return max(candidates, key=lambda a: a.sequence, default=None)

    def prove(self, candidate: Announcement) -> None:
        """Put it through the sandbox, and think of callers. Raises Unavailable when told to stop half way.

        Raises OSError where the folder takes nothing: it stays a candidate, proved; call it again.
        """
        try:
            packed = self._bytes(candidate)
            if candidate != self.proved:
                self.sandbox(candidate, packed)
                self.proved = candidate
            self._keeps_callers(candidate, packed)
        except BadArtifact as error:
            log.error("%s: sequence %s: %s", candidate.pipeline, candidate.sequence, error)
            self._feed(candidate.pipeline, Refused(candidate.sequence, str(error)))
        else:
            self._feed(candidate.pipeline, Admitted(candidate.sequence))

    def awaited(self) -> dict[str, str]:
        """What candidates (PIPELINE/SEQUENCE) lack whose bytes are not whole: the first of their chunks."""
        return {
            f"{a.pipeline}/{a.sequence}": self._lacks(a)
            for state in self.states.values()
            for a in state.candidates.values()
            if a.bundle not in state.arrived | state.placed
        }

    def look(self) -> bool:
        """Whether what is `overdue` has changed; each is said once in the log."""
        now, awaited = self.clock.elapsed(), self.awaited()
        self._since = {name: self._since.get(name, now) for name in awaited}
        late = frozenset(name for name, since in self._since.items() if now - since >= OVERDUE_S)
        for name in sorted(late - self.overdue):
            log.warning("%s waits for %s", name, awaited[name])
        changed, self.overdue = late != self.overdue, late
        return changed

    def live(self) -> dict[str, int]:
        """The live sequence, by pipeline."""
        return {name: s.memory.live for name, s in self.states.items() if s.memory.live is not None}

    def _model(self, entry: Entry) -> None:
        pipeline, _, bundle = (entry.key or b"").decode("utf-8", "replace").partition("/")
        if entry.value is None:
            if pipeline in self.states:  # a key is not signed: it names a folder only if an announcement did
                self._feed(pipeline, Retired(bundle))
            return
        try:
            announcement = Announcement.verified(entry.value, self.key)
        except BadArtifact as error:
            # Nothing in it can be believed, so the receipt names it by its key alone.
            self._say(pipeline, Say("refused", 0, bundle, str(error)))
            return
        self.counts["announced"] += 1
        self.parcels.announced(announcement)
        self._feed(announcement.pipeline, Announced(announcement))
        self._arrive(announcement.bundle)

    def _chunk(self, entry: Entry) -> None:
        if entry.value is None:
            self.parcels.lose(entry.key)
            return
        bundle = self.parcels.add(entry.key, entry.value)
        if any(bundle in state.placed for state in self.states.values()):
            self.parcels.drop(bundle)
        self._arrive(bundle)

    def _command(self, entry: Entry) -> None:
        if entry.value is None:
            return
        command = Command.from_bytes(entry.value)
        if not PIPELINE_NAME.fullmatch(command.pipeline):  # nobody signed it, and it names a folder
            raise BadInput("Command.pipeline", command.pipeline, "a pipeline's name")
        self._feed(command.pipeline, Commanded(command))

    def _arrive(self, bundle: str) -> None:
        """Tell the pipeline that waits for it that the bundle is whole, or that it never will be."""
        if (pipeline := self.parcels.pipeline(bundle)) is None:
            return
        try:
            if self.parcels.whole(bundle) is not None:
                self._feed(pipeline, Arrived(bundle))
        except BadArtifact as error:
            waiting = [a.sequence for a in self._state(pipeline).candidates.values() if a.bundle == bundle]
            for sequence in waiting:
                self._feed(pipeline, Refused(sequence, str(error)))

    def _keeps_callers(self, candidate: Announcement, packed: bytes) -> None:
        """Against what answers now, or the newest that may; the first has nobody to disappoint.

        An operator's command on-prem moves between what was admitted and never comes here.
        """
        memory = self._state(candidate.pipeline).memory
        standing = max(memory.eligible(), default=None) if memory.live is None else memory.live
        if standing is not None:
            folder = self._folder(candidate.pipeline)
            keeps_callers(folder, memory.admitted[standing].bundle, packed, self.key)

    def _bytes(self, announcement: Announcement) -> bytes:
        whole = self.parcels.whole(announcement.bundle)
        return self._folder(announcement.pipeline).packed(announcement.bundle) if whole is None else whole

    def _lacks(self, a: Announcement) -> str:
        first = ", ".join(map(str, self.parcels.missing(a.bundle)))
        return f"chunks {first} of {a.chunks}, those at the least"

    def _folder(self, pipeline: str) -> BundleFolder:
        return BundleFolder(self.root / pipeline)

    def _state(self, pipeline: str) -> State:
        return self.states.get(pipeline, State())

    def _feed(self, pipeline: str, event: Event) -> None:
        state, actions = step(self._state(pipeline), event)
        # Known only once it is done: where a disk is full the same event comes again, to the same state.
        for action in actions:
            self._do(pipeline, action)
        self.states[pipeline] = state

    def _do(self, pipeline: str, action: Action) -> None:
        folder = self._folder(pipeline)
        match action:
            case Place(bundle):
                if (whole := self.parcels.whole(bundle)) is not None:
                    folder.place(bundle, whole)
                self.parcels.drop(bundle)
            case Remember(memory):
                folder.remember(memory)
            case PointLive(sequence, bundle):
                self._point(folder, sequence, bundle)
            case Say():
                self._say(pipeline, action)
            case Drop(bundle):
                self.parcels.drop(bundle)
                folder.drop(bundle)
            case Admit():
                pass  # `ready` finds it among the candidates, newest first

    def _point(self, folder: BundleFolder, sequence: int, bundle: str) -> None:
        before = folder.pointer()
        if before is None or (before.sequence, before.bundle) != (sequence, bundle):
            folder.point(Pointer(sequence, bundle, self.clock.now()))

    def _say(self, pipeline: str, said: Say) -> None:
        self.counts[said.kind] += 1
        log.info("%s: sequence %s %s: %s", pipeline, said.sequence, said.kind, said.why)
        at = self.clock.now()
        receipt = Receipt(pipeline, self.scorer, said.sequence, said.bundle, said.kind, said.why, at)
        if not self.log.send(RECEIPTS, receipt.to_bytes(), key=pipeline.encode()):
            log.warning("%s: no room to send the receipt of sequence %s", pipeline, said.sequence)
