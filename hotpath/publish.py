"""A sealed bundle made public: kept, numbered, sent in chunks, announced; in that order.

A crash between any two steps leaves nothing that a scorer could mistake for a bundle: a number without an
announcement is skipped, chunks without one are never read. Raises Unavailable where the log does not
acknowledge in time.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle import Sealed, chunked
from hotpath.bundle_store import BundleStore
from hotpath.clock import Micros
from hotpath.errors import Unavailable
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import Log

DEADLINE_S = 30
DELIVERY_S = DEADLINE_S - 5
"""For the log to give a record up: what came through after its run had failed would go live all the same."""


def publish(
    sealed: Sealed,
    pipeline: str,
    why: str,
    now: Micros,
    log: Log,
    store: BundleStore,
    key: Ed25519PrivateKey,
    instead_of: int | None = None,
) -> Announcement:
    """Make `sealed` what is to be live: a new bundle, or one that is kept already, to roll back to.

    `instead_of` makes it a rollback: the sequence that is left for it, remembered with the number it takes.
    """
    store.keep(sealed)
    left = {} if instead_of is None else {"instead_of": instead_of}
    sequence = store.take_sequence({"bundle": sealed.id, "at": now, **left})
    chunks = chunked(sealed.packed)
    announcement = Announcement(
        pipeline=pipeline,
        bundle=sealed.id,
        sha256=sealed.sha256,
        size=len(sealed.packed),
        chunks=len(chunks),
        sequence=sequence,
        kind="promote" if instead_of is None else "rollback",
        why=why,
        announced_at=now,
    )
    _send(log, BUNDLES, {f"{sealed.id}/{index}": chunk for index, chunk in enumerate(chunks)})
    _send(log, MODELS, {f"{pipeline}/{sealed.id}": announcement.signed(key)})
    return announcement


def _send(log: Log, topic: str, records: dict[str, bytes]) -> None:
    """Send all and wait until the brokers have them."""
    failures: list[Exception] = []

    def told(error: Exception | None) -> None:
        if error is not None:
            failures.append(error)

    taken = [log.send(topic, value, name.encode(), on_delivery=told) for name, value in records.items()]
    # A second at a time: while librdkafka waits, Python cannot act on a signal.
    flushed = any(log.flush(1.0) == 0 for _ in range(DEADLINE_S))
    if failures or not flushed or not all(taken):
        found = failures[0] if failures else "records not acknowledged"
        raise Unavailable(topic, str(found), f"acknowledgement within {DEADLINE_S} s")
