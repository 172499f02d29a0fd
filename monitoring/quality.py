"""How good answers were, once their labels are known: scikit-learn's metrics over columns. Pure.

A metric is None where it is not defined: the target is of another kind, nothing is labelled yet, or (AUC)
only one class was seen. To measure another kind of target, add an entry to METRICS and to NAMES.

    >>> import numpy as np
    >>> rows = np.array([(0.9, 0.5), (0.2, 0.5), (0.5, 0.5)], [("score", "f8"), ("threshold", "f8")])
    >>> measured("binary", np.array([1, 0, np.nan]), rows).auc
    1.0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, fbeta_score, log_loss, roc_auc_score

from hotpath.contract.parts import Kind

Rows = NDArray[np.void]
"""Answers with `score`, `threshold` (binary) and `scores` (of many classes): `monitoring.joined`'s."""

CLIP = float(np.finfo(np.float64).eps)
"""A score nearer to 0 or 1 counts as this far from it: its logarithm must be finite (scikit-learn's)."""


@dataclass(frozen=True)
class Quality:
    """Counts, and metrics; those of a yes or no at the threshold that each answer was decided by.

    `coverage` is labelled by answers. An answer without a score counts in the first two and in no metric.
    `rmse` and `mae` are in the target's unit.
    """

    answers: int
    labelled: int
    coverage: float | None = None
    auc: float | None = None
    f1: float | None = None
    f2: float | None = None
    accuracy: float | None = None
    log_loss: float | None = None
    rmse: float | None = None
    mae: float | None = None


def measured(kind: Kind, truth: NDArray[np.float64], answers: Rows) -> Quality:
    """Quality of answers; `truth` is 0 or 1, a class's place, or a number, NaN where no label is known."""
    labelled = ~np.isnan(truth)
    total, known = len(truth), int(labelled.sum())
    coverage = known / total if total else None
    used = labelled & ~np.isnan(answers["score"])
    metrics = METRICS[kind](truth[used], answers[used]) if used.any() else {}
    return Quality(total, known, coverage, **metrics)


def _binary(truth: NDArray[np.float64], answers: Rows) -> dict[str, float | None]:
    yes, score = truth == 1, answers["score"]
    said = score >= answers["threshold"]
    return {
        "auc": auc(yes, score),
        "f1": float(f1_score(yes, said, zero_division=0.0)),
        "f2": float(fbeta_score(yes, said, beta=2, zero_division=0.0)),
        "accuracy": float(accuracy_score(yes, said)),
        "log_loss": float(log_loss(yes, np.clip(score, CLIP, 1 - CLIP), labels=[False, True])),
    }


def _classes(truth: NDArray[np.float64], answers: Rows) -> dict[str, float | None]:
    places, scores = truth.astype(np.int64), answers["scores"]
    right = scores[np.arange(len(places)), places]
    return {
        "accuracy": float(accuracy_score(places, scores.argmax(axis=1))),
        "log_loss": float(-np.log(np.clip(right, CLIP, 1 - CLIP)).mean()),
    }


def _number(truth: NDArray[np.float64], answers: Rows) -> dict[str, float | None]:
    with np.errstate(over="ignore"):  # of 1e200 the square is no double: then it is not known
        off = answers["score"] - truth
        found = {"rmse": float(np.sqrt(np.mean(off**2))), "mae": float(np.mean(np.abs(off)))}
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


METRICS: Mapping[Kind, Callable[[NDArray[np.float64], Rows], dict[str, float | None]]] = {
    "binary": _binary,
    "classes": _classes,
    "number": _number,
}
"""By kind of target: truths and answers, all of them known, to metrics."""
NAMES: Mapping[Kind, tuple[str, ...]] = {
    "binary": ("auc", "f1", "f2", "accuracy", "log_loss"),
    "classes": ("accuracy", "log_loss"),
    "number": ("rmse", "mae"),
}
"""What each of METRICS gives, in the order to show; the first is the one to speak of."""


def auc(truth: NDArray[Any], score: NDArray[Any]) -> float | None:
    """Area under the ROC curve; None where there is only one class."""
    return None if truth.all() or not truth.any() else float(roc_auc_score(truth, score))
