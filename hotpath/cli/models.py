"""The models a scorer's site knows: announcements that verify, and the receipts for each."""

from __future__ import annotations

from pathlib import Path

from hotpath.handoffs import MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import Log, standing
from hotpath.keys import verify_key


def listed(log: Log, key_file: Path, pipeline: str) -> list[dict[str, object]]:
    """One row an announcement, oldest sequence first. Raises Unavailable, BadConfig."""
    key = verify_key(key_file)
    announced = (Announcement.verified(e.value, key) for e in standing(log, MODELS) if e.value is not None)
    receipts = [Receipt.from_bytes(e.value) for e in standing(log, RECEIPTS)]
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
