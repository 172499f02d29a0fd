"""Outcomes as they come in: scores and labels joined from the lake's batches, live quality, the floor.

A watch of the monitoring job, one a pipeline. It holds what `monitoring.held` describes, in memory and in
`outcomes.state`, from which a restart goes on; lost, it is rebuilt from the lake. What it found it says in
points and in `outcomes.json`, with the cursor up to which that is all there is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from math import inf
from pathlib import Path

import numpy as np

from hotpath import files
from hotpath.bundle_store import BundleStore
from hotpath.clock import Clock, Micros
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.handoffs import Announcement, Receipt
from hotpath.kafka import Log
from hotpath.lake import ARROW_TYPES, Lake, Manifest
from hotpath.points import Points
from hotpath.signatures import Pair
from monitoring import joined
from monitoring.floor_watch import FloorWatch
from monitoring.held import Held, retention
from monitoring.outcomes import WINDOW, Figures, Outcomes, figures
from monitoring.quality import NAMES
from monitoring.rollback import Rollback

EVERY_S = 10.0
SHARE = 0.1
"""Of real time that looking may take: the more there is to join, the seldomer."""

log = logging.getLogger(__name__)


class OutcomeWatch:
    """One pipeline's outcomes. `folder` is the pipeline's of the monitoring job, `log` the cloud's."""

    def __init__(
        self,
        lake: Lake,
        contract: Contract,
        store: BundleStore,
        key: Pair,
        log: Log,
        points: Points,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._lake, self._contract, self._store = lake, contract, store
        self._points, self._clock, self._folder = points, clock, folder
        rollback = Rollback(contract.name, store, log, key)
        self._floor = None if contract.floor is None else FloorWatch(contract.floor, rollback, points, clock)
        self._held = self._restored()
        self._announced_at: dict[int, Micros] = {}
        self._said: dict[str, object] = {}
        self._changed, self._next = True, -inf

    @property
    def cursor(self) -> int:
        """The batch it wants next."""
        return self._held.cursor

    def take(self, manifest: Manifest) -> None:
        """Read what one batch landed. Raises BadArtifact on a file that is not what its manifest lists."""
        if manifest.batch < self.cursor:
            return
        about = self._contract.labels
        scores = self._lake.read("scores", joined.SCORE_COLUMNS, [manifest], joined.CLASS_COLUMNS)
        truth = {about.target: ARROW_TYPES[about.truth.type]}
        labels = self._lake.read_known("labels", joined.label_columns(about), [manifest], truth)
        self._held.bundles = {**joined.bundles(scores), **self._held.bundles}
        answers, told = joined.answers(scores, about), joined.told(labels, about)
        self._held.take(manifest.batch, manifest.landed_at, answers, told)
        self._changed = True

    def announced(self, announcement: Announcement) -> None:
        """A verified announcement stands on `hotpath.models`."""
        if announcement.pipeline != self._contract.name:
            return
        self._announced_at[announcement.sequence] = announcement.announced_at
        if self._floor is not None:
            self._floor.announced[announcement.sequence] = announcement
        self._changed = True

    def receipt(self, receipt: Receipt) -> None:
        """A scorer says what it did with a generation."""
        if receipt.pipeline == self._contract.name and self._floor is not None:
            self._floor.receipt(receipt)
            self._changed = True

    def tick(self) -> None:
        """Say how good the answers are, and keep what is held; seldom, and only when something changed."""
        began = self._clock.elapsed()
        if not self._changed or began < self._next:
            return
        try:
            self.look()
            self._changed = False
        finally:  # also where a disk is full: looking again at once would take all of a core
            self._next = began + max(EVERY_S, (self._clock.elapsed() - began) / SHARE)

    def look(self) -> None:
        """Join what was taken in, measure, say and keep it, and hold the live model against the floor."""
        outcomes = self._outcomes()
        window = WINDOW if self._contract.floor is None else self._contract.floor.window
        found = figures(outcomes, self._ages(outcomes), window)
        for by, groups in found.items():
            for group, quality in groups.items():
                self._points.say("outcomes", quality.plain(), {"by": by, "group": group})
        self._said = self._shown(found)
        self._keep()
        if self._floor is not None:
            self._floor.look(outcomes, self._held.bundles)

    def figures(self) -> dict[str, object]:
        """What the last look found, as it stands in `outcomes.json`.

        `metrics` names those to show; `all` and each group of `by` are `Quality.plain`, None where one is not
        defined. What was asked before `since` is not counted any more; of the batches before `cursor` all is.
        """
        return self._said

    def _outcomes(self) -> Outcomes:
        held = self._held.settled()
        target = joined.targets(held.answers, held.labels, self._contract.labels.horizon)
        return Outcomes(held.answers, target, held.seen, self._contract.labels.kind)

    def _ages(self, outcomes: Outcomes) -> Mapping[int, Micros]:
        """When each sequence was announced; of one whose announcement a newer of its bundle has replaced on
        the compacted topic, the store knows.
        """
        asked = set(np.unique(outcomes.answers["sequence"]).tolist())
        if missing := asked - self._announced_at.keys():
            taken = self._store.taken()
            self._announced_at |= {s: int(str(taken[s]["at"])) for s in missing if s in taken}
        return self._announced_at

    def _shown(self, found: Figures) -> dict[str, object]:
        plain = {by: {group: q.plain() for group, q in groups.items()} for by, groups in found.items()}
        held, everything = self._held, plain.pop("all")["all"]
        facts = {"cursor": held.cursor, "seen": held.seen, "since": held.since}
        shown = {"metrics": self._names(), "all": everything, "by": plain}
        return {"pipeline": self._contract.name, **facts, **shown}

    def _names(self) -> list[str]:
        """What to show first: the kind's few, and the metric that the floor is on."""
        names, floor = NAMES[self._contract.labels.kind], self._contract.floor
        return [*names, *([floor.metric] if floor is not None and floor.metric not in names else [])]

    def _keep(self) -> None:
        """The state first: figures must never tell of batches that a restart would have to read again."""
        files.replace(self._state, self._held.to_bytes(self._contract.name))
        files.replace(self._folder / "outcomes.json", json.dumps(self._said, sort_keys=True).encode())

    @property
    def _state(self) -> Path:
        return self._folder / "outcomes.state"

    def _restored(self) -> Held:
        """What was held when it was last written down; from the lake's beginning where that is lost."""
        labels, kept = self._contract.labels, retention(self._contract)
        try:
            return Held.from_bytes(self._state.read_bytes(), self._contract.name, labels, kept)
        except FileNotFoundError:
            return Held(labels, kept)
        except BadArtifact as error:
            log.warning("%s: %s", self._state, error)
            return Held(labels, kept)
