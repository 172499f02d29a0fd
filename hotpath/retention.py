"""Which bundles the store keeps no longer. Pure.

Of those that were announced the newest stay, and as many of those that the gate held back, so that an
operator may force one. Beside them stays whatever answers anywhere or may be gone back to without a person.
Where receipts do not tell what is live, nothing goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hotpath.champion import LIVE, answering
from hotpath.clock import MINUTE, Micros
from hotpath.handoffs import Receipt

YOUNG: Micros = 60 * MINUTE
"""Since its announcement: a host that was away may be about to take it."""


@dataclass(frozen=True)
class Kept:
    """A bundle in the store: when it was announced last, or trained; its highest sequence (0: never any)."""

    bundle: str
    at: Micros
    sequence: int = 0


def retired(
    kept: Iterable[Kept], receipts: Sequence[Receipt], keep: int, now: Micros, waiting: str | None = None
) -> tuple[str, ...]:
    """Bundles of one pipeline that may go, the oldest first; `keep` of either kind stay in any case.

    `waiting`: the challenger that waits for outcomes. `receipts`: all that are known of this pipeline.
    """
    if not any(r.kind in LIVE for r in receipts):
        return ()
    by_age = sorted(kept, key=lambda k: (k.sequence, k.at, k.bundle))
    announced = [k for k in by_age if k.sequence]
    held_back = [k for k in by_age if not k.sequence]
    old = [*announced[: max(0, len(announced) - keep)], *held_back[: max(0, len(held_back) - keep)]]
    stays = in_use(receipts) | {waiting}
    return tuple(k.bundle for k in old if k.bundle not in stays and not _young(k, now))


def in_use(receipts: Sequence[Receipt]) -> frozenset[str]:
    """What answers on any scorer, what a rollback there would go to, and what was admitted since.

    Of a scorer that is gone too: it may come back to what it had.
    """
    ordered = sorted(receipts, key=lambda r: r.at)
    live = {r.scorer: r.sequence for r in ordered if r.kind in LIVE}
    named = {r.sequence: r.bundle for r in ordered if r.kind != "refused"}
    good = named.keys() - _left(ordered)
    older = (max((s for s in known if s < at), default=at) for at in live.values() for known in (named, good))
    found = {named[sequence] for sequence in (*live.values(), *older)}
    # A hold keeps what was admitted from going live until an operator releases it.
    lowest = min((r.sequence for r in answering(receipts).values()), default=0)
    return frozenset(found | {bundle for sequence, bundle in named.items() if sequence > lowest})


def _left(ordered: Sequence[Receipt]) -> set[int]:
    """Sequences that an operator went back from: a later rollback passes over them."""
    known: set[int] = set()
    left: set[int] = set()
    for receipt in ordered:
        known.add(receipt.sequence)
        if receipt.kind == "rolled_back":
            left |= {s for s in known if s > receipt.sequence}
    return left


def _young(kept: Kept, now: Micros) -> bool:
    return kept.sequence > 0 and kept.at > now - YOUNG


def by_bundle(taken: Mapping[int, Mapping[str, object]], trained: Mapping[str, Micros]) -> list[Kept]:
    """The store's bundles: `taken` as it remembers its sequences, `trained`: when each bundle was sealed."""
    found = {bundle: Kept(bundle, at) for bundle, at in trained.items()}
    for sequence, of in sorted(taken.items()):
        bundle, at = str(of.get("bundle")), of.get("at")
        if bundle in found and isinstance(at, int):
            found[bundle] = Kept(bundle, at, sequence)
    return list(found.values())
