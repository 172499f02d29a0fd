"""The patterns of fraud: each lives some hours, is replaced by another, and never comes back.

Pure. A pattern is a narrow kind of payment: one category of merchant in one country, in a band of amounts,
mostly from one system. What a model learns of the patterns of today says nothing about tomorrow's:
that is the drift for which models must be retrained all day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hotpath.clock import HOUR, Micros
from ingest.shops import CATEGORIES_BY_SHARE, COUNTRIES_BY_SHARE, SYSTEMS
from ingest.traffic import Traffic, drawn

AT_ONCE = 8
"""Patterns that live at one time."""
STRAY = 0.1
"""Share of frauds that look like any other payment."""
BANDS, BANDWIDTH = (0.4, 0.6, 0.9, 1.4), 1.5
"""Least amount of a pattern, of what its category usually takes; its greatest, of its least."""


@dataclass(frozen=True)
class Pattern:
    """What the frauds of one gang have in common; amounts in EUR."""

    category: str
    country: str
    system: str
    least: float
    most: float


def pattern(traffic: Traffic, at: Micros, chance: Random) -> Pattern | None:
    """One of the patterns that live at an instant; None for a fraud like any other payment."""
    if chance.random() < STRAY:
        return None
    return _pattern(traffic, chance.choice(alive(traffic, at)))


def alive(traffic: Traffic, at: Micros) -> Sequence[int]:
    """Numbers of the patterns that live at an instant: the oldest dies when a new one begins."""
    newest = int(at // (traffic.drift_h * HOUR / AT_ONCE))
    return range(newest - AT_ONCE + 1, newest + 1)


def _pattern(traffic: Traffic, number: int) -> Pattern:
    chance = drawn(traffic, "pattern", number)
    category = chance.choice(CATEGORIES_BY_SHARE)
    least = category.usual * chance.choice(BANDS)
    return Pattern(
        category=category.name,
        country=chance.choice(COUNTRIES_BY_SHARE).code,
        system=chance.choice(SYSTEMS),
        least=least,
        most=least * BANDWIDTH,
    )
