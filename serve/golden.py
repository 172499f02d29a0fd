"""Golden rows: rows, features and scores as the cluster that trained the model had them.

Owns the reading of `golden.parquet`; what they prove is `serve.proof`'s. Scorer and sandbox both read them:
one to prove a bundle, one to warm up.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact

MOST_ROWS = 10_000
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class GoldenRow:
    """`values`: the event's decoded fields (timestamps in µs) and the readings, by name, as the row function
    takes them; features in the contract's order, and the cluster's `scores`: the probability of yes alone, or
    the estimate, or the probability of each class of the contract.
    """

    values: dict[str, Value]
    features: tuple[Value, ...]
    scores: tuple[float, ...]


def read(parquet: bytes, contract: Contract) -> tuple[GoldenRow, ...]:
    """The rows. Raises BadArtifact on a file that is no such table, or has too many rows."""
    columns = {f"event.{f.name}": f.name for f in contract.events.fields}
    columns |= {f"reading.{r.name}": r.name for r in contract.readings}
    features = [f"feature.{f.name}" for f in contract.features]
    said = "scores" if contract.labels.kind == "classes" else "score"
    table = _table(parquet, [*columns, *features, said])
    values_by_row = zip(*(table.column(column).to_pylist() for column in columns), strict=True)
    features_by_row = zip(*(table.column(column).to_pylist() for column in features), strict=True)
    return tuple(
        GoldenRow(dict(zip(columns.values(), values, strict=True)), feature, scores)
        for values, feature, scores in zip(
            values_by_row, features_by_row, _scores(table.column(said), contract), strict=True
        )
    )


def _scores(column: pa.ChunkedArray, contract: Contract) -> list[tuple[float, ...]]:
    """Raises BadArtifact where it holds anything but doubles, as many as there are classes."""
    many = contract.labels.kind == "classes"
    doubles = pa.types.is_list(column.type) and column.type.value_type if many else column.type
    if doubles != pa.float64() or column.null_count:
        raise BadArtifact("golden.parquet's scores", str(column.type), "doubles without a null")
    found = [tuple(row) if many else (row,) for row in column.to_pylist()]
    width = len(contract.labels.classes) if many else 1
    if wrong := next((row for row in found if len(row) != width or None in row), None):
        raise BadArtifact("golden.parquet's scores", wrong, f"{width} doubles a row")
    return found


def _table(parquet: bytes, columns: list[str]) -> pa.Table:
    try:
        with pq.ParquetFile(pa.BufferReader(parquet)) as file:
            if not 0 < file.metadata.num_rows <= MOST_ROWS:
                raise BadArtifact("golden rows", file.metadata.num_rows, f"1 to {MOST_ROWS}")
            if (size := _unpacked(file.metadata)) > MOST_BYTES:
                raise BadArtifact("golden rows", f"{size} bytes unpacked", f"at most {MOST_BYTES}")
            table = _instants_as_micros(file.read())
    except (pa.ArrowException, OSError) as error:
        raise BadArtifact("golden.parquet", str(error), "a Parquet table") from error
    found = sorted(table.column_names)
    if found != sorted(columns):
        raise BadArtifact("golden.parquet's columns", found, f"exactly {sorted(columns)}")
    return table


def _unpacked(metadata: pq.FileMetaData) -> int:
    return sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))


def _instants_as_micros(table: pa.Table) -> pa.Table:
    micros = [pa.int64() if pa.types.is_timestamp(f.type) else f.type for f in table.schema]
    utc = [pa.timestamp("us", "UTC") if pa.types.is_timestamp(f.type) else f.type for f in table.schema]
    for types in (utc, micros):
        table = table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))
    return table
