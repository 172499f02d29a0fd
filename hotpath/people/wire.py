"""Decoded values back on the wire, and a scoring request made of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from hotpath.clock import SECOND, Micros
from hotpath.contract.parts import Field
from hotpath.contract.tensors import DATATYPES
from hotpath.contract.types import ARRAYS, EPOCH, Type, Value
from hotpath.errors import Bug


def sent(field: Field, value: Value) -> object:
    """`value` as a producer or caller writes it.

    >>> sent(Field("at", Type.TIMESTAMP), 1_795_000_000_500_000), sent(Field("d", Type.DURATION), -90_500_000)
    ('2026-11-18T09:46:40.500000Z', '-PT90.500000S')
    """
    if value is not None and field.type == Type.TIMESTAMP:
        return (EPOCH + timedelta(microseconds=_micros(value))).isoformat("T", "microseconds")[:-6] + "Z"
    if value is not None and field.type == Type.DURATION:
        whole, rest = divmod(abs(_micros(value)), SECOND)
        return f"{'-' if _micros(value) < 0 else ''}PT{whole}.{rest:06d}S"
    return value


def request(fields: Sequence[Field], rows: Sequence[Mapping[str, Value]]) -> dict[str, object]:
    """A body of the Open Inference Protocol that asks all `rows` (at most tensors.MOST_ROWS) at once."""
    return {"inputs": [_tensor(field, [row[field.name] for row in rows]) for field in fields]}


def _tensor(field: Field, values: Sequence[Value]) -> dict[str, object]:
    data = [sent(field, value) for value in values]
    if field.type in ARRAYS.values():
        data = [None if value is None else json.dumps(value) for value in data]
    return {"name": field.name, "datatype": DATATYPES[field.type], "shape": [len(data)], "data": data}


def _micros(value: Value) -> Micros:
    if not isinstance(value, int):
        raise Bug("an instant or duration", value, "µs")
    return value
