"""The workers' side of a swap: one slot a pipeline, and the watcher that keeps it at the live pointer.

A request takes `slot.live` once and keeps it until it has answered; a swap is one attribute store, done off
the request path after the new generation was verified, built and warmed. The previous one stays for an
instant rollback; an older one is freed when its last reader lets go (Python counts them).

Owns when to load and when to point. Knows neither how a bundle becomes a generation nor Kafka: both are
handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hotpath.errors import BadArtifact
from serve.folder import BundleFolder, Pointer
from serve.generation import Generation

Load = Callable[[BundleFolder, Pointer], Generation]
"""Verify, build and warm what a pointer names; raises BadArtifact."""
Outcome = Literal["live", "rolled_back", "refused"]
"""What came of following a pointer: the kinds of receipt that a worker sends."""
Told = Callable[[str, Outcome, Pointer, str], None]
"""Hears pipeline, outcome, pointer and why."""

log = logging.getLogger(__name__)


class Slot:
    """One pipeline's generations on this worker. `live` is read by any thread, written by the watcher."""

    def __init__(self) -> None:
        self.live: Generation | None = None
        self.previous: Generation | None = None
        self.seen: Pointer | None = None

    def point(self, generation: Generation) -> None:
        """Make it live; the one that was stays as the previous."""
        if generation is not self.live:
            self.live, self.previous = generation, self.live


class Slots:
    """The slots of every pipeline whose folder stands under `root`."""

    def __init__(self, root: Path, load: Load, told: Told) -> None:
        self._root, self._load, self._told = root, load, told
        self._slots: dict[str, Slot] = {}
        self._awaited: frozenset[str] | None = None

    def live(self, pipeline: str) -> Generation | None:
        """The generation to answer with now; None where none is verified. KeyError: no such pipeline."""
        return self._slots[pipeline].live

    def all(self) -> dict[str, Generation | None]:
        """What is live, by pipeline."""
        return {name: slot.live for name, slot in sorted(self._slots.items())}

    @property
    def ready(self) -> bool:
        """Whether there is a verified generation here, and one of every pipeline that stood on this host when
        this worker first looked. A pipeline that is deployed later takes nothing from those that answer.
        """
        live = {name for name, slot in self._slots.items() if slot.live is not None}
        return bool(live) and live >= (self._awaited or frozenset())

    def look(self) -> None:
        """Follow every live pointer once. A bundle that is not good leaves what is live untouched."""
        paths = sorted(self._root.glob("*/live.json"))
        if self._awaited is None:
            self._awaited = frozenset(path.parent.name for path in paths)
        for path in paths:
            folder = BundleFolder(path.parent)
            try:
                self._follow(folder)
            except BadArtifact as error:
                log.error("%s: %s", folder.pipeline, error)

    def _follow(self, folder: BundleFolder) -> None:
        slot = self._slot(folder.pipeline)
        pointer = folder.pointer()
        if pointer is None or pointer == slot.seen:
            return
        slot.seen = pointer
        try:
            found = self._kept(slot, pointer) or self._load(folder, pointer)
        except BadArtifact as error:
            self._told(folder.pipeline, "refused", pointer, str(error))
            raise
        back = slot.live is not None and pointer.sequence < slot.live.sequence
        slot.point(found)
        self._told(folder.pipeline, "rolled_back" if back else "live", pointer, "")

    def _slot(self, pipeline: str) -> Slot:
        if pipeline not in self._slots:
            # A new mapping, not a longer one: the request path may be walking over it just now.
            self._slots = {**self._slots, pipeline: Slot()}
        return self._slots[pipeline]

    @staticmethod
    def _kept(slot: Slot, pointer: Pointer) -> Generation | None:
        named = (pointer.sequence, pointer.bundle)
        both = (slot.live, slot.previous)
        return next((g for g in both if g is not None and (g.sequence, g.bundle) == named), None)
