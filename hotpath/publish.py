"""A sealed bundle made public: kept, numbered, sent in chunks, announced; in that order.

A crash between any two steps leaves nothing that a scorer could mistake for a bundle: a number without an
announcement is skipped, chunks without one are never read. Taking a bundle back goes the other way round: the
announcement, the chunks, the bytes kept here; what a crash leaves is taken back by the next look. Raises
Unavailable where the log does not acknowledge in time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotpath.bundle import Sealed, chunked
from hotpath.bundle_store import BundleStore, waiting
from hotpath.champion import unheard
from hotpath.clock import Clock, Micros
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import BUNDLES, MODELS, RECEIPTS, Announcement, Receipt
from hotpath.kafka import Log, standing
from hotpath.retention import by_bundle, retired
from hotpath.signatures import Pair, Signs, Verifies

DEADLINE_S = 30
DELIVERY_S = DEADLINE_S - 5
"""For the log to give a record up: what came through after its run had failed would go live all the same."""

UNANSWERED_S = 600.0
"""A host takes a minute at the most to prove a candidate; where a line is cut for longer it does no harm."""

LONGEST_S = 86_400.0
"""Between two sends of what nobody answers."""

POINTS = ("before the chunks", "between chunks", "before the announcement", "after the announcement")
"""What `reached` is called with, so that a test can end the process there."""

logger = logging.getLogger(__name__)


def publish(
    sealed: Sealed,
    pipeline: str,
    why: str,
    now: Micros,
    log: Log,
    store: BundleStore,
    key: Signs,
    instead_of: int | None = None,
    reached: Callable[[str], None] = lambda _: None,
) -> Announcement:
    """Make `sealed` what is to be live: a new bundle, or one that is kept already, to roll back to.

    `instead_of` makes it a rollback: the sequence that is left for it, remembered with the number it takes.
    """
    left = {} if instead_of is None else {"instead_of": instead_of}
    with store.turn():
        store.keep(sealed)
        announcement = Announcement(
            pipeline=pipeline,
            bundle=sealed.id,
            sha256=sealed.sha256,
            size=len(sealed.packed),
            chunks=len(chunked(sealed.packed)),
            sequence=store.take_sequence({"bundle": sealed.id, "at": now, **left}),
            kind="promote" if instead_of is None else "rollback",
            why=why,
            announced_at=now,
        )
        _announce(announcement, sealed, log, key, reached)
    return announcement


def again(said: Announcement, log: Log, store: BundleStore, key: Signs) -> None:
    """Send once more what was announced: whoever has all of it takes no notice, whoever lacks a part has it.

    Raises BadArtifact where the store does not keep the announced bytes any longer.
    """
    with store.turn():
        sealed = store.sealed(said.bundle)
        if sealed.sha256 != said.sha256:
            raise BadArtifact(f"bundle {said.bundle}", sealed.sha256, f"the announced {said.sha256}")
        _announce(said, sealed, log, key)


def announced(pipeline: str, log: Log, key: Verifies) -> dict[int, Announcement]:
    """Every announcement that stands now and was not taken back, by sequence. Raises Unavailable.

    Forged and garbled ones are said and passed over, as every reader does.
    """
    found: dict[int, Announcement] = {}
    for entry in standing(log, MODELS):
        if entry.value is None:  # the tombstone of a bundle that was retired
            _, _, gone = (entry.key or b"").decode("utf-8", "replace").partition("/")
            found = {s: a for s, a in found.items() if a.bundle != gone}
        elif (said := _verified(entry.value, key)) is not None and said.pipeline == pipeline:
            found[said.sequence] = said
    return found


def receipts(pipeline: str, log: Log) -> list[Receipt]:
    """Every receipt of a pipeline that stands now. Raises Unavailable."""
    said = Receipt.readable(entry.value for entry in standing(log, RECEIPTS))
    return [receipt for receipt in said if receipt.pipeline == pipeline]


@dataclass
class Unanswered:
    """Sends the newest announcement again while no scorer's host says a word of it, good or bad.

    A chunk, or the announcement itself, was lost on its way: nothing else would ever bring it. One look in
    `every_s` real seconds; what has been silent for as long goes out once more, and again after twice as long
    each time, up to a day: a host that is off would otherwise have the line filled with one bundle. `key`
    signs, and knows what was signed.
    """

    pipeline: str
    log: Log
    store: BundleStore
    key: Pair
    clock: Clock
    every_s: float = UNANSWERED_S
    _next: float = 0.0
    _suspect: int | None = None
    _pause: float = 0.0
    _due: float = 0.0

    def look(self) -> Announcement | None:
        """What was sent again; None mostly. Raises Unavailable, BadArtifact where its bytes are gone."""
        if (now := self.clock.elapsed()) < self._next:
            return None
        self._next = now + self.every_s
        said = unheard(
            announced(self.pipeline, self.log, self.key).values(), receipts(self.pipeline, self.log)
        )
        before, self._suspect = self._suspect, said.sequence if said else None
        if said is None or said.sequence != before:
            self._pause, self._due = self.every_s, self._next
            return None
        if now < self._due:
            return None
        logger.warning("%s: nobody answers sequence %d: sent again", self.pipeline, said.sequence)
        again(said, self.log, self.store, self.key)
        self._pause = min(2 * self._pause, LONGEST_S)
        self._due = now + self._pause
        return said


def sweep(pipeline: str, log: Log, store: BundleStore, keep: int, now: Micros) -> tuple[str, ...]:
    """Take back what `hotpath.retention` lets go of; those bundles. Raises Unavailable.

    Decided in the turn in which it is done: what is announced in between, to roll back to, would be lost.
    """
    with store.turn():
        runs, taken = store.runs(), store.taken()
        trained = {run.bundle: run.began_at for run in runs}
        known = by_bundle(taken, {bundle: trained.get(bundle, 0) for bundle in store.kept()})
        waits = waiting(runs)
        gone = retired(known, receipts(pipeline, log), keep, now, waits.bundle if waits else None)
        for bundle in gone:
            _retire(bundle, pipeline, log, store)
            logger.info("%s: bundle %s is kept no longer", pipeline, bundle)
    return gone


def retire(bundle: str, pipeline: str, log: Log, store: BundleStore) -> None:
    """Take a bundle back: nobody who starts anew hears of it. Whoever has it live keeps it.

    Raises BadArtifact where its bytes cannot be read.
    """
    with store.turn():
        _retire(bundle, pipeline, log, store)


def _retire(bundle: str, pipeline: str, log: Log, store: BundleStore) -> None:
    """In a turn that is held already."""
    chunks = len(chunked(store.sealed(bundle).packed))
    _send(log, MODELS, {f"{pipeline}/{bundle}": None})
    _send(log, BUNDLES, {f"{bundle}/{index}": None for index in range(chunks)})
    store.remove(bundle)


def _announce(
    said: Announcement, sealed: Sealed, log: Log, key: Signs, reached: Callable[[str], None] = lambda _: None
) -> None:
    chunks = {f"{sealed.id}/{index}": chunk for index, chunk in enumerate(chunked(sealed.packed))}
    reached("before the chunks")
    _send(log, BUNDLES, chunks, lambda: reached("between chunks"))
    reached("before the announcement")
    _send(log, MODELS, {f"{said.pipeline}/{said.bundle}": said.signed(key)})
    reached("after the announcement")


def _verified(value: bytes, key: Verifies) -> Announcement | None:
    try:
        return Announcement.verified(value, key)
    except BadArtifact as error:
        logger.error("%s: %s", MODELS, error)
        return None


def _send(
    log: Log, topic: str, records: Mapping[str, bytes | None], after_first: Callable[[], None] = lambda: None
) -> None:
    """Send all and wait until the brokers have them."""
    failures: list[Exception] = []

    def told(error: Exception | None) -> None:
        if error is not None:
            failures.append(error)

    taken = []
    for name, value in records.items():
        taken.append(log.send(topic, value, name.encode(), on_delivery=told))
        if len(taken) == 1:
            after_first()
    # A second at a time: while librdkafka waits, Python cannot act on a signal.
    flushed = any(log.flush(1.0) == 0 for _ in range(DEADLINE_S))
    if failures or not flushed or not all(taken):
        found = failures[0] if failures else "records not acknowledged"
        raise Unavailable(topic, str(found), f"acknowledgement within {DEADLINE_S} s")
