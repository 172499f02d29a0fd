"""An example question made from the contract: every field that must be there, with a right value. Pure.

For the page of a pipeline, `hotpath score --example` and whoever writes a caller. A text of a format is an
example of that format, a number the one nearest to 1 that is in range.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.request import left_out
from hotpath.contract.tensors import DATATYPES
from hotpath.contract.types import ITEMS, Type

FORMATTED = {
    "uuid": "0b0b8f0a-3c1e-4c0e-9d7a-5a1f2b3c4d5e",
    "date": "2030-01-01",
    "email": "someone@example.org",
    "ipv4": "192.0.2.1",
    "country": "DE",
    "currency": "EUR",
    "digits": "12345",
    "hex": "c0ffee",
}
"""A text of each of formats.FORMATS."""


def example_request(contract: Contract) -> dict[str, Any]:
    """A body that the scorer accepts: one row, and the parameters that must be there."""
    unasked = left_out(contract)
    inputs = [_tensor(f) for f in _needed(contract.events.fields) if f.name not in unasked]
    parameters = {f.name: example(f) for f in _needed(contract.serve.parameters)}
    return {"inputs": inputs} | ({"parameters": parameters} if parameters else {})


def example(field: Field) -> Any:
    """A value of the field as it is written in JSON."""
    return _EXAMPLES[field.type](field)


def _needed(fields: Iterable[Field]) -> Iterable[Field]:
    return (f for f in fields if not f.nullable and f.default is None)


def _tensor(field: Field) -> dict[str, Any]:
    value = example(field)
    data = [json.dumps(value) if field.type in ITEMS else value]
    return {"name": field.name, "datatype": DATATYPES[field.type], "shape": [1], "data": data}


def _text(field: Field) -> str:
    if field.levels:
        return field.levels[0]
    return FORMATTED[field.format] if field.format else "example"[: field.max_length]


def _number(field: Field) -> float:
    low = 1 if field.min is None else max(1, field.min)
    return low if field.max is None else min(low, field.max)


def _array(field: Field) -> list[Any]:
    return [example(replace(field, type=ITEMS[field.type]))]


_EXAMPLES: dict[Type, Callable[[Field], Any]] = {
    Type.STRING: _text,
    Type.CATEGORY: _text,
    Type.BOOL: lambda _: True,
    Type.LONG: _number,
    Type.DOUBLE: _number,
    Type.TIMESTAMP: lambda _: "2030-01-01T12:00:00Z",
    Type.DURATION: lambda _: "PT1H30M",
    Type.STRINGS: _array,
    Type.LONGS: _array,
    Type.DOUBLES: _array,
}
