"""The row function and the Spark columns are one language: equal to the bit on generated rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pyspark.sql import SparkSession

from hotpath.contract.expressions import Scope, parse
from hotpath.contract.functions import FUNCTIONS, Example
from hotpath.contract.row import compose
from hotpath.contract.types import Type, Value
from hotpath.lake import ARROW_TYPES
from tests.contract.strategies import FIELDS, expressions, rows
from train.to_spark import column

ROWS, EXPRESSIONS, A_JOB = 2000, 120, 40
EXAMPLES = [(f.name, e) for f in FUNCTIONS for e in f.examples]
MANY = settings(
    phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}: {e.text}" for n, e in EXAMPLES])
def test_an_example_holds_in_the_row_function(name: str, example: Example) -> None:
    tree = parse(example.text, Scope({field: kind for field, kind, _ in example.row}))
    assert repr(compose(tree)({field: value for field, _, value in example.row})) == repr(example.value), name


def test_every_example_holds_in_spark(spark: SparkSession, tmp_path: Path) -> None:
    for types, examples in by_types().items():
        table = [{field: value for field, _, value in e.row} for e in examples]
        found = in_spark(spark, lake(tmp_path, dict(types), table), dict(types), [e.text for e in examples])
        for n, example in enumerate(examples):
            assert repr(found[n][n]) == repr(example.value), f"{example.text} over {table[n]}"


def test_spark_and_the_row_function_agree_to_the_bit(spark: SparkSession, tmp_path: Path) -> None:
    table, texts = generated_rows(), sorted(generated_expressions(), key=len)
    file = lake(tmp_path, FIELDS, table)
    for start in range(0, len(texts), A_JOB):
        some = texts[start : start + A_JOB]
        for text, values in zip(some, in_spark(spark, file, FIELDS, some), strict=True):
            of = compose(parse(text, Scope(FIELDS)))
            for row, there in zip(table, values, strict=True):
                here = of(row)
                assert repr(here) == repr(there), f"\n{text}\nrow:   {row}\nhere:  {here!r}\nSpark: {there!r}"


def test_spark_sees_the_overflow_of_every_part(spark: SparkSession, tmp_path: Path) -> None:
    types = {"i": Type.LONG, "j": Type.LONG}
    texts = ["(j + 1) + (i - 1)", "(j + 5) + (i * 3)", "(j * 2) * (i * 0)", "-2 + (2 + -i)"]
    file = lake(tmp_path, types, [{"i": -(2**63) + 1, "j": 2**63 - 1}])
    assert dict(zip(texts, in_spark(spark, file, types, texts), strict=True)) == {t: [None] for t in texts}


def by_types() -> dict[tuple[tuple[str, Type], ...], list[Example]]:
    """The table's examples by the fields they use, so that each group is one job."""
    groups: dict[tuple[tuple[str, Type], ...], list[Example]] = {}
    for _, example in EXAMPLES:
        groups.setdefault(tuple((field, kind) for field, kind, _ in example.row), []).append(example)
    return groups


def lake(folder: Path, types: Mapping[str, Type], table: Sequence[Mapping[str, Value]]) -> Path:
    """A Parquet file of rows, typed as in the lake, numbered by a column `n`."""
    schema = pa.schema([("n", pa.int64()), *((name, ARROW_TYPES[kind]) for name, kind in types.items())])
    file = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.Table.from_pylist([{"n": n, **row} for n, row in enumerate(table)], schema), file)
    return file


def in_spark(
    spark: SparkSession, file: Path, types: Mapping[str, Type], texts: Sequence[str]
) -> list[list[Any]]:
    """Values of each of `texts` over the rows of a file, in their order."""
    columns = [column(parse(text, Scope(types))).alias(f"v{i}") for i, text in enumerate(texts)]
    found = spark.read.parquet(str(file)).select("n", *columns).toArrow().sort_by("n")
    return [values.to_pylist() for values in found.drop_columns("n")]


def generated_rows() -> list[dict[str, Value]]:
    """ROWS rows of FIELDS."""
    made: list[dict[str, Value]] = []

    @settings(MANY, max_examples=ROWS)
    @given(rows)
    def collect(row: dict[str, Value]) -> None:
        made.append(row)

    collect()
    return made


def generated_expressions() -> list[str]:
    """EXPRESSIONS expressions over FIELDS."""
    made: set[str] = set()

    @settings(MANY, max_examples=EXPRESSIONS)
    @given(expressions())
    def collect(text: str) -> None:
        made.add(text)

    collect()
    return list(made)
