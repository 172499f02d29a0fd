"""What the contract's language costs: a row in Python, a contract from its file, columns in Spark.

row_function_us    twenty features of a decoded row, one after another, in one process
contract_load_ms   the first contract of a process, with its table, its imports already there
spark_rendering    the rendered columns over the same columns written by hand, both in one run
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from math import isclose
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, SparkSession

from benchmarks import shop
from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import Clock
from hotpath.contract.row import row_function
from hotpath.errors import Bug
from hotpath.lake import ARROW_TYPES
from hotpath.settings import PROJECT
from hotpath.spark import session
from train.to_spark import feature_columns

PYTHON_ROWS, PASSES = 2_000, 20
SPARK_ROWS = 1_000_000
COMPARED = 2_000
PIPELINE = PROJECT / "config" / "pipelines" / "payments.yaml"
_LOADING = """
import sys
from pathlib import Path
from hotpath.clock import Clock
from hotpath.contract.load import load
clock = Clock()
began = clock.elapsed()
load(Path(sys.argv[1]))
print((clock.elapsed() - began) * 1e3)
"""


def row_function_us(rounds: int = ROUNDS) -> Sequence[Row]:
    """µs a row."""
    features, rows, clock = row_function(shop.contract(), shop.FITTED), shop.rows(PYTHON_ROWS), Clock()
    found = []
    for _ in range(rounds):
        began = clock.elapsed()
        for _ in range(PASSES):
            for one in rows:
                features(one)
        found.append((clock.elapsed() - began) / (PASSES * len(rows)) * 1e6)
    return [row("row_function_us", found, "lower", must=20, aim=10)]


def contract_load_ms(rounds: int = ROUNDS) -> Sequence[Row]:
    """ms in a process of its own each, so that nothing is remembered."""
    return [row("contract_load_ms", [_loaded() for _ in range(rounds)], "lower", must=300)]


def spark_rendering(rounds: int = ROUNDS, count: int = SPARK_ROWS) -> Sequence[Row]:
    """The ratio of two times of the same rows out of Parquet, the sides in turns, after a pass each."""
    with tempfile.TemporaryDirectory() as folder:
        spark = session("spark-rendering", "local[1]", "1g")
        try:
            file = _orders(Path(folder), count)
            sides = (feature_columns(shop.contract(), shop.FITTED), shop.by_hand())
            _proved(*(_values(spark, file, side) for side in sides))
            for side in sides:
                _seconds(spark, file, side)
            ratios = [_ratio(spark, file, sides, number) for number in range(rounds)]
        finally:
            spark.stop()
    return [row("spark_rendering", ratios, "lower", must=1.15)]


def _loaded() -> float:
    command = (sys.executable, "-c", _LOADING, str(PIPELINE))
    return float(subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout)


def _orders(folder: Path, count: int) -> str:
    fields = [(f.name, ARROW_TYPES[f.type]) for f in shop.contract().events.fields]
    pq.write_table(pa.Table.from_pylist(shop.rows(count), pa.schema(fields)), folder / "orders.parquet")
    return str(folder)


def _ratio(spark: SparkSession, file: str, sides: Sequence[list[Column]], number: int) -> float:
    turns = (0, 1) if number % 2 == 0 else (1, 0)
    took = {side: _seconds(spark, file, sides[side]) for side in turns}
    return took[0] / took[1]


def _seconds(spark: SparkSession, file: str, columns: list[Column]) -> float:
    clock = Clock()
    began = clock.elapsed()
    spark.read.parquet(file).select(*columns).write.format("noop").mode("overwrite").save()
    return clock.elapsed() - began


def _values(spark: SparkSession, file: str, columns: list[Column]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        spark.read.parquet(file).limit(COMPARED).select(*columns).toArrow().to_pylist()
    )
    return found


def _proved(rendered: list[dict[str, Any]], written: list[dict[str, Any]]) -> None:
    """Raises Bug where the two sides are not the same columns: then their times say nothing."""
    for here, there in zip(rendered, written, strict=True):
        for name in here.keys() | there.keys():
            if not _equal(here.get(name), there.get(name)):
                raise Bug(f"column {name}", here.get(name), f"{there.get(name)}, as written by hand")


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return type(a) is type(b) and a == b
