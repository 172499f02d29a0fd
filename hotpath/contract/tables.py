"""Small look-up tables that ship with a contract: a CSV file beside it, or rows in the one that travels.

Pure: text or plain data in, a Table out. Columns are sorted by name and rows by key, so that equal tables
have equal canonical JSON. A cell is a long where every cell of its column is, else a double where all
are, else a text; an empty cell is null.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hotpath.contract.types import DOUBLE_MAX, LONG_MAX, LONG_MIN, WELL_FORMED, Scalar, Type, well_formed
from hotpath.errors import BadConfig

MOST_ROWS = 5_000
MOST_COLUMNS = 16
LONGEST_CELL = 256
LARGEST = 1 << 20
"""Characters of a table's file."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONG = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_DOUBLE = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
_TYPES = (Type.STRING, Type.LONG, Type.DOUBLE)


@dataclass(frozen=True)
class Column:
    """A column of a look-up table: string, long or double, null where a cell is empty."""

    name: str
    type: Type
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Table:
    """A small table that ships with the contract; rows sorted by `key`, whose values (texts) are unique."""

    name: str
    key: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((c for c in self.columns if c.name == name), None)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key column's values, ascending by code point."""
        return tuple(str(v) for c in self.columns if c.name == self.key for v in c.values)

    def plain(self) -> dict[str, Any]:
        """The table as the canonical JSON holds it; `table` reads it."""
        rows = [list(row) for row in zip(*(c.values for c in self.columns), strict=True)]
        return {"key": self.key, "columns": {c.name: c.type.value for c in self.columns}, "rows": rows}


def from_csv(name: str, key: str, text: str, source: str) -> Table:
    """The table in a CSV file's text. Raises BadConfig naming `source` and line."""
    if len(text) > LARGEST:
        raise BadConfig(source, f"{len(text)} characters", f"at most {LARGEST}")
    try:
        lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        raise BadConfig(source, str(error), "a CSV file (RFC 4180)") from error
    if not lines:
        raise BadConfig(source, "nothing", "a header line and rows")
    head, rows = lines[0], [(number, row) for number, row in enumerate(lines[1:], 2) if row]
    for number, row in rows:
        if len(row) != len(head):
            raise BadConfig(f"{source}:{number}", f"{len(row)} cells", f"{len(head)}, as the header has")
    cells = {h: [row[place] for _, row in rows] for place, h in enumerate(head)}
    if len(cells) != len(head):
        raise BadConfig(f"{source}:1", head, "each column once")
    types = {h: Type.STRING if h == key else _inferred(column) for h, column in cells.items()}
    return table(name, key, {h: (types[h], [_read(c, types[h]) for c in cells[h]]) for h in cells}, source)


def from_plain(name: str, data: Mapping[str, Any], source: str) -> Table:
    """The table that `Table.plain` wrote. Raises BadConfig."""
    columns, rows = data.get("columns"), data.get("rows")
    if not isinstance(columns, dict) or not isinstance(rows, list):
        raise BadConfig(source, sorted(data), "columns and rows")
    if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
        raise BadConfig(source, "a row of another length", f"rows of {len(columns)} cells")
    if unknown := [t for t in columns.values() if t not in [k.value for k in _TYPES]]:
        raise BadConfig(source, unknown[0], f"a column of type {', '.join(_TYPES)}")
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    typed = {n: (Type(t), list(cells[place])) for place, (n, t) in enumerate(columns.items())}
    return table(name, str(data["key"]), typed, source)


def table(name: str, key: str, columns: Mapping[str, tuple[Type, Sequence[Scalar]]], source: str) -> Table:
    """The table of these columns, checked and put in order. Raises BadConfig."""
    if not 2 <= len(columns) <= MOST_COLUMNS:
        raise BadConfig(source, f"{len(columns)} columns", f"2 to {MOST_COLUMNS}")
    if wrong := [n for n in columns if not _NAME.fullmatch(n)]:
        raise BadConfig(source, wrong[0], "column names of lower-case letters, digits and _")
    if key not in columns or columns[key][0] != Type.STRING:
        raise BadConfig(f"{source}: key", key, f"one of its columns of texts ({', '.join(columns)})")
    keys = columns[key][1]
    if not 1 <= len(keys) <= MOST_ROWS:
        raise BadConfig(source, f"{len(keys)} rows", f"1 to {MOST_ROWS}")
    for kind, values in columns.values():
        for value in values:
            _check(kind, value, source)
    if None in keys or len(set(keys)) != len(keys):
        raise BadConfig(f"{source}: {key}", _twice(keys), "each key once, none empty")
    order = sorted(range(len(keys)), key=lambda row: str(keys[row]))
    made = (Column(n, columns[n][0], tuple(columns[n][1][row] for row in order)) for n in sorted(columns))
    return Table(name, key, tuple(made))


def _twice(keys: Sequence[Scalar]) -> Scalar:
    return next((k for n, k in enumerate(keys) if k is None or k in keys[:n]), None)


def _check(kind: Type, value: Scalar, source: str) -> None:
    if value is None:
        return
    if kind == Type.STRING:
        good = isinstance(value, str) and well_formed(value) and len(value) <= LONGEST_CELL
        expected = f"{WELL_FORMED}, of at most {LONGEST_CELL} characters"
    elif kind == Type.LONG:
        good = type(value) is int and LONG_MIN <= value <= LONG_MAX
        expected = "a whole number of 64 bits"
    else:
        good = type(value) is float and abs(value) <= DOUBLE_MAX
        expected = "a finite number"
    if not good:
        raise BadConfig(source, value, expected)


def _inferred(cells: Sequence[str]) -> Type:
    given = [cell for cell in cells if cell]
    if given and all(_LONG.fullmatch(c) and LONG_MIN <= int(c) <= LONG_MAX for c in given):
        return Type.LONG
    if given and all(_DOUBLE.fullmatch(c) and abs(float(c)) <= DOUBLE_MAX for c in given):
        return Type.DOUBLE
    return Type.STRING


def _read(cell: str, kind: Type) -> Scalar:
    if not cell:
        return None
    if kind == Type.LONG:
        return int(cell)
    return float(cell) + 0.0 if kind == Type.DOUBLE else cell
