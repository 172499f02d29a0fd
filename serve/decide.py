"""From a score to a decision, and what must be said beside it. Pure; knows no model and no clock.

A contract asks after what one would rather not have (late, fraud, default), so a yes is a `decline`. A class
or a number is neither wanted nor unwanted: to accept says that there is an answer to work with.

       0 ── accept ──┤ accept_below ── abstain ── decline_at ├── decline ── 1

>>> from hotpath.clock import HOUR
>>> decide(0.7, Cuts(decline_at=0.8, accept_below=0.5), Age(HOUR, fresh=3 * HOUR, expired=24 * HOUR))
Decided(decision='abstain', degraded=(), ruled=None)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hotpath.clock import Micros
from hotpath.contract.types import Value

Decision = Literal["accept", "decline", "abstain"]

STALE = "stale"
EXPIRED = "expired"
FALLBACK = "fallback"
"""Flag of an answer that is the contract's fallback rule's, not the model's."""


@dataclass(frozen=True)
class Age:
    """How long ago the model was trained, and the contract's two limits; all µs of the domain's time."""

    age: Micros
    fresh: Micros
    expired: Micros


@dataclass(frozen=True)
class Cuts:
    """A score from `decline_at` on is declined, one below `accept_below` accepted; None: no score is."""

    decline_at: float | None
    accept_below: float | None


@dataclass(frozen=True)
class Decided:
    """The decision, why it may be less than it seems, and what the fallback rule said where it was asked."""

    decision: Decision
    degraded: tuple[str, ...]
    ruled: Value = None


def decide(
    score: float | None, cuts: Cuts | None, age: Age, rule: Callable[[], Value] | None = None
) -> Decided:
    """By the score; without one, or past `expired`, by the contract's rule; without that, abstain.

    `cuts` is None where the question has no yes: it asks for a class or a number. `rule` says true or false
    of a question that has, else the class or number to answer; null: nothing.
    """
    said = flags(age)
    if score is not None and EXPIRED not in said:
        return Decided(_scored(score, cuts), said)
    if rule is None:
        return Decided("abstain", said)
    ruled = rule()
    return Decided(_ruled(ruled, cuts), (*said, FALLBACK), ruled)


def flags(age: Age) -> tuple[str, ...]:
    """What the model's age makes of any answer."""
    if age.age > age.expired:
        return (EXPIRED,)
    return (STALE,) if age.age > age.fresh else ()


def _scored(score: float, cuts: Cuts | None) -> Decision:
    if cuts is None:
        return "accept"
    if cuts.decline_at is not None and score >= cuts.decline_at:
        return "decline"
    return "accept" if cuts.accept_below is not None and score < cuts.accept_below else "abstain"


def _ruled(ruled: Value, cuts: Cuts | None) -> Decision:
    if ruled is None:
        return "abstain"
    return "decline" if cuts is not None and ruled else "accept"
