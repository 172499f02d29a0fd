"""How each metric of hotpath/contract/metrics.py is computed, on the holdout as on live answers. Pure.

To add a metric, add a row to that table and an entry of its name to METRICS: a test holds the two equal.
A metric is None where it is not defined (AUC where there is only one class) or is no finite number.

    >>> sample = Sample("binary", np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.4, 0.1]))
    >>> measured(sample)["auc"], best_threshold(sample)
    (0.75, 0.4)

All that ranks by score comes of one curve, which scikit-learn makes: bounds take every metric twenty times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isfinite, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.metrics import auc as area
from sklearn.metrics import confusion_matrix_at_thresholds

from hotpath.contract.parts import Kind

CLIP = float(np.finfo(np.float64).eps)
"""A probability nearer to 0 or 1 counts as this far from it, as in scikit-learn: logarithms are finite."""
BINS = 10
"""Of the calibration error; and the lift is of the first of as many."""

Figures = Mapping[str, float | None]
"""Metrics by name."""


@dataclass(frozen=True)
class Curve:
    """Rows at or above each distinct score, the highest first, of yes (`tp`) and of no (`fp`)."""

    threshold: NDArray[np.float64]
    tp: NDArray[np.float64]
    fp: NDArray[np.float64]

    @property
    def yes(self) -> float:
        """All rows of yes."""
        return float(self.tp[-1])

    @property
    def no(self) -> float:
        """All rows of no."""
        return float(self.fp[-1])

    @property
    def one_sided(self) -> bool:
        """Whether there is only one class: nothing can be ranked."""
        return not (self.yes and self.no)

    def f(self, beta: float) -> NDArray[np.float64]:
        """F-beta at every threshold (van Rijsbergen); 0 where nothing was, or was said to be, yes."""
        found: NDArray[np.float64] = _f(beta, self.tp, self.fp, self.yes - self.tp)
        return found


@dataclass(frozen=True)
class Sample:
    """Rows whose truth is known, at least one.

    `truth`: 0 or 1, a class's place, or a number. `given`: (rows,) the probability of yes or the estimate, or
    (rows, classes) probabilities. `said`: what a yes or no was decided to be, where each answer had its own
    threshold; without it F1 and F2 are the greatest there are, accuracy is at the greatest F1.
    """

    kind: Kind
    truth: NDArray[np.float64]
    given: NDArray[np.float64]
    said: NDArray[np.bool_] | None = None

    def of(self, rows: NDArray[Any]) -> Sample:
        """Some of them: places, or a mask."""
        said = None if self.said is None else self.said[rows]
        return replace(self, truth=self.truth[rows], given=self.given[rows], said=said)

    @property
    def yes(self) -> NDArray[np.bool_]:
        """Which rows of a binary target are yes."""
        return np.equal(self.truth, 1.0)

    @cached_property
    def curve(self) -> Curve:
        """Of a binary target; quick where the rows are sorted by score already."""
        with config_context(assume_finite=True):
            _, fp, _, tp, threshold = confusion_matrix_at_thresholds(self.yes, self.given, pos_label=True)
        return Curve(threshold, tp.astype(np.float64), fp.astype(np.float64))

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """The class of each row of a target of many classes."""
        return self.truth.astype(np.int64)

    @cached_property
    def likeliest(self) -> NDArray[np.int64]:
        """The class that was held likeliest, the first of equal ones."""
        return np.asarray(self.given.argmax(axis=1), np.int64)


def measured(sample: Sample, names: Collection[str] = ()) -> dict[str, float | None]:
    """The metrics of these names, or every one of the sample's kind; all are None where there is no row."""
    metrics = {name: metric for name, metric in METRICS[sample.kind].items() if not names or name in names}
    if not len(sample.truth):
        return dict.fromkeys(metrics)
    with np.errstate(over="ignore", invalid="ignore"):  # of 1e200 the square is no double: not known
        found = {name: metric.compute(sample) for name, metric in metrics.items()}
    return {name: None if v is None or not isfinite(v) else float(v) for name, v in found.items()}


def best_threshold(sample: Sample) -> float:
    """The score of the largest F1, the highest of several."""
    curve = sample.curve
    return float(curve.threshold[int(np.argmax(curve.f(1.0)))])


def _auc(sample: Sample) -> float | None:
    curve = sample.curve
    if curve.one_sided:
        return None
    return float(area(np.append(0.0, curve.fp / curve.no), np.append(0.0, curve.tp / curve.yes)))


def _pr_auc(sample: Sample) -> float | None:
    """Average precision: each threshold's precision, weighed by the recall that it adds."""
    curve = sample.curve
    if curve.one_sided:
        return None
    added = np.diff(curve.tp, prepend=0.0) / curve.yes
    return float(np.sum(added * curve.tp / (curve.tp + curve.fp)))


def _ks(sample: Sample) -> float | None:
    curve = sample.curve
    return None if curve.one_sided else float(np.abs(curve.tp / curve.yes - curve.fp / curve.no).max())


def _lift(sample: Sample) -> float | None:
    """Equal scores at the tenth's edge count by the share of them that fits: their average order."""
    curve, rows = sample.curve, len(sample.truth)
    if curve.one_sided:
        return None
    taken = np.interp(rows / BINS, np.append(0.0, curve.tp + curve.fp), np.append(0.0, curve.tp))
    return float(BINS * taken / curve.yes)


