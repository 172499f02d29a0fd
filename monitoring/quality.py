"""How good answers were, once their labels are known: scikit-learn's metrics over columns. Pure.

A metric is None where it is not defined: nothing is labelled yet, or (AUC) only one class was seen.

    >>> import numpy as np
    >>> measured(np.array([1, 0, -1]), np.array([0.9, 0.2, 0.5]), np.full(3, 0.5)).auc
    1.0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, fbeta_score, log_loss, roc_auc_score

CLIP = float(np.finfo(np.float64).eps)
"""A score nearer to 0 or 1 counts as this far from it: its logarithm must be finite (scikit-learn's)."""


@dataclass(frozen=True)
class Quality:
    """Counts, and metrics at the threshold that each answer was decided by.

    `coverage` is labelled by answers. An answer without a score counts in the first two and in no metric.
    """

    answers: int
    labelled: int
    coverage: float | None = None
    auc: float | None = None
    f1: float | None = None
    f2: float | None = None
    accuracy: float | None = None
    log_loss: float | None = None


def measured(target: NDArray[Any], score: NDArray[Any], threshold: NDArray[Any]) -> Quality:
    """Quality of answers; `target` is 0, 1, or negative where no label is known, `score` NaN for none."""
    labelled = target >= 0
    answers, known = len(target), int(labelled.sum())
    coverage = known / answers if answers else None
    used = labelled & ~np.isnan(score)
    if not used.any():
        return Quality(answers, known, coverage)
    truth, scored = target[used] == 1, score[used]
    said = scored >= threshold[used]
    return Quality(
        answers,
        known,
        coverage,
        auc=auc(truth, scored),
        f1=float(f1_score(truth, said, zero_division=0.0)),
        f2=float(fbeta_score(truth, said, beta=2, zero_division=0.0)),
        accuracy=float(accuracy_score(truth, said)),
        log_loss=float(log_loss(truth, np.clip(scored, CLIP, 1 - CLIP), labels=[False, True])),
    )


def auc(truth: NDArray[Any], score: NDArray[Any]) -> float | None:
    """Area under the ROC curve; None where there is only one class."""
    return None if truth.all() or not truth.any() else float(roc_auc_score(truth, score))
