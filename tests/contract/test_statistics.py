"""Every statistic: its examples, its meaning over exact numbers, and one value to the bit in both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isclose, sqrt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from hotpath.clock import MINUTE
from hotpath.contract.statistics import BY_NAME, LARGEST, MOST_DIGITS, STATISTICS, Example, Part, limit
from hotpath.contract.types import LONG_MAX, Type
from tests.contract.strategies import MANY
from tests.contract.tiled import ALL, Counted, parts

Parts = Mapping[Part, int | None]
EXAMPLES = [(s.name, e) for s in STATISTICS for e in s.examples]
UNITS = (None, *(10.0**digits for digits in (1, 6, MOST_DIGITS)))
MANY_PARTS = 500
AT = 10_000 * MINUTE

numbers = st.sampled_from((0, 1, -1, LARGEST, -LARGEST, LARGEST - 1)) | st.integers(-LARGEST, LARGEST)
small = st.integers(-9, 9)
records = st.lists(
    st.builds(Counted, st.integers(AT - 9, AT - 1) | st.integers(0, AT), small | numbers), max_size=12
)


@st.composite
def extremes(draw: st.DrawFn) -> tuple[int, Parts]:
    """So many records as surely fit and more, most of one value, the others of another; the largest value."""
    largest = draw(st.sampled_from((1, 9, 10**6, LARGEST)))
    most = limit(largest)
    count = draw(st.sampled_from((1, 2, 3, most - 1, most, most + 1)) | st.integers(1, most))
    other = draw(st.sampled_from((0, 1, count // 2)))
    one, two = draw(st.integers(-largest, largest)), draw(st.sampled_from((-largest, largest)))
    both = [one, *([two] if other else [])]
    total = one * (count - other) + two * other
    return largest, {
        Part.COUNT: count,
        Part.SUM: total if abs(total) <= LONG_MAX else 0,  # beyond the limit it is anything
        Part.SQUARES: one * one * (count - other) + two * two * other,
        Part.LEAST: min(both),
        Part.GREATEST: max(both),
        Part.LAST_AT: draw(st.integers(0, AT)),
        Part.LAST: one,
    }


windows = records.map(lambda found: (LARGEST, parts(found))) | extremes()
"""The largest value, and the parts of a window."""


def row(name: str, unit: float | None, largest: int, at: int, found: Parts) -> Any:
    statistic = BY_NAME[name]
    return statistic.row(unit, limit(largest), at, *(found[part] for part in statistic.parts))


def shown(example: Example) -> tuple[float | None, int, Parts]:
    """Unit, the row's instant and parts of an example."""
    unit = 1e6 if any(isinstance(value, float) for value in example.values) else None
    fixed = [round(value * (unit or 1)) for value in example.values]
    found = parts([Counted(n * MINUTE, value) for n, value in enumerate(fixed)])
    return unit, (len(fixed) + 4) * MINUTE, found


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n} of {e.values}" for n, e in EXAMPLES])
def test_an_example_holds_in_the_row_function(name: str, example: Example) -> None:
    unit, at, found = shown(example)
    assert repr(row(name, unit, LARGEST, at, found)) == repr(example.value)


def test_every_example_and_generated_window_is_the_same_in_spark_to_the_bit(
    spark: SparkSession, tmp_path: Path
) -> None:
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    for unit in UNITS:
        cases = [(LARGEST, at, found) for _, e in EXAMPLES for u, at, found in [shown(e)] if u == unit]
        cases += [(largest, AT, found) for largest, found in generated()]
        for name, there in in_spark(spark, tmp_path / f"{unit}.parquet", unit, cases).items():
            for (largest, at, found), value in zip(cases, there, strict=True):
                here = row(name, unit, largest, at, found)
                assert repr(here) == repr(value), f"{name} of {found}, in {unit}, at most {largest}"


def in_spark(
    spark: SparkSession, file: Path, unit: float | None, cases: Sequence[tuple[int, int, Parts]]
) -> dict[str, list[Any]]:
    """Each statistic's values of the cases, in their order."""
    columns: dict[str, Any] = {
        "n": pa.array(range(len(cases)), pa.int64()),
        "largest": pa.array([limit(largest) for largest, _, _ in cases], pa.int64()),
        "at": pa.array([at for _, at, _ in cases], pa.int64()),
    }
    for part in ALL:
        whole = [found[part] for _, _, found in cases]
        columns[part] = (
            pa.array([None if v is None else Decimal(v) for v in whole], pa.decimal128(38, 0))
            if part == Part.SQUARES
            else pa.array(whole, pa.int64())
        )
    pq.write_table(pa.table(columns), file)
    made = [
        s.spark(F, unit, F.col("largest"), F.col("at"), *(F.col(part) for part in s.parts)).alias(s.name)
        for s in STATISTICS
    ]
    found = spark.read.parquet(str(file)).select("n", *made).toArrow().sort_by("n")
    kinds = {s.name: pa.float64() if s.type(unit is None) == Type.DOUBLE else pa.int64() for s in STATISTICS}
    assert {name: found.schema.field(name).type for name in kinds} == kinds
    return {name: found[name].to_pylist() for name in kinds}


def generated() -> list[tuple[int, Parts]]:
    made: list[tuple[int, Parts]] = []

    @settings(MANY, max_examples=MANY_PARTS)
    @given(windows)
    def collect(window: tuple[int, Parts]) -> None:
        made.append(window)

    collect()
    return made


@given(records, st.sampled_from(UNITS))
def test_what_a_statistic_says_of_records_is_what_exact_numbers_say(
    found: list[Counted], unit: float | None
) -> None:
    known = parts(found)
    said = {s.name: row(s.name, unit, LARGEST, AT, known) for s in STATISTICS}
    assert said["count"] == len(found)
    if not found:
        assert {value for name, value in said.items() if name != "count"} == {None}
        return
    values = [Fraction(record.value) / Fraction(unit or 1) for record in found]
    mean = sum(values) / len(values)
    newest = max(found, key=lambda record: (record.at, record.value))
    assert said["sum"] == (float(sum(values)) if unit else sum(values))
    assert isclose(said["mean"], mean, rel_tol=1e-15)
    assert (said["min"], said["max"]) == (float(min(values)), float(max(values)))
    assert said["last"] == float(Fraction(newest.value) / Fraction(unit or 1))
    assert said["age"] == (AT - newest.at) / MINUTE
    if len(found) < 2:
        assert said["std"] is None
    else:
        squares = sum((value - mean) ** 2 for value in values)
        assert isclose(said["std"], sqrt(squares / (len(values) - 1)), rel_tol=1e-14)


@given(extremes(), st.sampled_from(UNITS))
def test_of_more_records_than_surely_fit_a_sum_is_null_and_the_rest_is_not(
    window: tuple[int, Parts], unit: float | None
) -> None:
    largest, found = window
    count = found[Part.COUNT] or 0
    said = {s.name: row(s.name, unit, largest, AT, found) for s in STATISTICS}
    assert [said[name] is None for name in ("sum", "mean")] == [count > limit(largest)] * 2
    assert None not in [said[name] for name in ("count", "min", "max", "last", "age")]


@given(st.integers(1, LARGEST), st.integers(-1, 1))
def test_as_many_of_the_largest_as_the_limit_says_fit_64_bits(largest: int, sign: int) -> None:
    assert abs(sign * largest * limit(largest)) + limit(largest) <= LONG_MAX
