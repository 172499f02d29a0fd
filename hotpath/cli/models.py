"""The models a scorer's site knows: announcements that verify, and the receipts for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hotpath.errors import BadArtifact
from hotpath.handoffs import MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import Log, standing
from hotpath.keys import verify_key


def listed(log: Log, key_file: Path, pipeline: str) -> list[dict[str, object]]:
    """One row an announcement, oldest sequence first. Raises Unavailable, BadConfig."""
    key = verify_key(key_file)
    announced = _verified((e.value for e in standing(log, MODELS)), key)
    receipts = Receipt.readable(e.value for e in standing(log, RECEIPTS))
    rows = sorted((a for a in announced if a.pipeline == pipeline), key=lambda a: a.sequence)
    return [
        {
            "sequence": a.sequence,
            "bundle": a.bundle,
            "kind": a.kind,
            "receipts": [r.kind for r in receipts if (r.pipeline, r.sequence) == (pipeline, a.sequence)],
        }
        for a in rows
    ]


def _verified(values: Iterable[bytes | None], key: Ed25519PublicKey) -> Iterator[Announcement]:
    """Forged and garbled ones are left out, as the follower leaves them out: it says so in a receipt."""
    for value in values:
        with suppress(BadArtifact):
            if value is not None:
                yield Announcement.verified(value, key)
