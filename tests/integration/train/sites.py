"""A trainer's surroundings: a data folder with keys, a lake, and a clock that stands where the lake ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath import keys, settings
from hotpath.bundle import Bundle, opened
from hotpath.bundle_store import BundleStore
from hotpath.clock import SECOND, Clock, Micros, Segment
from hotpath.contract.model import Contract
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import MemoryLog
from hotpath.lake import Lake
from hotpath.local.ports import free_port
from hotpath.progress import Progress
from train.attempt import Trainer
from train.folder import Folder


@dataclass(frozen=True)
class Site:
    """One pipeline's surroundings; the clock stands at `now`."""

    folder: Path
    contract: Contract
    log: MemoryLog
    now: Micros

    def trainer(self, contract: Contract | None = None) -> Trainer:
        return Trainer(
            contract=contract or self.contract,
            folder=Folder(self.folder / "run"),
            store=BundleStore(self.folder / "store"),
            log=self.log,
            signing=self.folder / "signing.pem",
            verifying=self.folder / "verify.pem",
            clock=Clock(self.folder / "clock.jsonl"),
            progress=Progress(self.folder / "state.json"),
            clock_limit=5 * SECOND,
            limits=settings.load().train,
        )

    def bundle(self, said: Announcement) -> Bundle:
        """What a scorer would open: the announced chunks off the log."""
        chunks = {e.key: e.value or b"" for e in self.log.entries if e.topic == BUNDLES}
        packed = b"".join(chunks[f"{said.bundle}/{i}".encode()] for i in range(said.chunks))
        return opened(packed, keys.verify_key(self.folder / "verify.pem"))

    def announced(self) -> list[Announcement]:
        key = keys.verify_key(self.folder / "verify.pem")
        return [Announcement.verified(e.value or b"", key) for e in self.log.entries if e.topic == MODELS]

    def landed(self) -> dict[str, str]:
        """The lake's files and their hashes."""
        files = sorted(path for path in (self.folder / "cloud" / "lake").rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def site(
    folder: Path, contract: Contract, land: Callable[[Lake], Micros], environment: pytest.MonkeyPatch
) -> Site:
    """A site whose lake `land` fills up to the instant it returns.

    The children read the same settings as everyone: from the environment.
    """
    environment.setenv("HOTPATH__DATA", str(folder))
    environment.setenv("HOTPATH__H2O__PORT", str(free_port()))
    keys.make(folder / "signing.pem", folder / "verify.pem")
    now = land(Lake(folder / "cloud" / "lake", contract.name))
    Clock(folder / "clock.jsonl").append(Segment(0, now, 0))
    return Site(folder, contract, MemoryLog(), now)
