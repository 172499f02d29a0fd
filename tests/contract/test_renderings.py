"""The row function and the Spark columns are one language: equal to the bit on generated rows.

A function that declares a tolerance is compared within it, and is generated outermost only (strategies.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from hotpath.contract.expressions import LONGEST, Knows, Scope, normal, parse, tolerance
from hotpath.contract.fitted import Fitted
from hotpath.contract.functions import FUNCTIONS, Example
from hotpath.contract.row import compose, row_function
from hotpath.contract.types import FIELD_TYPES, Type, Value
from hotpath.lake import ARROW_TYPES
from tests.contract.strategies import (
    COLUMNS,
    FIELDS,
    FITTED,
    KNOWS,
    MANY,
    SCOPE,
    expressions,
    rows,
    with_function,
)
from tests.contract.whole import around
from train.to_spark import column, feature_columns

EXPRESSIONS, A_JOB, A_TABLE, A_CONTRACT = 120, 40, 20_000, 200
BY_NAME = (pytest.mark.campaign, pytest.mark.timeout(3600))
"""Marks of what `make conformance` runs: some ten minutes."""
PYTHON = re.compile(r"Python|MapInArrow|MapInPandas|FlatMapGroups")
"""Nodes of a plan that leave the JVM."""
EXAMPLES = [(f.name, e) for f in FUNCTIONS for e in f.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}: {e.text}" for n, e in EXAMPLES])
def test_an_example_holds_in_the_row_function(name: str, example: Example) -> None:
    found = compose(parse(example.text, scope(example)), knows(example))(row(example))
    assert repr(found) == repr(example.value), name


def test_every_example_holds_in_spark_without_a_worker_of_python(spark: SparkSession, tmp_path: Path) -> None:
    for types, examples in by_types().items():
        file = lake(tmp_path, dict(types), [row(e) for e in examples])
        made = [column(parse(e.text, scope(e)), knows(e)) for e in examples]
        table = spark.read.parquet(str(file)).select("n", *(c.alias(f"v{n}") for n, c in enumerate(made)))
        assert not PYTHON.findall(plan(table)), plan(table)
        found = values(table)
        for n, example in enumerate(examples):
            within = tolerance(parse(example.text, scope(example)))
            assert same(example.value, found[n][n], within), f"{example.text} over {row(example)}"


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=BY_NAME)])
def test_spark_and_the_row_function_agree(spark: SparkSession, tmp_path: Path, count: int) -> None:
    texts = sorted(generated_expressions(), key=len)
    for _ in range(0, count, A_TABLE):
        table = generated_rows(min(count, A_TABLE))
        file = lake(tmp_path, COLUMNS, table)
        for start in range(0, len(texts), A_JOB):
            some = texts[start : start + A_JOB]
            for text, there in zip(some, in_spark(spark, file, some), strict=True):
                assert difference(text, table, there) == ""


def test_a_whole_contract_has_the_same_features_in_spark_and_by_the_row_function(
    spark: SparkSession, tmp_path: Path
) -> None:
    contract = around([text for text in generated_expressions() if may_be_a_feature(text)][:A_JOB])
    table = generated_rows(A_CONTRACT)
    read = spark.read.parquet(str(lake(tmp_path, COLUMNS, table)))
    columns, features = feature_columns(contract, FITTED), row_function(contract, FITTED)
    assert read.select(*columns).columns == [f.name for f in contract.features]
    here, there = list(zip(*map(features, table), strict=True)), values(read.select("n", *columns))
    for feature, mine, found in zip(contract.features, here, there, strict=True):
        for row, one, other in zip(table, mine, found, strict=True):
            assert same(one, other, tolerance(feature.tree)), (feature.expression, row, one, other)


def test_only_what_takes_a_sine_may_differ_between_the_engines() -> None:
    tolerant = {f.name for f in FUNCTIONS if f.tolerance}
    assert tolerant == {"sin_cycle", "cos_cycle", "distance_km", "nearest_km"}
    assert tolerance(parse("sqrt(i) + sin_cycle(x, 24)", SCOPE)) == 1e-9
    assert tolerance(parse("exp(sqrt(i))", SCOPE)) == 0.0


def test_what_a_function_repeats_does_not_make_a_plan_that_explodes(
    spark: SparkSession, tmp_path: Path
) -> None:
    text = "i"
    for _ in range(15):
        text = f"bucket({text}, 0, 9)"
    file = lake(tmp_path, FIELDS, [dict.fromkeys(FIELDS) | {"i": 7}])
    assert in_spark(spark, file, [text]) == [[compose(parse(text, SCOPE), KNOWS)({"i": 7})]]


def test_spark_sees_the_overflow_of_every_part(spark: SparkSession, tmp_path: Path) -> None:
    types = {name: kind for name, kind in FIELDS.items() if name in ("i", "j")}
    texts = ["(j + 1) + (i - 1)", "(j + 5) + (i * 3)", "(j * 2) * (i * 0)", "-2 + (2 + -i)"]
    file = lake(tmp_path, types, [{"i": -(2**63) + 1, "j": 2**63 - 1}])
    assert dict(zip(texts, in_spark(spark, file, texts), strict=True)) == {t: [None] for t in texts}


def may_be_a_feature(text: str) -> bool:
    """Whether an expression has a feature's type, and is not too long in its one spelling."""
    kinds = [kind.type for kind in FIELD_TYPES if kind.feature]
    return parse(text, SCOPE).type in kinds and len(normal(text)) <= LONGEST


