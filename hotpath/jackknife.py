"""How far a figure of a holdout may be off: the delete-a-group jackknife, and paired differences. Pure.

The rows of one entity are alike, so that formulas for independent rows would promise too much. Every figure
is taken anew without each of some twenty groups of entities; how far those values scatter says how far the
whole may be off. Groups differ in size, so each counts by its share (Busing, Meijer, van der Leeden 1999: the
delete-m-jackknife); the quantile is Student's of groups less one (Wolter 2007, "Introduction to Variance
Estimation", ch. 4; Efron & Tibshirani 1993, ch. 11).

    >>> rows, groups = np.arange(40.0), np.arange(40) % 20
    >>> without = [{"mean": float(rows[groups != g].mean())} for g in range(20)]
    >>> found = Told({"mean": 19.5}, without, np.full(20, 0.05))
    >>> tuple(round(bound, 1) for bound in interval(found, "mean", 0.95))
    (16.7, 22.3)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from hotpath.quality import Figures, Sample, measured


@dataclass(frozen=True)
class Told:
    """Figures over all rows, and over what each group leaves; `shares`: the groups' of all rows."""

    whole: Figures
    without: Sequence[Figures]
    shares: NDArray[np.float64]


def told(sample: Sample, groups: NDArray[Any], names: Collection[str] = ()) -> Told:
    """The metrics of a sample whose rows belong to `groups` (any numbers); without each group only those of
    `names`, or all. Of fewer than two groups none can be left out.
    """
    if sample.kind == "binary":  # sorted once, every leaving out is sorted too
        order = np.argsort(-sample.given, kind="stable")
        sample, groups = sample.of(order), groups[order]
    found, counts = np.unique(groups, return_counts=True)
    without = [measured(sample.of(groups != one), names) for one in found] if len(found) > 1 else []
    return Told(measured(sample), without, counts / max(len(groups), 1))


def interval(found: Told, name: str, confidence: float) -> tuple[float, float] | None:
    """Bounds of one figure, two-sided; None where it, or one of those without a group, is not known."""
    return _interval(
        found.whole.get(name), [one.get(name) for one in found.without], found.shares, confidence
    )


def ahead(
    ours: Told, theirs: Told, name: str, confidence: float, sign: float = 1.0
) -> tuple[float, float, float] | None:
    """Our figure less theirs on the same rows (times `sign`), and its bounds: what both owe to the rows that
    happened to come cancels out.
    """
    whole = _less(ours.whole.get(name), theirs.whole.get(name), sign)
    pairs = zip(ours.without, theirs.without, strict=True)
    without = [_less(one.get(name), other.get(name), sign) for one, other in pairs]
    found = _interval(whole, without, ours.shares, confidence)
    return None if found is None or whole is None else (whole, *found)


def _less(one: float | None, other: float | None, sign: float) -> float | None:
    return None if one is None or other is None else sign * (one - other)


def _interval(
    whole: float | None, without: Sequence[float | None], shares: NDArray[np.float64], confidence: float
) -> tuple[float, float] | None:
    known = [value for value in without if value is not None]
    if whole is None or len(known) < max(len(without), 2):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        left, weight, groups = np.array(known), 1 / shares, len(known)
        centre = groups * whole - np.sum((1 - shares) * left)
        variance = np.sum((weight * whole - (weight - 1) * left - centre) ** 2 / (weight - 1)) / groups
        reach = float(stdtrit(groups - 1, 0.5 + confidence / 2) * np.sqrt(variance))
    return (whole - reach, whole + reach) if np.isfinite(reach) else None
