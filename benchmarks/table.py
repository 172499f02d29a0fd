"""A benchmark's result, as `benchmarks/results.json` holds it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """`value` is the median of `rounds`, `spread` the least and the greatest of them.

    `must` and `aim` are the issue's figures (null: none).
    """

    name: str
    value: float
    must: float | None
    aim: float | None
    better: Literal["lower", "higher"]
    spread: tuple[float, float]
    rounds: int

    @property
    def met(self) -> bool:
        """Whether `must` holds."""
        if self.must is None:
            return True
        return self.value <= self.must if self.better == "lower" else self.value >= self.must


Measure = Callable[[], Sequence[Row]]


def row(
    name: str,
    found: Sequence[float],
    better: Literal["lower", "higher"],
    must: float | None = None,
    aim: float | None = None,
) -> Row:
    """The row of one figure a round."""
    spread = (round(min(found), 4), round(max(found), 4))
    return Row(name, round(median(found), 4), must, aim, better, spread, len(found))
