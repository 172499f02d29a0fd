"""The champion: what the scorers' receipts say is live. Pure.

A receipt comes at a change (the same one again each day, with the instant of the change, so that the topic
does not forget it), and every scorer that lives speaks within seconds of a swap. So the scorers that count
are those that were heard in the ten minutes before the newest receipt: who is silent while others speak is
gone, and a line that is cut leaves the champion what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hotpath.clock import MINUTE, Micros
from hotpath.handoffs import Announcement, Receipt

SEEN: Micros = 10 * MINUTE
LIVE = ("live", "rolled_back")
"""Kinds of receipt that name what a scorer answers with from then on."""


@dataclass(frozen=True)
class Champion:
    """The highest sequence that every one of `scorers` has reached; its bundle."""

    sequence: int
    bundle: str
    scorers: tuple[str, ...]


def champion(receipts: Iterable[Receipt]) -> Champion | None:
    """Of one pipeline's receipts, in any order; None before the first model is live.

    While a swap is under way, or after a rollback that not all have made yet, it is the lower one.
    """
    words = answering(receipts)
    if not words:
        return None
    lowest = min(words.values(), key=lambda r: r.sequence)
    return Champion(lowest.sequence, lowest.bundle, tuple(sorted(words)))


def answering(receipts: Iterable[Receipt]) -> dict[str, Receipt]:
    """What each scorer that counts answers with, by its name.

    A follower's receipts are of no scorer: it admits and refuses, and nothing is ever live on it.
    """
    ordered = sorted(receipts, key=lambda r: r.at)
    live = {r.scorer: r for r in ordered if r.kind in LIVE}
    heard = {r.scorer: r.at for r in ordered if r.scorer in live}
    newest = max(heard.values(), default=0)
    return {scorer: live[scorer] for scorer, at in heard.items() if at >= newest - SEEN}


def unheard(announced: Iterable[Announcement], receipts: Iterable[Receipt]) -> Announcement | None:
    """The newest announcement of one pipeline if no scorer's host has said a word of it, good or bad."""
    newest = max(announced, key=lambda a: a.sequence, default=None)
    if newest is None or any(r.sequence == newest.sequence for r in receipts):
        return None
    return newest
