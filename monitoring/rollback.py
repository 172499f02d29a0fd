"""A rollback said: an older bundle's bytes out of the store, proved, and announced under a new sequence.

Whether one is due is `monitoring.floor`'s. What stands on `hotpath.models` decides whether one was announced:
a process that dies after it and comes again reads it there, one that dies before it begins anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hotpath.bundle import Sealed, opened
from hotpath.bundle_store import BundleStore
from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.handoffs import Announcement
from hotpath.kafka import Log
from hotpath.publish import announced, publish
from hotpath.signatures import Pair

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollback:
    """One pipeline's announcements and bundles. `log` is the cloud's."""

    pipeline: str
    store: BundleStore
    log: Log
    key: Pair

    def announced(self) -> dict[int, Announcement]:
        """Every announcement that stands now and was not taken back, by sequence. Raises Unavailable."""
        return announced(self.pipeline, self.log, self.key)

    def left(self) -> frozenset[str]:
        """Bundles that were rolled back from."""
        taken = self.store.taken()
        sequences = (of["instead_of"] for of in taken.values() if "instead_of" in of)
        return frozenset(str(taken[s]["bundle"]) for s in sequences if isinstance(s, int) and s in taken)

    def backs(self) -> frozenset[int]:
        """Sequences that went back, and those that an operator forced: each begins a row of windows anew."""
        rollbacks = {sequence for sequence, of in self.store.taken().items() if "instead_of" in of}
        return frozenset(rollbacks | {forced.sequence for forced in self.store.forced()})

    def announce(self, to: Announcement, instead_of: int, why: str, now: Micros) -> Announcement:
        """Roll back to what `to` announced. Raises BadArtifact where its bytes are not in the store as they
        were signed, Unavailable where the log does not acknowledge.
        """
        sealed = self._proved(to)
        said = publish(sealed, self.pipeline, why, now, self.log, self.store, self.key, instead_of)
        log.warning(
            "%s: sequence %d rolls back to bundle %s: %s", self.pipeline, said.sequence, to.bundle, why
        )
        return said

    def _proved(self, to: Announcement) -> Sealed:
        sealed = self.store.sealed(to.bundle)
        found = opened(sealed.packed, self.key).id
        if found != to.bundle:
            raise BadArtifact("kept bundle", found, f"bundle {to.bundle}")
        return sealed
