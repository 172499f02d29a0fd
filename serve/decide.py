"""From a score to a decision, and what must be said beside it. Pure; knows no model and no clock.

A contract asks after what one would rather not have (late, fraud, default), so a yes is a `decline`. A class
or a number is neither wanted nor unwanted: to accept says that there is an answer to work with.

>>> from hotpath.clock import HOUR
>>> decide(0.7, 0.5, Age(HOUR, fresh=3 * HOUR, expired=24 * HOUR))
Decided(decision='decline', degraded=())
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hotpath.clock import Micros

Decision = Literal["accept", "decline", "abstain"]

STALE = "stale"
EXPIRED = "expired"


@dataclass(frozen=True)
class Age:
    """How long ago the model was trained, and the contract's two limits; all µs of the domain's time."""

    age: Micros
    fresh: Micros
    expired: Micros


@dataclass(frozen=True)
class Decided:
    """The decision, and why it may be less than it seems."""

    decision: Decision
    degraded: tuple[str, ...]


def decide(score: float | None, threshold: float | None, age: Age) -> Decided:
    """Decline where the question's answer is yes. No score, or an expired model: abstain, and say so.

    `threshold` is None where the question has no yes: it asks for a class or a number.
    """
    said = flags(age)
    if score is None or EXPIRED in said:
        return Decided("abstain", said)
    yes = threshold is not None and score >= threshold
    return Decided("decline" if yes else "accept", said)


def flags(age: Age) -> tuple[str, ...]:
    """What the model's age makes of any answer."""
    if age.age > age.expired:
        return (EXPIRED,)
    return (STALE,) if age.age > age.fresh else ()