def scope(example: Example) -> Scope:
    """What an example's expression may use."""
    tables = {t.name: t for t in example.tables}
    return Scope({field: kind for field, kind, _ in example.row}, tables=tables, time="event_time")


def knows(example: Example) -> Knows:
    """What its rendering must know."""
    return Knows({t.name: t for t in example.tables}, Fitted(example.levels))


def row(example: Example) -> dict[str, Value]:
    """Its row."""
    return {field: value for field, _, value in example.row}


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


def in_spark(spark: SparkSession, file: Path, texts: Sequence[str]) -> list[list[Any]]:
    """Values of each of `texts` over the rows of a file, in their order."""
    columns = [column(parse(text, SCOPE), KNOWS).alias(f"v{i}") for i, text in enumerate(texts)]
    return values(spark.read.parquet(str(file)).select("n", *columns))


def values(table: DataFrame) -> list[list[Any]]:
    """The columns beside `n`, in the order of `n`."""
    found = table.toArrow().sort_by("n").drop_columns("n")
    return [column.to_pylist() for column in found]


def plan(table: DataFrame) -> str:
    """The physical plan."""
    return str(table._jdf.queryExecution().executedPlan().toString())


def difference(text: str, table: Sequence[Mapping[str, Value]], there: Sequence[Any]) -> str:
    """The first row in which the row function and Spark differ on an expression, with both values."""
    tree = parse(text, SCOPE)
    of, within = compose(tree, KNOWS), tolerance(tree)
    for row, found in zip(table, there, strict=True):
        here = of(row)
        if not same(here, found, within):
            return f"\n{text}\nrow:   {row}\nhere:  {here!r}\nSpark: {found!r}"
    return ""


def same(here: Any, there: Any, within: float) -> bool:
    """Equal to the bit, or within a tolerance."""
    if within and isinstance(here, float) and isinstance(there, float):
        return abs(here - there) <= within * max(1.0, abs(here))
    return repr(here) == repr(there)


def generated_rows(count: int) -> list[dict[str, Value]]:
    """So many rows of COLUMNS."""
    made: list[dict[str, Value]] = []

    @settings(MANY, max_examples=count)
    @given(rows)
    def collect(row: dict[str, Value]) -> None:
        made.append(row)

    collect()
    return made


def generated_expressions() -> list[str]:
    """EXPRESSIONS expressions over FIELDS, and two with each function outermost."""
    made: set[str] = set()

    @settings(MANY, max_examples=EXPRESSIONS)
    @given(expressions())
    def collect(text: str) -> None:
        made.add(text)

    @settings(MANY, max_examples=2)  # hypothesis begins with the simplest
    @given(st.tuples(*map(with_function, FUNCTIONS)))
    def collect_each(texts: tuple[str, ...]) -> None:
        made.update(texts)

    collect()
    collect_each()
    return list(made)
