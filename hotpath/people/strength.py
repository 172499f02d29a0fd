"""How well one feature alone tells the truth, from 0 to 1: 1 is a leak or a copy. Pure.

A true or false target: the area under the ROC curve, whichever way round. Classes: the share of a number's
variance that lies between them (the correlation ratio), of a text the share of rows that have their level's
commonest class. A number: the correlation's size (Pearson), of a text the root of the correlation ratio.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import sqrt
from statistics import fmean
from typing import Any

from hotpath.contract.parts import Kind

LEAST_ROWS = 20
"""Fewer rows show nothing."""
ROWS_A_LEVEL = 10
"""A text with fewer rows a level tells them apart by chance."""


def strength(values: Sequence[Any], truth: Sequence[Any], kind: Kind) -> float | None:
    """Of a feature against the truth, row by row; None where too few rows have both.

    >>> strength([1, 2, 3, 4] * 10, [False, False, True, True] * 10, "binary")
    1.0
    """
    both = [(v, t) for v, t in zip(values, truth, strict=True) if v is not None and t is not None]
    if len(both) < LEAST_ROWS:
        return None
    known, told = [v for v, _ in both], [t for _, t in both]
    if len(set(told)) < 2 or len(set(known)) < 2:
        return None
    if isinstance(known[0], str):
        return _of_text(known, told, kind) if len(set(known)) * ROWS_A_LEVEL <= len(known) else None
    numbers = [float(v) for v in known]
    if kind == "binary":
        found = auc(numbers, told)
        return max(found, 1 - found)
    return _ratio(told, numbers) if kind == "classes" else abs(pearson(numbers, [float(t) for t in told]))


def auc(scores: Sequence[float], truth: Sequence[bool]) -> float:
    """Area under the ROC curve; ties count half (Mann and Whitney's U). Both classes are there.

    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    ranks = _ranks(scores)
    positive = [rank for rank, true in zip(ranks, truth, strict=True) if true]
    n, m = len(positive), len(scores) - len(positive)
    return (sum(positive) - n * (n + 1) / 2) / (n * m)


def pearson(a: Sequence[float], b: Sequence[float]) -> float:
    """Correlation; 0 where one of them never varies."""
    mean_a, mean_b = fmean(a), fmean(b)
    over = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    under = sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
    return over / under if under else 0.0


def _of_text(values: Sequence[str], truth: Sequence[Any], kind: Kind) -> float:
    if kind == "number":
        return sqrt(_ratio(values, [float(t) for t in truth]))
    by_level: defaultdict[str, Counter[Any]] = defaultdict(Counter)
    for value, told in zip(values, truth, strict=True):
        by_level[value][told] += 1
    if kind == "classes":
        return sum(max(counts.values()) for counts in by_level.values()) / len(values)
    share = {level: counts[True] / counts.total() for level, counts in by_level.items()}
    return auc([share[value] for value in values], truth)


def _ratio(groups: Sequence[Any], numbers: Sequence[float]) -> float:
    """The correlation ratio, squared: variance between groups over all variance."""
    by_group: defaultdict[Any, list[float]] = defaultdict(list)
    for group, number in zip(groups, numbers, strict=True):
        by_group[group].append(number)
    mean = fmean(numbers)
    between = sum(len(found) * (fmean(found) - mean) ** 2 for found in by_group.values())
    total = sum((number - mean) ** 2 for number in numbers)
    return between / total if total else 0.0


def _ranks(numbers: Sequence[float]) -> list[float]:
    """From 1; equal numbers share the mean of their ranks."""
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    ranks = [0.0] * len(numbers)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and numbers[order[end]] == numbers[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    return ranks
