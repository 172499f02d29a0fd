"""A contract's values as JSON Schema (2020-12): records, rows of a request and an answer. Pure.

Says for others what checks.py checks; a test has a validator accept just what the checks accept. Whole
bodies are schema_bodies.py's. What a schema cannot say stands in BEYOND.

>>> value(Field("size", Type.DOUBLE, min=0.0, max=9.5, unit="km", nullable=True))
{'type': ['number', 'null'], 'minimum': 0.0, 'maximum': 9.5, 'description': 'Unit: km.'}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hotpath.contract import formats
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Part, Source
from hotpath.contract.request import left_out
from hotpath.contract.response import answered
from hotpath.contract.times import INSTANT, SPAN
from hotpath.contract.types import DOUBLE_MAX, ITEMS, LONG_MAX, LONG_MIN, Type

Schema = dict[str, Any]

BEYOND = (
    "JSON is I-JSON (RFC 7493): no NaN, no number beyond a double, no key twice, no lone surrogate.",
    "An integer is written without fraction and exponent: 1.0 is none.",
    "A date-time lies in 2000 to 2099 and is a date that exists; a hotpath-duration is at most 36525 days.",
    "The tensors of one request have the same length, which is their shape.",
    "A tensor holds an array as the text of its JSON; few validators read its contentSchema.",
)
"""What holds beside the schema, because JSON Schema has no words for it."""

_NO_NUL = r"^[^\u0000]*$"


def record(source: Source) -> Schema:
    """A record of a topic. Other keys are allowed, as the decoder passes them over and counts them."""
    return _object(source.parts, source.never_empty, nullable=False)


def row(contract: Contract) -> Schema:
    """One row of a request, by dotted names."""
    events = contract.events
    made = {f.name: value(f, f.name in events.never_empty) for f in events.fields}
    unasked = left_out(contract)
    required = [f.name for f in events.fields if _required(f) and f.name not in unasked]
    return _closed(made, required, contract)


def parameters(contract: Contract) -> Schema:
    """The caller's parameters."""
    fields = contract.serve.parameters
    made = {f.name: value(f) for f in fields}
    return _closed(made, [f.name for f in fields if _required(f)], contract)


def answer(contract: Contract) -> Schema:
    """One row of an answer."""
    fields = answered(contract)
    made = {f.name: value(f) for f in fields}
    return {"type": "object", "properties": made, "required": [*made], "additionalProperties": False}


def value(field: Field, never_empty: bool = False) -> Schema:
    """One value of a field; `never_empty`: "" is none."""
    made = _VALUES[field.type](field)
    if never_empty and "enum" in made:
        made["enum"] = [level for level in made["enum"] if level]
    elif never_empty:
        made["minLength"] = 1
    if field.nullable:
        made["type"] = [made["type"], "null"]
        made |= {"enum": [*made["enum"], None]} if "enum" in made else {}
    return {**made, **_said(field)}


def _object(parts: Iterable[Part], never_empty: tuple[str, ...], nullable: bool) -> Schema:
    within = [replace(part, nullable=True) if nullable else part for part in parts]
    return {
        "type": "object",
        "properties": {part.key: _part(part, never_empty) for part in within},
        "required": [part.key for part in within if _required(part)],
        "additionalProperties": True,
    }


def _part(part: Part, never_empty: tuple[str, ...]) -> Schema:
    if isinstance(part, Field):
        return value(part, part.name in never_empty)
    made = _object(part.parts, never_empty, part.nullable)
    return {**made, "type": ["object", "null"] if part.nullable else "object", **_said(part)}


def _required(part: Part) -> bool:
    if part.nullable:
        return False
    return part.default is None if isinstance(part, Field) else any(map(_required, part.parts))


def _closed(properties: Schema, required: list[str], contract: Contract) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": contract.serve.unknown == "ignore",
    }


def _said(part: Part) -> Schema:
    """What people read: the documentation, the unit, and what stands in where the value is absent."""
    unit, standing = (part.unit, part.default) if isinstance(part, Field) else (None, None)
    texts = [part.doc, f"Unit: {unit}." if unit else None]
    said = " ".join(text for text in texts if text)
    return {
        **({"description": said} if said else {}),
        **({} if standing is None or part.nullable else {"default": standing}),
    }


def _text(field: Field) -> Schema:
    if field.levels:
        return {"type": "string", "enum": list(field.levels)}
    pattern = f"^(?:{formats.BY_NAME[field.format].pattern})$" if field.format else _NO_NUL
    return {"type": "string", "maxLength": field.max_length, "pattern": pattern}


def _bool(_: Field) -> Schema:
    return {"type": "boolean"}


def _long(field: Field) -> Schema:
    return {"type": "integer", **_bounds(field, LONG_MIN, LONG_MAX)}


def _double(field: Field) -> Schema:
    return {"type": "number", **_bounds(field, -DOUBLE_MAX, DOUBLE_MAX)}


def _bounds(field: Field, least: float, most: float) -> Schema:
    return {
        "minimum": least if field.min is None else field.min,
        "maximum": most if field.max is None else field.max,
    }


def _timestamp(_: Field) -> Schema:
    return {"type": "string", "format": "date-time", "pattern": f"^{INSTANT}$"}


def _duration(_: Field) -> Schema:
    # Not the format `duration`: RFC 3339's has neither a sign nor fractions.
    return {"type": "string", "format": "hotpath-duration", "pattern": f"^{SPAN}$"}


def _array(field: Field) -> Schema:
    item = replace(field, type=ITEMS[field.type])
    return {"type": "array", "maxItems": field.max_items, "items": _VALUES[item.type](item)}


_VALUES: dict[Type, Callable[[Field], Schema]] = {
    Type.STRING: _text,
    Type.CATEGORY: _text,
    Type.BOOL: _bool,
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.TIMESTAMP: _timestamp,
    Type.DURATION: _duration,
    Type.STRINGS: _array,
    Type.LONGS: _array,
    Type.DOUBLES: _array,
}
