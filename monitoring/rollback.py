"""A rollback said: an older bundle's bytes out of the store, proved, and announced under a new sequence.

Whether one is due is `monitoring.floor`'s. What stands on `hotpath.models` decides whether one was announced:
a process that dies after it and comes again reads it there, one that dies before it begins anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import Sealed, opened
from hotpath.bundle_store import BundleStore
from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.handoffs import MODELS, Announcement
from hotpath.kafka import Log, standing
from hotpath.publish import publish

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollback:
    """One pipeline's announcements and bundles. `log` is the cloud's."""

    pipeline: str
    store: BundleStore
    log: Log
    key: Ed25519PrivateKey

    def announced(self) -> dict[int, Announcement]:
        """Every announcement that stands now and was not taken back, by sequence. Raises Unavailable."""
        found: dict[int, Announcement] = {}
        for entry in standing(self.log, MODELS):
            if entry.value is None:  # the tombstone of a bundle that was retired
                _, _, retired = (entry.key or b"").decode("utf-8", "replace").partition("/")
                found = {s: a for s, a in found.items() if a.bundle != retired}
            elif (said := self._verified(entry.value)) is not None and said.pipeline == self.pipeline:
                found[said.sequence] = said
        return found

    def left(self) -> frozenset[str]:
        """Bundles that were rolled back from."""
        taken = self.store.taken()
        sequences = (of["instead_of"] for of in taken.values() if "instead_of" in of)
        return frozenset(str(taken[s]["bundle"]) for s in sequences if isinstance(s, int) and s in taken)

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
        found = opened(sealed.packed, self.key.public_key()).id
        if found != to.bundle:
            raise BadArtifact("kept bundle", found, f"bundle {to.bundle}")
        return sealed

    def _verified(self, value: bytes) -> Announcement | None:
        try:
            return Announcement.verified(value, self.key.public_key())
        except BadArtifact as error:
            log.error("%s: %s", MODELS, error)
            return None
