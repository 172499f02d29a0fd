"""The quality of a classifier of many classes from its predictions. Pure.

`truth`: (rows,) the index of each row's class; `chances`: (rows, classes) the probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-15
"""A probability counts as at least this, as in H2O: a single error made with certainty is not infinite."""


def accuracy(truth: NDArray[Any], chances: NDArray[np.float64]) -> float:
    """The share of rows whose likeliest class (the first of equal ones) is theirs.

    >>> accuracy(np.array([0, 1]), np.array([[0.5, 0.5], [0.9, 0.1]]))
    0.5
    """
    return float((chances.argmax(axis=1) == truth).mean())


def log_loss(truth: NDArray[Any], chances: NDArray[np.float64]) -> float:
    """The mean negative log likelihood of the rows' classes, in nats.

    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """
    given = chances[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, LEAST)).mean())
