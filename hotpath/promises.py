"""What may be promised of a model, from independent rows whose truth is known: thresholds, intervals. Pure.

A threshold decides yes at or above it. The promise of a tolerance on false positives is the lowest threshold
at which the upper one-sided bound of Clopper & Pearson (Biometrika 26, 1934) on the share of no that it
declines stays within the tolerance; false negatives alike from below. The threshold is chosen by the same
rows, and the promise holds nevertheless: what is chosen is an order statistic of the rows of one class, and
the bound is its one-sided tolerance bound (Wilks, Ann. Math. Stat. 12, 1941), as is a number's interval.

Independent are rows of which each entity has one, so what is promised is about entities, asked one question
each. Who is asked about an entity many times meets another rate where busy entities are scored otherwise:
`beside` and `covering` bring all rows in, and a promise that these do not bear out is none.

    >>> counts = Counts.of(np.arange(1000) >= 500, np.arange(1000) / 1000)
    >>> found = promise(counts, "false_positive_rate", 0.01, 0.95)
    >>> found.threshold, found.rate, round(found.bound or 0, 4)
    (0.499, 0.002, 0.0095)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, log1p
from sys import float_info
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

On = Literal["false_positive_rate", "false_negative_rate"]
OTHER: dict[On, On] = {
    "false_positive_rate": "false_negative_rate",
    "false_negative_rate": "false_positive_rate",
}
_EXACT, _COARSE, _EVEN = 40, 90, 100
"""A thinned curve keeps every count of errors up to the first, and so many spread by their logarithm beyond
it, from both ends; and so many spread evenly."""


@dataclass(frozen=True)
class Counts:
    """Errors by threshold, every distinct score ascending: rows of no at or above it (`fp`), of yes below it
    (`fn`). `no`, `yes`: how many rows there are of each. `every`: the same thresholds' errors over all rows,
    where these are one an entity.
    """

    threshold: NDArray[np.float64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    no: int
    yes: int
    every: Counts | None = None

    @classmethod
    def of(cls, yes: NDArray[Any], score: NDArray[np.float64]) -> Counts:
        """The counts of rows, each by its truth and its score; finite scores."""
        threshold, place = np.unique(score, return_inverse=True)
        each = np.bincount(place, minlength=len(threshold))
        of_yes = np.bincount(place[yes], minlength=len(threshold))
        of_no = each - of_yes
        fp = np.cumsum(of_no[::-1])[::-1]
        return cls(threshold, fp, np.cumsum(of_yes) - of_yes, int(of_no.sum()), int(of_yes.sum()))

    def beside(self, every: Counts) -> Counts:
        """These, and what their thresholds come to over all rows, which theirs are among."""
        return replace(self, every=every.at(np.searchsorted(every.threshold, self.threshold)))

    def at(self, places: NDArray[np.int64] | list[int]) -> Counts:
        """Of these thresholds alone."""
        every = None if self.every is None else self.every.at(places)
        return replace(
            self, threshold=self.threshold[places], fp=self.fp[places], fn=self.fn[places], every=every
        )

    def errors(self, on: On) -> tuple[NDArray[np.int64], int]:
        """False positives or negatives at each threshold, and of how many rows."""
        return (self.fp, self.no) if on == "false_positive_rate" else (self.fn, self.yes)

    def below(self, place: int) -> float:
        """The share of all rows below a threshold: those that it does not decline."""
        return (self.no - int(self.fp[place]) + int(self.fn[place])) / (self.no + self.yes)

    def thinned(self, keep: Sequence[float] = ()) -> Counts:
        """At most some 500 thresholds of these, dense at both ends; `keep` are among them.

        What is left counts exactly as before, so that no promise from it has a more permissive threshold.
        """
        places = {int(p) for p in np.searchsorted(self.threshold, keep)}
        places |= {int(p) for p in np.linspace(0, max(len(self.threshold) - 1, 0), _EVEN)}
        for on in OTHER:
            most = max(self.errors(on)[1], _EXACT)
            few = {*range(_EXACT), *(round(k) for k in np.geomspace(_EXACT, most, _COARSE))}
            places |= {p for k in few if (p := _place(self, on, k)) is not None}
        chosen = sorted(p for p in places if p < len(self.threshold))
        return self.at(chosen)


@dataclass(frozen=True)
class Promise:
    """The threshold that keeps within a tolerance at a confidence, and what it costs.

    `threshold` None: it cannot be promised, `why` says so, and of the rest only `bound` (the least that the
    rows could carry) is known. `rate` is what was measured of `rows`, `bound` what it is at the most. `other`
    is the rate that it costs, within `low` to `high` (two-sided). `covered`: the share of these rows, yes and
    no, that it settles: those declined (of false positives) or accepted (of false negatives).
    """

    on: On
    tolerance: float
    confidence: float
    rows: int
    threshold: float | None = None
    rate: float | None = None
    bound: float | None = None
    other: float | None = None
    low: float | None = None
    high: float | None = None
    covered: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Interval:
    """`within`: how far off an estimate is at the most for a share `coverage` of all entities; None as a
    promise's threshold. `bound`: the share that it holds for at the least.
    """

    coverage: float
    confidence: float
    rows: int
    within: float | None = None
    bound: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Pair:
    """Decline at or above one threshold, accept below the other, abstain between; None: never.

    The shares of these rows that are accepted, abstained from and declined.
    """

    decline_at: float | None
    accept_below: float | None
    accepted: float
    abstained: float
    declined: float


def promise(counts: Counts, on: On, tolerance: float, confidence: float) -> Promise:
    """The threshold for a tolerance, or why there is none."""
    errors, rows = counts.errors(on)
    asked = Promise(on, tolerance, confidence, rows)
    most = allowed(rows, tolerance, confidence)
    if most is None:
        bound = upper(0, rows, confidence)
        return _without(asked, bound, _too_few(on, rows, bound, needed(tolerance, confidence)))
    if (place := _place(counts, on, most)) is None:
        least = int(errors.min()) if len(errors) else 0
        why = f"{least} of {rows} share the highest score: no threshold declines anything and keeps within it"
        return _without(asked, upper(least, rows, confidence), why)
    if why := _not_borne_out(counts, on, tolerance, place):
        return _without(asked, upper(int(errors[place]), rows, confidence), why)
    found, (theirs, of) = int(errors[place]), counts.errors(OTHER[on])
    cost = int(theirs[place])
    side = (1 + confidence) / 2
    below = counts.below(place)
    return Promise(
        on=on,
        tolerance=tolerance,
        confidence=confidence,
        rows=rows,
        threshold=float(counts.threshold[place]),
        rate=found / rows,
        bound=upper(found, rows, confidence),
        other=cost / of if of else None,
        low=lower(cost, of, side) if of else None,
        high=upper(cost, of, side) if of else None,
        covered=1 - below if on == "false_positive_rate" else below,
    )


def interval(errors: NDArray[np.float64], coverage: float, confidence: float) -> Interval:
    """How far off estimates are, from how far off (absolute) independent ones were, in any order.

    The r-th smallest, r the least for which Binomial(rows, coverage) is below r with that confidence: the
    least whose share of the rows has a lower bound of the coverage.
    """
    rows = len(errors)
    rank = bisect_left(range(rows + 1), coverage, key=lambda right: lower(right, rows, confidence))
    if rank > rows:
        why = f"{rows} independent rows are too few: it takes {needed(1 - coverage, confidence):.15g}"
        return Interval(coverage, confidence, rows, why=why)
    within = float(np.partition(errors, rank - 1)[rank - 1])
    return Interval(coverage, confidence, rows, within, lower(rank, rows, confidence))


def covering(found: Interval, share: float, rows: int) -> Interval:
    """The same where such a share of all `rows`, not only of one an entity, is within it too; else none."""
    if found.within is None or share >= found.coverage:
        return found
    why = (
        f"one question each {found.within:.4g} would do, but of all {rows:,} rows only {share:.2%} are within"
        f" it: {_BUSY}"
    )
    return Interval(found.coverage, found.confidence, found.rows, why=why)


def pair(counts: Counts, decline_at: float | None, accept_below: float | None) -> Pair:
    """Two thresholds as one way to decide; where both hold for some scores, one serves both."""
    if decline_at is not None and accept_below is not None:
        accept_below = min(decline_at, accept_below)
    rows = counts.no + counts.yes
    accepted = _below(counts, accept_below, never=0.0)
    declined = 1 - _below(counts, decline_at, never=1.0)
    abstained = max(0.0, 1 - accepted - declined) if rows else 1.0
    return Pair(decline_at, accept_below, accepted, abstained, declined)


def upper(errors: int, rows: int, confidence: float) -> float:
    """The one-sided upper bound of a rate (Clopper & Pearson)."""
    return 1.0 if errors >= rows else float(betaincinv(errors + 1, rows - errors, confidence))


def lower(errors: int, rows: int, confidence: float) -> float:
    """The one-sided lower bound of a rate (Clopper & Pearson)."""
    return 0.0 if errors <= 0 else float(betaincinv(errors, rows - errors + 1, 1 - confidence))


def allowed(rows: int, tolerance: float, confidence: float) -> int | None:
    """The most errors whose upper bound is within the tolerance; None where not even none is."""
    found = bisect_right(range(rows + 1), tolerance, key=lambda errors: upper(errors, rows, confidence)) - 1
    return None if found < 0 else found


def needed(tolerance: float, confidence: float) -> int:
    """The rows that it takes to promise a tolerance, were none of them an error."""
    if tolerance >= 1:
        return 1
    # log(1 - x) is 0 of an x below 1e-16.
    return ceil(min(log1p(-confidence) / log1p(-tolerance), float_info.max))


def _place(counts: Counts, on: On, most: int) -> int | None:
    """The threshold that keeps to so many errors and does the most: the lowest of false positives, which fall
    along the thresholds, the highest of false negatives, which rise.
    """
    if on == "false_positive_rate":
        place = int(np.searchsorted(-counts.fp, -most, side="left"))
        return place if place < len(counts.fp) else None
    place = int(np.searchsorted(counts.fn, most, side="right")) - 1
    return place if place >= 0 else None


def _below(counts: Counts, threshold: float | None, never: float) -> float:
    if threshold is None or not len(counts.threshold):
        return never
    place = int(np.searchsorted(counts.threshold, threshold))
    return counts.below(place) if place < len(counts.threshold) else 1.0


def _without(asked: Promise, bound: float, why: str) -> Promise:
    return Promise(asked.on, asked.tolerance, asked.confidence, asked.rows, bound=bound, why=why)


_BUSY = "entities with many rows fare otherwise than those with few"
_TRUTH: dict[On, str] = {"false_positive_rate": "no", "false_negative_rate": "yes"}


def _too_few(on: On, rows: int, bound: float, needs: int) -> str:
    return (
        f"the {rows} independent rows that turned out {_TRUTH[on]} cannot carry it: with not one error among "
        f"them the rate may still be {bound:.2%}; it takes at least {needs:.15g} such rows"
    )


def _not_borne_out(counts: Counts, on: On, tolerance: float, place: int) -> str:
    """Why the threshold at a place is no promise, though one row an entity would carry it; "" where it is."""
    if counts.every is None:
        return ""
    (alone, rows), (found, of) = counts.errors(on), counts.every.errors(on)
    if found[place] <= tolerance * of:
        return ""
    return (
        f"one question each the rate is {alone[place] / rows:.2%}, but over all {of:,} rows that turned out"
        f" {_TRUTH[on]} it is {found[place] / of:.2%}: {_BUSY}"
    )
