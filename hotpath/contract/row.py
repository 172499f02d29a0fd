"""The contract's features as one Python function over a decoded row, composed once and called often.

Equal to train/to_spark.py's columns, to the bit, on every row the decoder lets through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from operator import itemgetter
from typing import Any

from hotpath.contract.expressions import Call, Literal, Ref, Tree, Widen
from hotpath.contract.functions import BY_NAME
from hotpath.contract.model import Contract
from hotpath.contract.types import LONG_MAX, LONG_MIN, Type, Value
from hotpath.contract.zones import zone

Row = Mapping[str, Value]
Of = Callable[[Row], Any]


def row_function(contract: Contract) -> Callable[[Row], tuple[Value, ...]]:
    """Decoded event fields in (timestamps in µs), features out in the order of `contract.features`."""
    parts = [compose(f.tree) for f in contract.features]
    return lambda row: tuple([part(row) for part in parts])


def compose(tree: Tree) -> Of:
    """The value of `tree` over a row that has every field it refers to."""
    match tree:
        case Ref(name):
            return itemgetter(name)
        case Literal(value, kind):
            constant = zone(str(value)) if kind == Type.ZONE else value
            return lambda _: constant
        case Widen(arg):
            return _null_out(float, (compose(arg),))
        case Call(name, args, kind):
            return _call(name, tuple(map(compose, args)), kind)


def _call(name: str, args: tuple[Of, ...], kind: Type) -> Of:
    function = BY_NAME[name]
    made = _plain(function.row, args) if function.sees_null else _null_out(function.row, args)
    return _within(made, kind)


def _plain(function: Callable[..., Any], args: tuple[Of, ...]) -> Of:
    return lambda row: function(*[arg(row) for arg in args])


def _null_out(function: Callable[..., Any], args: tuple[Of, ...]) -> Of:
    def call(row: Row) -> Any:
        values = [arg(row) for arg in args]
        return None if None in values else function(*values)

    return call


def _within(of: Of, kind: Type) -> Of:
    def long(row: Row) -> Any:
        value = of(row)
        return value if value is not None and LONG_MIN <= value <= LONG_MAX else None

    def double(row: Row) -> Any:
        value = of(row)
        return value if value is not None and isfinite(value) else None

    return {Type.LONG: long, Type.DOUBLE: double}.get(kind, of)
