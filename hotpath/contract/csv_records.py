"""CSV records: one a message, without a header; the schema file is the header line. Pure.

Quoting is RFC 4180's. A nested value's column is named by its path of keys (`device.os`), an array's cell
holds its JSON text, `true` and `false` are the truth values, numbers are spelt as JSON spells them. An empty
cell is an absent value. Columns that the contract does not name are left out.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from hotpath.contract.checks import checks
from hotpath.contract.parts import Source
from hotpath.contract.records import Decoded, Read, by_path
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Type
from hotpath.errors import BadConfig, BadInput

_QUOTED = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\Z)')
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def csv_records(source: Source) -> Read:
    """The reader of lines with the columns that `source.schema` names. Raises BadConfig on a bad one."""
    columns, by_name, known = _header(source), checks(source), by_path(source)
    cells = [
        (columns.index(path), f.name, _PARSED.get(f.type, str), by_name[f.name], f.default)
        for path, f in known.items()
        if path in columns
    ]
    absent = {f.name: f.default for path, f in known.items() if path not in columns}
    expected = f"{len(columns)} columns"

    def read(raw: bytes) -> Decoded:
        found = _cells(_text(raw))
        if len(found) != len(columns):
            raise BadInput("message", None, expected)
        values = {
            name: check(parsed(found[at]) if found[at] else default)
            for at, name, parsed, check, default in cells
        }
        return Decoded({**values, **{name: by_name[name](default) for name, default in absent.items()}})

    return read


def _header(source: Source) -> Sequence[str]:
    try:
        columns = _cells((source.schema or "").removesuffix("\n").removesuffix("\r"))
    except BadInput as error:
        raise BadConfig("schema", source.schema, "one CSV line that names the columns") from error
    if not all(columns) or len(set(columns)) != len(columns):
        raise BadConfig("schema", source.schema, "a CSV line that names every column, each once")
    for path, field in by_path(source).items():
        if path not in columns and field.default is None and not field.nullable:
            raise BadConfig("schema", source.schema, f"a column {path}{nearest(path, columns)}")
    return columns


def _text(raw: bytes) -> str:
    if raw.startswith(BOM_UTF8):
        raise BadInput("message", None, "no byte order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("message", None, "UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def _cells(line: str) -> list[str]:
    """The cells of one record. Raises BadInput where it is none, or more than one."""
    if '"' not in line:
        if "\n" in line or "\r" in line:
            raise BadInput("message", None, "one CSV record")
        return line.split(",")
    cells, at = list[str](), 0
    while found := _QUOTED.match(line, at):
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end()
        if not found[3]:
            return cells
    raise BadInput("message", None, "one CSV record")


# What does not parse is handed on as the text that it is: the field's check refuses it by name.
def _bool(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell, cell)


def _long(cell: str) -> Any:
    return int(cell) if _WHOLE.fullmatch(cell) else cell


def _double(cell: str) -> Any:
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _array(cell: str) -> Any:
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell


_PARSED: Mapping[Type, Callable[[str], Any]] = {
    Type.BOOL: _bool,
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.STRINGS: _array,
    Type.LONGS: _array,
    Type.DOUBLES: _array,
}