def _calibration_error(sample: Sample) -> float:
    """Bins by how many rows are above; equal scores never part, so a constant has one bin."""
    curve = sample.curve
    rows, yes = (np.diff(counts, prepend=0.0) for counts in (curve.tp + curve.fp, curve.tp))
    above = curve.tp + curve.fp - rows
    bins = (BINS * above / len(sample.truth)).astype(np.int64)
    off = np.bincount(bins, weights=rows * curve.threshold - yes)
    return float(np.abs(off).sum() / len(sample.truth))


def _f_of(beta: float) -> Callable[[Sample], float]:
    def f(sample: Sample) -> float:
        if sample.said is None:
            return float(sample.curve.f(beta).max())
        yes, said = sample.yes, sample.said
        counts = (np.count_nonzero(found) for found in (yes & said, said & ~yes, yes & ~said))
        return float(_f(beta, *(np.float64(n) for n in counts)))

    return f


def _f(beta: float, tp: Any, fp: Any, fn: Any) -> Any:
    weight = beta * beta
    return (1 + weight) * tp / np.maximum((1 + weight) * tp + weight * fn + fp, 1.0)


def _binary_accuracy(sample: Sample) -> float:
    said = sample.given >= best_threshold(sample) if sample.said is None else sample.said
    return float(np.mean(said == sample.yes))


def _binary_log_loss(sample: Sample) -> float:
    return _nats(np.where(sample.yes, sample.given, 1 - sample.given))


def _binary_brier(sample: Sample) -> float:
    return float(np.mean((sample.given - sample.truth) ** 2))


def _accuracy(sample: Sample) -> float:
    return float(np.mean(sample.likeliest == sample.places))


def _log_loss(sample: Sample) -> float:
    return _nats(sample.given[np.arange(len(sample.places)), sample.places])


def _nats(chance: NDArray[np.float64]) -> float:
    """The mean negative log likelihood of what came true."""
    return float(-np.log(np.clip(chance, CLIP, 1 - CLIP)).mean())


def _brier(sample: Sample) -> float:
    """The squared distance of a row's probabilities from the class that came true (Brier 1950)."""
    true = sample.given[np.arange(len(sample.places)), sample.places]
    return float(np.mean((sample.given**2).sum(axis=1) - 2 * true + 1))


def _macro_f1(sample: Sample) -> float:
    """Over the classes that occur, in truth or in an answer."""
    classes = sample.given.shape[1]
    true, said = (np.bincount(places, minlength=classes) for places in (sample.places, sample.likeliest))
    right = np.bincount(sample.places[sample.places == sample.likeliest], minlength=classes)
    occurs = true + said > 0
    return float(_f(1.0, right[occurs], (said - right)[occurs], (true - right)[occurs]).mean())


def _macro_auc(sample: Sample) -> float | None:
    """Over the classes that some rows have and others have not."""
    present = np.unique(sample.places).tolist()
    if len(present) < 2:
        return None
    found = [_auc(Sample("binary", 1.0 * (sample.places == p), sample.given[:, p])) for p in present]
    return float(np.mean([a for a in found if a is not None]))


def _rmse(sample: Sample) -> float:
    return float(np.sqrt(np.mean((sample.given - sample.truth) ** 2)))


def _mae(sample: Sample) -> float:
    return float(np.mean(np.abs(sample.given - sample.truth)))


def _r2(sample: Sample) -> float | None:
    spread = np.sum((sample.truth - sample.truth.mean()) ** 2)
    return float(1 - np.sum((sample.given - sample.truth) ** 2) / spread) if spread > 0 else None


def _median_error(sample: Sample) -> float:
    return float(np.median(np.abs(sample.given - sample.truth)))


@dataclass(frozen=True)
class Measure:
    """A metric of a sample, and the least and greatest that it can be."""

    compute: Callable[[Sample], float | None]
    least: float = 0.0
    most: float = 1.0


METRICS: Mapping[Kind, Mapping[str, Measure]] = {
    "binary": {
        "auc": Measure(_auc),
        "pr_auc": Measure(_pr_auc),
        "f1": Measure(_f_of(1.0)),
        "f2": Measure(_f_of(2.0)),
        "accuracy": Measure(_binary_accuracy),
        "log_loss": Measure(_binary_log_loss, most=-log(CLIP)),
        "brier": Measure(_binary_brier),
        "calibration_error": Measure(_calibration_error),
        "ks": Measure(_ks),
        "lift": Measure(_lift, most=float(BINS)),
    },
    "classes": {
        "accuracy": Measure(_accuracy),
        "log_loss": Measure(_log_loss, most=-log(CLIP)),
        "brier": Measure(_brier, most=2.0),
        "macro_f1": Measure(_macro_f1),
        "macro_auc": Measure(_macro_auc),
    },
    "number": {
        "rmse": Measure(_rmse, most=inf),
        "mae": Measure(_mae, most=inf),
        "r2": Measure(_r2, least=-inf),
        "median_error": Measure(_median_error, most=inf),
    },
}
"""By kind of target, in the order of metrics.of(kind)."""
