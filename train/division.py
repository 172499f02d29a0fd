"""How a window's rows are divided: row budget, cut, validation slices; every bound an instant. Pure.

Over columns, some thirty bytes a row, so that the bounds of millions of rows cost no pass over the rows
themselves: whoever holds those (`window`) compares them with the bounds.

    cut               the holdout's oldest arrival: what came at it or later is holdout
    slices            s1 < s2 < … : a training row from s1 up to s2 is of slice 1, and so on
    train rows        |------ 0, or -1 ------|--- 1 ---|--- 2 ---|--- 3 ---|
                                             s1        s2        s3
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hotpath.clock import Micros
from hotpath.contract.parts import Train
from train.budget import shares, weights

VALIDATED = 0.4
"""The share of the training rows, the newest, that all validation slices hold together: three slices of a
seventh each leave a search more rows to learn from than to judge by."""
Place = tuple[Micros, int, int]
"""When a row arrived, its partition and offset: no two rows of a topic have the same."""


@dataclass(frozen=True)
class Rows:
    """Rows that nothing speaks against, column by column: one element a row.

    `told_at`: when the row's label arrived; `stratum`: the place of its class in `strata` ("" of a number).
    """

    arrived_at: NDArray[np.int64]
    told_at: NDArray[np.int64]
    partition: NDArray[np.int64]
    offset: NDArray[np.int64]
    stratum: NDArray[np.int64]
    strata: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.arrived_at)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Rows of each stratum that has some."""
        found = np.bincount(self.stratum, minlength=len(self.strata))
        return {name: int(n) for name, n in zip(self.strata, found, strict=True) if n}


@dataclass(frozen=True)
class Kept:
    """Of a stratum: the oldest row that fits the budget, and what each that does weighs."""

    since: Place
    weight: float


@dataclass(frozen=True)
class Division:
    """`kept`: by stratum, {} where every row fits the budget; `budget` as an account tells it."""

    cut: Micros = 0
    slices: tuple[Micros, ...] = ()
    kept: Mapping[str, Kept] = field(default_factory=dict)
    budget: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sides:
    """Which rows are what; a row that is in none was left out."""

    train: NDArray[np.bool_]
    holdout: NDArray[np.bool_]
    beyond: NDArray[np.bool_]
    """Beyond the row budget."""


def divided(rows: Rows, train: Train) -> Division:
    """The bounds of a window's rows: the budget's first, the cut of what it leaves, the slices of that."""
    kept = _kept(rows, train.max_rows)
    fits = _fits(rows, kept)
    arrived = rows.arrived_at[fits]
    if not len(arrived):
        return Division()
    count = len(arrived)
    place = count - holdout_size(count, train.holdout)
    cut = int(np.partition(arrived, place)[place])
    taught = arrived[(arrived < cut) & (rows.told_at[fits] < cut)]
    told = {"rows": len(rows), "kept": count, "since": int(arrived.min())} if kept else {}
    return Division(cut, slices(taught, train.validation), kept, told)


def sides(rows: Rows, division: Division) -> Sides:
    """What each row is under these bounds."""
    fits, older = _fits(rows, division.kept), rows.arrived_at < division.cut
    return Sides(fits & older & (rows.told_at < division.cut), fits & ~older, ~fits)


def holdout_size(rows: int, share: float) -> int:
    """Rows of the newest part that judges the model; ties with its oldest row are added to it.

    >>> holdout_size(10, 0.2), holdout_size(11, 0.2), holdout_size(0, 0.2)
    (2, 3, 0)
    """
    return ceil(round(rows * share, 6))


def slices(arrived: NDArray[np.int64], count: int) -> tuple[Micros, ...]:
    """When each of `count` validation slices begins, equally many of these arrivals in each.

    An instant is not split: where many rows arrived at once there are fewer slices, or none.
    """
    size = int(len(arrived) * VALIDATED) // count if count else 0
    if not size:
        return ()
    ordered = np.sort(arrived)
    begins = {int(ordered[len(ordered) - size * n]) for n in range(count, 0, -1)}
    return tuple(sorted(begins))


def _kept(rows: Rows, most: int) -> dict[str, Kept]:
    if len(rows) <= most:
        return {}
    found = shares(rows.counts, most)
    weighing = weights(rows.counts, found)
    return {name: Kept(_nth_newest(rows, name, found[name]), weighing[name]) for name in found}


def _nth_newest(rows: Rows, stratum: str, count: int) -> Place:
    ours = np.flatnonzero(rows.stratum == rows.strata.index(stratum))
    columns = [column[ours] for column in (rows.arrived_at, rows.partition, rows.offset)]
    last = np.lexsort(columns[::-1])[-count]
    arrived_at, partition, offset = (int(column[last]) for column in columns)
    return arrived_at, partition, offset


def _fits(rows: Rows, kept: Mapping[str, Kept]) -> NDArray[np.bool_]:
    if not kept:
        return np.ones(len(rows), bool)
    # A stratum without a row has no bound, and no row that would be held against it.
    bounds = [kept[name].since if name in kept else (0, 0, 0) for name in rows.strata]
    at, partition, offset = np.array(bounds)[rows.stratum].T
    same_instant = rows.arrived_at == at
    later_there = (rows.partition > partition) | ((rows.partition == partition) & (rows.offset >= offset))
    return np.asarray((rows.arrived_at > at) | (same_instant & later_there))
