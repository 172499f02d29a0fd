"""Avro records: binary datums of one schema, with or without Confluent's five bytes before them. Pure.

The schema file is Avro's JSON (https://avro.apache.org/docs/1.12.0/specification/). Records nest, a null is a
union's with null; instants are longs of logical type timestamp-micros or -millis, or RFC 3339 texts. What the
schema holds beyond the contract is read and left out.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from hotpath.contract.parts import Source
from hotpath.contract.records import Decoded, Read, by_path, flattened
from hotpath.contract.types import EPOCH, Type
from hotpath.errors import BadConfig, BadInput

MAGIC, FRAME = 0, 5
"""Confluent's prefix: a zero, then four bytes that number the schema in its registry."""

_TEXTS = ("string", "enum")
_NUMBERS = ("int", "long")
_TYPES: Mapping[Type, tuple[str, ...]] = {
    Type.STRING: _TEXTS,
    Type.CATEGORY: _TEXTS,
    Type.BOOL: ("boolean",),
    Type.LONG: _NUMBERS,
    Type.DOUBLE: ("float", "double", *_NUMBERS),
    Type.TIMESTAMP: ("long timestamp-micros", "long timestamp-millis", "string"),
    Type.DURATION: ("string",),
    Type.STRINGS: ("array of string", "array of enum"),
    Type.LONGS: ("array of int", "array of long"),
    Type.DOUBLES: tuple(f"array of {kind}" for kind in ("float", "double", *_NUMBERS)),
}
"""Avro's types that hold a contract's; a type is spelt with its logical one, if it has any."""
_MICROS = {"long timestamp-micros": 1, "long timestamp-millis": 1000}


def avro_records(source: Source) -> Read:
    """The reader of datums of `source.schema`. Raises BadConfig where schema and fields do not fit."""
    schema = _Schema(source.schema or "")
    kinds = schema.leaves
    _fits(source, kinds)
    instants = [(tuple(path.split(".")), _MICROS[kind]) for path, kind in kinds.items() if kind in _MICROS]
    checked = flattened(source)
    mine = frozenset(path.split(".")[0] for path in by_path(source))

    def read(raw: bytes) -> Decoded:
        found = _datum(raw, schema.parsed)
        for path, micros in instants:
            _as_text(found, path, micros)
        return Decoded(checked({key: found[key] for key in found if key in mine}).values)

    return read


def _datum(raw: bytes, schema: Any) -> dict[str, Any]:
    """A framed datum, or a plain one that happens to begin with a zero."""
    if raw[0] == MAGIC and (found := _read(raw[FRAME:], schema)) is not None:
        return found
    if (found := _read(raw, schema)) is None:
        raise BadInput("message", None, "an Avro record of its schema, whole and alone")
    return found


def _read(raw: bytes, schema: Any) -> dict[str, Any] | None:
    data = io.BytesIO(raw)
    try:
        found = fastavro.schemaless_reader(data, schema, None)
    except (EOFError, LookupError, ValueError, OverflowError, TypeError, struct.error):
        return None
    return found if isinstance(found, dict) and data.tell() == len(raw) else None


def _as_text(found: dict[str, Any], path: tuple[str, ...], micros: int) -> None:
    """Spell an instant as the wire does; one beyond the calendar stays a number, which the check refuses."""
    holder: Any = found
    for key in path[:-1]:
        holder = holder.get(key) if holder else None
    if holder and isinstance(value := holder[path[-1]], int):
        try:
            holder[path[-1]] = (EPOCH + timedelta(microseconds=value * micros)).isoformat()
        except OverflowError:
            return


def _fits(source: Source, kinds: Mapping[str, str]) -> None:
    for path, field in by_path(source).items():
        takes = _TYPES[field.type]
        if path not in kinds and (field.nullable or field.default is not None):
            continue
        if kinds.get(path) not in takes:
            found = kinds.get(path, "no such field")
            raise BadConfig(
                "schema", f"{path}: {found}", f"{' or '.join(takes)} for {field.name} ({field.type})"
            )


class _Schema:
    """A schema as it is read with, and its leaves' types by path; no datum can make it recurse or swell."""

    def __init__(self, text: str) -> None:
        try:
            plain = json.loads(text)
            known: Any = fastavro.parse_schema(plain)
            self._named: Mapping[str, Any] = known["__named_schemas"]
            self.leaves = dict(self._walk(known, "", ()))
            self.parsed = fastavro.parse_schema(_without_logical(plain))
        except (
            SchemaParseException,
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            RecursionError,
        ) as error:
            raise BadConfig(
                "schema", str(error), "an Avro schema (JSON) of a record, not within itself"
            ) from error
        if set(self.leaves) == {""}:
            raise BadConfig("schema", self.leaves[""], "an Avro schema (JSON) of a record")

    def _walk(self, schema: Any, path: str, within: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(path, type) of each leaf. Raises ValueError on a type within itself, on items without bytes."""
        match schema:
            case list():
                yield from self._union([branch for branch in schema if branch != "null"], path, within)
            case {"type": "record" | "error", "name": name, "fields": fields}:
                for field in fields:
                    inner = f"{path}.{field['name']}" if path else field["name"]
                    yield from self._walk(field["type"], inner, _deeper(within, name))
            case {"type": "array" | "map" as kind, "items": items} | {"type": "map" as kind, "values": items}:
                if not self._takes_bytes(items):
                    raise ValueError(f"{path}: items that take no bytes")
                yield path, f"{kind} of {' '.join(kind for _, kind in self._walk(items, '', within))}"
            case {"type": dict() | list() as inner_type}:
                yield from self._walk(inner_type, path, within)
            case {"type": str(kind), "logicalType": logical}:
                yield path, f"{kind} {logical}"
            case {"type": kind} if kind not in self._named:
                yield path, kind
            case _:
                yield from self._reference(schema, path, within)

    def _union(self, branches: list[Any], path: str, within: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        found = [tuple(self._walk(branch, path, within)) for branch in branches]
        yield from found[0] if len(found) == 1 else [(path, "union")]

    def _reference(self, schema: Any, path: str, within: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        name = schema["type"] if isinstance(schema, dict) else schema
        if name in self._named:
            yield from self._walk(self._named[name], path, within)
        else:
            yield path, name

    def _takes_bytes(self, schema: Any) -> bool:
        match schema:
            case "null" | {"type": "null"} | {"type": "fixed", "size": 0}:
                return False
            case {"type": "record" | "error", "fields": fields}:
                return any(self._takes_bytes(field["type"]) for field in fields)
            case str() if schema in self._named:
                return self._takes_bytes(self._named[schema])
        return True


def _deeper(within: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name in within:
        raise ValueError(f"{name} within itself")
    return (*within, name)


def _without_logical(schema: Any) -> Any:
    """The same without logical types, so that an instant is read as the number that it is, however large."""
    if isinstance(schema, dict):
        return {key: _without_logical(value) for key, value in schema.items() if key != "logicalType"}
    return [_without_logical(item) for item in schema] if isinstance(schema, list) else schema
