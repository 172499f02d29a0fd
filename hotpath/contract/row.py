"""The contract's features as one Python function over a decoded row, composed once and called often.

Equal to train/to_spark.py's columns, to the bit, on every row the decoder lets through. A call of the
language becomes one closure, chosen by its number of arguments and by what can be out of range, so that a row
pays for no check that its types make needless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.functions import BY_NAME, rendering
from hotpath.contract.model import Contract
from hotpath.contract.tree import Call, Knows, Literal, Reading, Ref, Tree, Widen, parted
from hotpath.contract.types import DOUBLE_MAX, LONG_MAX, LONG_MIN, Type, Value

Row = Mapping[str, Value]
Of = Callable[[Row], Any]
Plain = Callable[..., Any]

_LONGS = (LONG_MIN, LONG_MAX)
_RANGES: Mapping[Type, tuple[float, float]] = {
    Type.LONG: _LONGS,
    Type.TIMESTAMP: _LONGS,
    Type.DURATION: _LONGS,
    Type.DOUBLE: (-DOUBLE_MAX, DOUBLE_MAX),
}


def row_function(contract: Contract, fitted: Fitted = NOTHING) -> Callable[[Row], tuple[Value, ...]]:
    """Decoded event fields and readings by name in (instants in µs), features out in the contract's order."""
    knows = Knows({t.name: t for t in contract.tables}, fitted)
    parts = [compose(f.tree, knows) for f in contract.features]
    return lambda row: tuple([part(row) for part in parts])


def fallback_function(contract: Contract) -> Callable[[Sequence[Value]], Value] | None:
    """A feature vector in, what the contract's fallback rule says of it out: bool, number or class.

    Null where it says nothing, or a class that is none. None where the contract has no such rule.
    """
    if contract.serve.fallback is None:
        return None
    rule, names = compose(contract.serve.fallback.tree), [f.name for f in contract.features]
    kind, classes = contract.labels.kind, frozenset(contract.labels.classes)

    def fallback(features: Sequence[Value]) -> Value:
        said: Value = rule(dict(zip(names, features, strict=True)))
        if said is None or kind == "binary":
            return said
        if kind == "number" and isinstance(said, int | float):
            return float(said)
        return said if said in classes else None

    return fallback


def compose(tree: Tree, knows: Knows = Knows()) -> Of:  # noqa: B008 - frozen
    """The value of `tree` over a row that has every field it refers to."""
    match tree:
        case Ref(name=name) | Reading(name=name):
            return itemgetter(name)
        case Literal(value):
            return lambda _: value
        case Widen(arg):
            return _one(float, compose(arg, knows))
        case Call():
            return _call(tree, knows)


def _call(call: Call, knows: Knows) -> Of:
    function = BY_NAME[call.function]
    fixed, others = parted(call)
    plain = rendering(function.row, others[0].type if others else call.type)
    if function.fixed is not None:
        plain = plain(*map(knows.constant, fixed))
    args = tuple(compose(arg, knows) for arg in others)
    shapes = _SHAPES if not function.sees_null else _NULL_SHAPES
    if call.type in _RANGES and not function.bounded and not function.sees_null:
        return _within(plain, args, *_RANGES[call.type])
    if len(args) == 2 and isinstance(others[1], Literal) and not function.sees_null:
        return _one_and(plain, args[0], others[1].value)
    return shapes[min(len(args), len(shapes) - 1)](plain, *args)


def _none(plain: Plain) -> Of:
    value = plain()
    return lambda _: value


def _one(plain: Plain, a: Of) -> Of:
    def call(row: Row) -> Any:
        x = a(row)
        return None if x is None else plain(x)

    return call


def _one_and(plain: Plain, a: Of, y: Value) -> Of:
    def call(row: Row) -> Any:
        x = a(row)
        return None if x is None else plain(x, y)

    return call


def _two(plain: Plain, a: Of, b: Of) -> Of:
    def call(row: Row) -> Any:
        x, y = a(row), b(row)
        return None if x is None or y is None else plain(x, y)

    return call


def _three(plain: Plain, a: Of, b: Of, c: Of) -> Of:
    def call(row: Row) -> Any:
        x, y, z = a(row), b(row), c(row)
        return None if x is None or y is None or z is None else plain(x, y, z)

    return call


def _many(plain: Plain, *args: Of) -> Of:
    def call(row: Row) -> Any:
        values = [arg(row) for arg in args]
        return None if None in values else plain(*values)

    return call


_SHAPES: tuple[Callable[..., Of], ...] = (_none, _one, _two, _three, _many)
"""By the number of arguments; none of them is null where the function is called."""
_NULL_SHAPES: tuple[Callable[..., Of], ...] = (
    _none,
    lambda plain, a: lambda row: plain(a(row)),
    lambda plain, a, b: lambda row: plain(a(row), b(row)),
    lambda plain, a, b, c: lambda row: plain(a(row), b(row), c(row)),
    lambda plain, *args: lambda row: plain(*[arg(row) for arg in args]),
)
"""The same for a function that sees nulls."""


def _within(plain: Plain, args: tuple[Of, ...], low: float, high: float) -> Of:
    """With a result from `low` to `high`, or null; NaN is in no range."""
    if len(args) != 2:
        return _checked(_SHAPES[min(len(args), len(_SHAPES) - 1)](plain, *args), low, high)
    a, b = args

    def two(row: Row) -> Any:
        x, y = a(row), b(row)
        if x is None or y is None:
            return None
        value = plain(x, y)
        return value if value is not None and low <= value <= high else None

    return two


def _checked(of: Of, low: float, high: float) -> Of:
    def call(row: Row) -> Any:
        value = of(row)
        return value if value is not None and low <= value <= high else None

    return call
