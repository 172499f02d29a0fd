"""Whether a feature alone tells the label: one that does knows something of the future. Pure, in numpy.

A feature is read as a table of at most some hundred bins, each with what the training rows of it were on
average, and this table is held against the holdout. So a leak is seen whatever its shape: a number that grows
or falls or jumps with the label, a level, a null. The figure is the area under the ROC curve, of many classes
the mean of each against the rest, and of numbers R², of the table or of the straight line, whichever is more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hotpath.contract.parts import Kind

BINS = 64
MOST_LEVELS = 1024
"""Levels of a category that are looked at one by one: the most frequent of the training rows."""
_OWN = 16
"""Classes, the most frequent, whose quantiles are edges too."""
ENOUGH = 10
"""Rows of a class, and of the others, in the holdout below which nothing is said of it: fewer may well
be told apart by chance."""
Doubles = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """The labels of training and holdout rows: codes from 0 to `classes`, or doubles where that is 0."""

    train: Codes | Doubles
    holdout: Codes | Doubles
    classes: int

    @classmethod
    def of(
        cls, train: pa.ChunkedArray, holdout: pa.ChunkedArray, kind: Kind, names: tuple[str, ...]
    ) -> Labelled:
        """The written columns `label` of a target with these classes."""
        if kind == "number":
            return cls(train.to_numpy(), holdout.to_numpy(), 0)
        train_codes, holdout_codes = (pc.index_in(c, pa.array(names)).to_numpy() for c in (train, holdout))
        return cls(train_codes.astype(np.int64), holdout_codes.astype(np.int64), len(names))


def told(train: pa.ChunkedArray, holdout: pa.ChunkedArray, labels: Labelled) -> float | None:
    """How well a feature's values alone tell the holdout's labels, 1.0 being always; None where too few can
    say.
    """
    if not len(train) or not len(holdout):
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # vast numbers: what came of them is looked at
        return _told(train, holdout, labels)


def _told(train: pa.ChunkedArray, holdout: pa.ChunkedArray, labels: Labelled) -> float | None:
    text = pa.types.is_string(train.type)
    bins = _levels(train, holdout) if text else _intervals(train, holdout, labels)
    if labels.classes:
        return _area(*bins, labels)
    figures = [_explained(labels, _means(*bins, labels))]
    if not text:
        figures.append(_explained(labels, _line(train, holdout, labels)))
    return max((f for f in figures if f is not None), default=None)


def _levels(train: pa.ChunkedArray, holdout: pa.ChunkedArray) -> tuple[Codes, Codes]:
    """0 for a null, 1 for a level that is none of the frequent ones."""
    counted = pc.value_counts(train.drop_null()).to_pylist()
    ranked = sorted(counted, key=lambda c: (-c["counts"], c["values"]))[:MOST_LEVELS]
    known = pa.array([c["values"] for c in ranked], pa.string())
    train_bins, holdout_bins = (_level(column, known) for column in (train, holdout))
    return train_bins, holdout_bins


def _level(column: pa.ChunkedArray, known: pa.Array) -> Codes:
    place = pc.fill_null(pc.add(pc.index_in(column, known), 2), 1)
    return np.asarray(pc.if_else(pc.is_null(column), 0, place).to_numpy(), np.int64)


def _intervals(train: pa.ChunkedArray, holdout: pa.ChunkedArray, labels: Labelled) -> tuple[Codes, Codes]:
    """0 for a null, then intervals between quantiles: of all training rows, and of each class by itself, or a
    rare class would lie within one interval. Every edge is an interval of its own, as a value may be the
    whole answer.
    """
    values, there = _numbers(train)
    parts = [values[there]]
    if labels.classes:
        frequent = np.argsort(-np.bincount(labels.train, minlength=labels.classes), kind="stable")[:_OWN]
        parts += [values[there & (labels.train == code)] for code in frequent]
    share = np.linspace(0, 1, max(2, BINS // len(parts)))
    found = [np.quantile(part, share, method="nearest") for part in parts if len(part)]
    edges = np.unique(np.concatenate(found)) if found else np.empty(0)
    edges = np.unique(np.concatenate([edges, np.nextafter(edges, np.inf)]))
    train_bins, holdout_bins = (_interval(*_numbers(column), edges) for column in (train, holdout))
    return train_bins, holdout_bins


def _interval(values: Doubles, there: NDArray[np.bool_], edges: Doubles) -> Codes:
    return np.where(there, 1 + np.searchsorted(edges, values, side="right"), 0)


def _numbers(column: pa.ChunkedArray) -> tuple[Doubles, NDArray[np.bool_]]:
    """A column's values, 0 where null, and where there are any."""
    there = np.asarray(pc.is_valid(column).to_numpy(), bool)
    return np.asarray(pc.fill_null(column, 0.0).to_numpy(), np.float64), there


def _area(train: Codes, holdout: Codes, labels: Labelled) -> float | None:
    """The mean over the classes that have enough rows."""
    width = 1 + int(max(train.max(), holdout.max()))
    taught, asked = (
        np.bincount(bins * labels.classes + codes, minlength=width * labels.classes).reshape(width, -1)
        for bins, codes in ((train, labels.train), (holdout, labels.holdout))
    )
    rows = taught.sum(axis=1, keepdims=True)
    prior = taught.sum(axis=0) / rows.sum()
    chance = np.where(rows, taught / np.maximum(rows, 1), prior)
    total = asked.sum(axis=0)
    enough = np.flatnonzero((total >= ENOUGH) & (total.sum() - total >= ENOUGH))
    areas = [_area_of(chance[:, c], asked[:, c], asked.sum(axis=1) - asked[:, c]) for c in enough]
    return float(np.mean(areas)) if areas else None


def _area_of(chance: Doubles, yes: Codes, no: Codes) -> float:
    """Of a yes and a no drawn by lot, how often the yes has the greater chance; equal ones count half."""
    _, ranks = np.unique(chance, return_inverse=True)
    ups, downs = (np.bincount(ranks, weights=counts) for counts in (yes, no))
    below = np.cumsum(downs) - downs
    return float(ups @ (below + downs / 2) / (ups.sum() * downs.sum()))


def _means(train: Codes, holdout: Codes, labels: Labelled) -> Doubles:
    """What the training rows of each holdout row's bin were on average; of an empty one all of them."""
    width = 1 + int(max(train.max(), holdout.max()))
    rows = np.bincount(train, minlength=width)
    sums = np.bincount(train, weights=labels.train, minlength=width)
    return np.asarray(np.where(rows, sums / np.maximum(rows, 1), labels.train.mean())[holdout])


def _line(train: pa.ChunkedArray, holdout: pa.ChunkedArray, labels: Labelled) -> Doubles:
    """What the straight line through the training rows says; of a null all of them on average."""
    values, there = _numbers(train)
    x, y, mean = values[there], labels.train[there], labels.train.mean()
    if len(x) < 2 or x.min() == x.max():
        return np.full(len(holdout), mean)
    apart = x - x.mean()
    slope = (apart @ (y - y.mean())) / (apart @ apart)
    asked, known = _numbers(holdout)
    return np.asarray(np.where(known, y.mean() + slope * (asked - x.mean()), mean))


def _explained(labels: Labelled, said: Doubles) -> float | None:
    """R²; None of labels that do not differ, or of figures beyond a double's range."""
    whole = ((labels.holdout - labels.holdout.mean()) ** 2).sum()
    rest = ((labels.holdout - said) ** 2).sum()
    if len(said) < ENOUGH or not whole or not np.isfinite(rest / whole):
        return None
    return float(1 - rest / whole)
