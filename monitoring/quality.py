"""How good answers were, once their labels are known: the holdout's metrics over live answers. Pure.

A metric is None where it is not defined: nothing is labelled yet, or (AUC) only one class was seen. How each
is computed, and how one is added, says hotpath/quality.py.

    >>> import numpy as np
    >>> rows = np.array([(0.9, 0.5), (0.2, 0.5), (0.5, 0.5)], [("score", "f8"), ("threshold", "f8")])
    >>> measured("binary", np.array([1, 0, np.nan]), rows).metrics["auc"]
    1.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotpath import quality
from hotpath.contract.parts import Kind
from hotpath.quality import Sample

Rows = NDArray[np.void]
"""Answers with `score`, `threshold` (binary) and `scores` (of many classes): `monitoring.joined`'s."""
NAMES: Mapping[Kind, tuple[str, ...]] = {
    "binary": ("auc", "f1", "f2", "accuracy", "log_loss"),
    "classes": ("accuracy", "log_loss"),
    "number": ("rmse", "mae"),
}
"""The metrics to show, in this order; the first is the one to speak of."""


@dataclass(frozen=True)
class Quality:
    """Counts, and every metric of the target's kind; F1, F2 and accuracy of a yes or no at the threshold that
    each answer was decided by.

    `coverage` is labelled by answers. An answer without a score counts in the first two and in no metric.
    """

    answers: int
    labelled: int
    coverage: float | None = None
    metrics: quality.Figures = field(default_factory=dict)

    def plain(self) -> dict[str, float | None]:
        """Counts and metrics by name, as points and figures have them."""
        counts = {"answers": self.answers, "labelled": self.labelled, "coverage": self.coverage}
        return {**counts, **self.metrics}


def measured(kind: Kind, truth: NDArray[np.float64], answers: Rows) -> Quality:
    """Quality of answers; `truth` is 0 or 1, a class's place, or a number, NaN where no label is known."""
    labelled = ~np.isnan(truth)
    total, known = len(truth), int(labelled.sum())
    coverage = known / total if total else None
    used = labelled & ~np.isnan(answers["score"])
    return Quality(total, known, coverage, quality.measured(_sample(kind, truth[used], answers[used])))


def _sample(kind: Kind, truth: NDArray[Any], answers: Rows) -> Sample:
    if kind == "classes":
        return Sample(kind, truth, answers["scores"])
    # Where nothing is ever declined there is no threshold: nothing is at or above NaN.
    said = answers["score"] >= answers["threshold"] if kind == "binary" else None
    return Sample(kind, truth, answers["score"], said)
