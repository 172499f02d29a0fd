"""Baselines: how each feature was spread over the training rows, column by column. Pure.

Computed from the columns that the model was grown on, so that live features are held against what it saw, and
exactly, so that a window that is built again gives the same.
"""

from __future__ import annotations

from math import isfinite

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hotpath.contract.fitted import Baseline

MOST_LEVELS = 64
"""Levels that a category's baseline names; the others are too rare to be watched one by one."""
_DECILES = tuple(n / 10 for n in range(11))


def baseline(values: pa.ChunkedArray) -> Baseline:
    """The baseline of a feature's values: strings of a category, doubles otherwise.

    A decile is a value that occurs (the nearest rank); mean and deviation are null where they overflow.
    """
    present = values.drop_null()
    rows, nulls = len(values), values.null_count
    if pa.types.is_string(values.type):
        return Baseline(rows, nulls, levels=_frequent(present))
    if not len(present):
        return Baseline(rows, nulls)
    found = pc.quantile(present, q=_DECILES, interpolation="nearest")
    return Baseline(rows, nulls, tuple(found.to_pylist()), *_moments(present.to_numpy()))


def _frequent(present: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    """Levels and their rows, the most frequent first, ties by text."""
    counted = [(c["values"], c["counts"]) for c in pc.value_counts(present).to_pylist()]
    return tuple(sorted(counted, key=lambda pair: (-pair[1], pair[0]))[:MOST_LEVELS])


def _moments(present: np.ndarray) -> tuple[float | None, float | None]:
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(present.mean())
        std = float(present.std(ddof=1)) if len(present) > 1 else None
    return _finite(mean), _finite(std)


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
