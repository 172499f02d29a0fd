"""Tables as they are handed to H2O: Parquet files of the features alone, in the shape that it reads quickest.

Measured on two cores, 200,000 rows of 23 columns: one file is read by one thread; two of equal size by two;
four or eight cost more CPU than they save time. Doubles kept as dictionaries cost a quarter more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hotpath.contract.parts import Feature, Kind
from hotpath.contract.types import Type

FILES = 2
FEW = 20_000
"""Rows up to which one file is read as quickly as two."""
FEATURE, WEIGHT, SLICE = "feature.", "row.weight", "row.slice"
"""How a feature's column begins, and what a training row has beside its features."""


def types(features: Sequence[Feature]) -> dict[str, str]:
    """H2O's types by feature."""
    return {f.name: "enum" if f.type == Type.CATEGORY else "real" for f in features}


def weighted(files: Sequence[Path]) -> bool:
    """Whether some row stands for more, or less, than itself."""
    if WEIGHT not in pq.read_schema(files[0]).names:
        return False
    return any(bool(np.any(pq.read_table(f, columns=[WEIGHT])[WEIGHT].to_numpy() != 1.0)) for f in files)


def answers(given: NDArray[np.float64], kind: Kind) -> pa.Array:
    """What a model says of rows: a double a row; of classes a list, in the order of Labels.classes."""
    return (
        pa.array(given.tolist(), pa.list_(pa.float64()))
        if kind == "classes"
        else pa.array(given, pa.float64())
    )


def read(files: Sequence[Path], columns: Sequence[str] | None = None) -> pa.Table:
    """A window's part, its files in order."""
    return pa.concat_tables(pq.read_table(path, columns=columns) for path in files)


def handed(table: pa.Table, folder: Path) -> list[Path]:
    """The files of a table, which keep its rows in order."""
    folder.mkdir(parents=True, exist_ok=True)
    files = FILES if table.num_rows > FEW else 1
    size = -(-table.num_rows // files) or 1
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    paths = [folder / f"{number}.parquet" for number in range(files)]
    for number, path in enumerate(paths):
        pq.write_table(
            table.slice(number * size, size), path, row_group_size=size, use_dictionary=texts or False
        )
    return paths


def asked(
    table: pa.Table, features: Sequence[str], met: Mapping[str, frozenset[str]] | None = None
) -> pa.Table:
    """The features alone; of those in `met` every level that is none of theirs is missing."""
    found = table.select([f"{FEATURE}{name}" for name in features])
    for name, levels in (met or {}).items():
        place = found.column_names.index(f"{FEATURE}{name}")
        column = found.column(place)
        known = pc.is_in(column, value_set=pa.array(sorted(levels), pa.string()))
        found = found.set_column(place, found.field(place), pc.if_else(known, column, None))
    return found
