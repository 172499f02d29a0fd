"""The columns of the lake's files: a contract's types in Arrow, and the place of each record. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
PLACE: tuple[tuple[str, pa.DataType], ...] = (
    ("topic", pa.string()),
    ("partition", pa.int32()),
    ("offset", pa.int64()),
    ("arrived_at", INSTANT),
    ("landed_at", INSTANT),
    ("imported", pa.bool_()),
)
"""The columns that every dataset ends with: where a record stood, and when it came."""
REJECTED = pa.schema([("reason", pa.string()), ("raw", pa.binary()), *PLACE])
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "category": pa.string(),
    "bool": pa.bool_(),
    "long": pa.int64(),
    "double": pa.float64(),
    "timestamp": INSTANT,
    "duration": pa.int64(),
    "array of string": pa.list_(pa.string()),
    "array of long": pa.list_(pa.int64()),
    "array of double": pa.list_(pa.float64()),
}
"""A contract's types as the lake stores them; durations in µs."""
UNIT = b"unit"
"""A column's metadata that holds its unit (empty: none)."""


def same(there: pa.Schema, column: pa.Field) -> bool:
    """Whether a file has a column of `schema` in its type and unit.

    Files of before units were written down are taken at the contract's word.
    """
    if column.name not in there.names:
        return False
    found = there.field(column.name)
    due = (column.metadata or {}).get(UNIT, b"")
    return bool(found.type == column.type) and (found.metadata or {}).get(UNIT, due) == due


def schema(types: Iterable[tuple[str, str]], units: Mapping[str, str | None] | None = None) -> pa.Schema:
    """Arrow schema of a decoded dataset: (field, contract type) pairs, then the place columns.

    `units`, by field, go along as metadata: a file tells what its numbers measure when its contract is gone.
    """
    said = {} if units is None else {name: {UNIT: (unit or "").encode()} for name, unit in units.items()}
    fields = [pa.field(name, ARROW_TYPES[kind], metadata=said.get(name)) for name, kind in types]
    return pa.schema([*fields, *(pa.field(name, kind) for name, kind in PLACE)])
