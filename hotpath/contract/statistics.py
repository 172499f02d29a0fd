"""The statistics that a feature may ask of tiles: one table, one entry each, finished alike in every engine.

Recipe: to add a statistic, add an entry; its examples run as tests in the row function and in Spark, and the
reference page shows it. Prepare and update (a record into a tile) and merge (tiles into a window) belong to
the parts that an entry names, so two statistics of one aggregate share them; an entry only finishes.

A part is a whole number a tile: values are counted in units of 10**-digits (fixed point), so that no order of
sums changes anything. A record without key or value is in no tile. Over a window without a record every part
but COUNT is null. Rules of every entry: a count of nothing is 0, everything else of nothing is null; nothing
raises; row and Spark rendering are equal to the bit.

    >>> BY_NAME["mean"].row(1.0, 2**62, 0, 4, 10)
    2.5
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Any

from hotpath.contract.types import LONG_MAX, Type

MINUTE_US = 60_000_000.0
LARGEST = 10**12
"""A value whose fixed point lies beyond is in no tile: so sums of nine million records fit 64 bits."""
MOST_DIGITS = 9


class Part(StrEnum):
    """What a tile keeps of its records. All are whole numbers of 64 bits, SQUARES of 128."""

    COUNT = "count"
    SUM = "sum"
    SQUARES = "squares"
    LEAST = "least"
    GREATEST = "greatest"
    LAST_AT = "last_at"
    """When the last record arrived, µs."""
    LAST = "last"
    """Its value; of records that arrived in the same µs the greatest."""


@dataclass(frozen=True)
class Example:
    """Of records of these values, a minute apart, a row five minutes after the last reads `value`.

    Floats are doubles of six digits, ints are longs.
    """

    values: tuple[int | float, ...]
    value: int | float | None


@dataclass(frozen=True)
class Statistic:
    """`row` gets unit, limit, the row's instant (µs) and the window's parts in the order of `parts`, COUNT an
    int, each other an int or None; `spark` gets pyspark.sql.functions first, columns for instant and parts.

    `unit` is 10**digits as a double, None where values are whole. Of more than `limit` records a sum may not
    fit 64 bits, and what rests on it is null. `valued`: it needs an aggregate with a value. `gives`: the type
    (None: long of whole values, else double). `timed`: it rests on the row's instant too.
    """

    name: str
    parts: tuple[Part, ...]
    gives: Type | None
    row: Callable[..., Any]
    spark: Callable[..., Any]
    doc: str
    examples: tuple[Example, ...]
    valued: bool = True
    timed: bool = False

    def type(self, whole: bool) -> Type:
        """The type of a reading, of whole values or of doubles."""
        return self.gives or (Type.LONG if whole else Type.DOUBLE)


def _scaled(unit: float | None, value: int | None) -> int | float | None:
    return value if unit is None or value is None else value / unit


def _spark_scaled(unit: float | None, value: Any) -> Any:
    return value if unit is None else value.cast("double") / unit


def _sum(unit: float | None, limit: int, _at: int, count: int, total: int | None) -> int | float | None:
    if total is None or count > limit:
        return None
    return total if unit is None else float(total) / unit


def _spark_sum(F: Any, unit: float | None, limit: int, _at: Any, count: Any, total: Any) -> Any:
    return F.when(count <= limit, _spark_scaled(unit, total))


def _mean(unit: float | None, limit: int, _at: int, count: int, total: int | None) -> float | None:
    return None if total is None or count > limit else float(total) / float(count) / (unit or 1.0)


def _spark_mean(F: Any, unit: float | None, limit: int, _at: Any, count: Any, total: Any) -> Any:
    return F.when(count <= limit, total.cast("double") / count.cast("double") / (unit or 1.0))


def _std(
    unit: float | None, limit: int, _at: int, count: int, total: int | None, squares: int | None
) -> float | None:
    if total is None or squares is None or count < 2 or count > limit:
        return None
    # Around the whole part of the mean, exactly: sum((x - m)^2) = squares - m (total + rest).
    mean, rest = divmod(total, count)
    around = float(squares - mean * (total + rest)) - float(rest) * float(rest) / float(count)
    return sqrt(max(0.0, around) / float(count - 1)) / (unit or 1.0)


def _spark_std(F: Any, unit: float | None, limit: int, _at: Any, count: Any, total: Any, squares: Any) -> Any:
    rest = F.pmod(total, count)
    mean = F.try_divide((total - rest).cast("decimal(38,0)"), count.cast("decimal(20,0)"))
    product = mean.cast("decimal(13,0)") * (total + rest).cast("decimal(20,0)")
    around = (squares - product.cast("decimal(38,0)")).cast("double") - rest.cast("double") * rest.cast(
        "double"
    ) / count.cast("double")
    found = F.sqrt(F.greatest(F.lit(0.0), around) / (count - 1).cast("double")) / (unit or 1.0)
    return F.when((count >= 2) & (count <= limit), found)


def _first(unit: float | None, _limit: int, _at: int, value: int | None) -> int | float | None:
    return _scaled(unit, value)


def _spark_first(_F: Any, unit: float | None, _limit: int, _at: Any, value: Any) -> Any:
    return _spark_scaled(unit, value)


def _age(_unit: float | None, _limit: int, at: int, last_at: int | None) -> float | None:
    return None if last_at is None else float(at - last_at) / MINUTE_US


def _spark_age(_F: Any, _unit: float | None, _limit: int, at: Any, last_at: Any) -> Any:
    return (at - last_at).cast("double") / MINUTE_US


COUNT, SUM, SQUARES, LEAST, GREATEST, LAST_AT, LAST = Part
STATISTICS = (
    Statistic(
        "count", (COUNT,), Type.LONG, lambda _u, _l, _at, count: count,
        lambda _F, _u, _l, _at, count: count,
        "records, of an aggregate with a value those that have one; 0 of none",
        (Example((3, 1, 2), 3), Example((), 0)), valued=False,
    ),
    Statistic(
        "sum", (COUNT, SUM), None, _sum, _spark_sum, "the values' sum; null of none",
        (Example((3, 1, 2), 6), Example((0.1, 0.2), 0.3), Example((), None)),
    ),
    Statistic(
        "mean", (COUNT, SUM), Type.DOUBLE, _mean, _spark_mean, "the values' mean",
        (Example((3, 1, 1), 5 / 3), Example((0.5, 1.0), 0.75), Example((), None)),
    ),
    Statistic(
        "std", (COUNT, SUM, SQUARES), Type.DOUBLE, _std, _spark_std,
        "the values' sample standard deviation (n - 1); null below two",
        (Example((1, 3), sqrt(2.0)), Example((2.5, 2.5), 0.0), Example((7,), None)),
    ),
    Statistic(
        "min", (LEAST,), None, _first, _spark_first, "the least value",
        (Example((3, 1, 2), 1), Example((-0.5, 0.5), -0.5), Example((), None)),
    ),
    Statistic(
        "max", (GREATEST,), None, _first, _spark_first, "the greatest value",
        (Example((3, 1, 2), 3), Example((-0.5, 0.5), 0.5), Example((), None)),
    ),
    Statistic(
        "last", (LAST_AT, LAST), None, lambda unit, _l, _at, _, last: _scaled(unit, last),
        lambda _F, unit, _l, _at, _, last: _spark_scaled(unit, last),
        "the value that arrived last; of several in the same µs the greatest",
        (Example((3, 1, 2), 2), Example((0.1234567,), 0.123457), Example((), None)),
    ),
    Statistic(
        "age", (LAST_AT,), Type.DOUBLE, _age, _spark_age,
        "minutes from the last record's arrival to the row's",
        (Example((3, 1, 2), 5.0), Example((), None)), valued=False, timed=True,
    ),
)  # fmt: skip
BY_NAME = {s.name: s for s in STATISTICS}


def limit(largest: int) -> int:
    """How many records' sum surely fits 64 bits, where no value's fixed point lies beyond `largest`."""
    return LONG_MAX // (largest + 1)
