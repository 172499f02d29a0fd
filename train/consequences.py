"""What decisions come to by the contract's own metrics: counts and sums of right and wrong ones. Pure.

A yes that is declined is a true positive, a no that is declined a false one, a no that is accepted a true
negative, a yes that is accepted a false one; what is abstained from counts in `rows` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotpath.contract.business import values
from hotpath.contract.parts import Business


@dataclass(frozen=True)
class Consequences:
    """`sums`: by name of a count or sum, what each group of rows adds to it."""

    metrics: Sequence[Business]
    sums: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        metrics: Sequence[Business],
        yes: NDArray[np.bool_],
        declined: NDArray[np.bool_],
        accepted: NDArray[np.bool_],
        group: NDArray[np.int64],
        amounts: Mapping[str, NDArray[np.float64]],
    ) -> Consequences:
        """Of rows by what they turned out to be and how they were decided; `amounts` by the event's field."""
        _, groups = np.unique(group, return_inverse=True)
        sides = {
            "tp": yes & declined,
            "fp": ~yes & declined,
            "tn": ~yes & accepted,
            "fn": yes & accepted,
        }
        added = {"rows": np.ones(len(yes)), **{name: 1.0 * rows for name, rows in sides.items()}}
        for name, rows in sides.items():
            added |= {f"{name}_{field}": rows * amount for field, amount in amounts.items()}
        return cls(metrics, {name: _sums(groups, one) for name, one in added.items()})

    def whole(self) -> dict[str, float | None]:
        """Each metric over all rows; None where it is not defined."""
        return self._figures({name: float(by_group.sum()) for name, by_group in self.sums.items()})

    def without(self) -> list[dict[str, float | None]]:
        """Each metric without each group, in the groups' order."""
        groups = len(self.sums["rows"])
        return [
            self._figures({name: float(s.sum() - s[left]) for name, s in self.sums.items()})
            for left in range(groups)
        ]

    def _figures(self, counts: Mapping[str, float]) -> dict[str, float | None]:
        return {metric.name: values(metric.tree, counts) for metric in self.metrics}


def _sums(groups: NDArray[np.int64], added: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(groups, weights=added), np.float64)
