"""How a number is spread over rows, and whether it still is: deciles, population stability index. Pure.

The index compares shares of rows by bin: sum of (new - old) * ln(new / old). In credit scoring, where it
comes from, 0.25 is a shift that must be explained (Siddiqi, Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import log

SHIFTED = 0.25
OUTSIDE = 0.03
"""Share of rows beyond the accepted least and greatest that is no chance."""
LEAST_ROWS = 100
_LEAST_SHARE = 0.01
"""Of a bin, for the index: an empty one would make it infinite, and deciles say little of rarer values."""


def deciles(values: Sequence[float]) -> tuple[float, ...]:
    """From least to greatest, 11 of the values; () of fewer rows than show anything.

    None lies between two values: a bin that no row can fall into would make good rows look moved.

    >>> deciles(range(101))
    (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0)
    """
    if len(values) < LEAST_ROWS:
        return ()
    ordered = sorted(map(float, values))
    return tuple(ordered[max(0, -(-part * len(ordered) // 10) - 1)] for part in range(11))


def moved(old: Sequence[float], values: Sequence[float]) -> str:
    """How `values` left the `old` deciles behind, in words; "" where they did not. At least one value."""
    index = stability(old, values)
    # A value that most rows have (no rain) fills all deciles: the rest then shows beyond them only.
    outside = sum(not old[0] <= value <= old[-1] for value in values) / len(values)
    if index >= SHIFTED:
        return f"stability index {index:.2f}"
    return f"{outside:.0%} of them beyond its least and greatest" if outside > OUTSIDE else ""


def stability(old: Sequence[float], values: Sequence[float]) -> float:
    """The index of `values` against `old` deciles; 0 where nothing moved. At least one value."""
    edges = sorted(set(old[1:-1]))
    # A bin's old share is what of the deciles lies in it: equal deciles are one value that many rows have.
    before, after = _shares(edges, _within(old)), _shares(edges, values)
    return sum((new - was) * log(new / was) for was, new in zip(before, after, strict=True))


def _within(old: Sequence[float]) -> list[float]:
    """A stand-in for the old rows: ten of them between each two deciles."""
    pairs = pairwise(old)
    return [low + (high - low) * (step + 0.5) / 10 for low, high in pairs for step in range(10)]


def _shares(edges: Sequence[float], values: Sequence[float]) -> list[float]:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_left(edges, value)] += 1
    return [max(count / len(values), _LEAST_SHARE) for count in counts]
