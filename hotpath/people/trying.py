"""Rows, their features, and where each null comes from: a field, or a function that gives none. Pure.

The typed tree of a feature is walked down from the null to what first was null::

    speed: distance / hours      is null, because hours was 0.0    -> `/ of (719.0, 0.0)`
    gusty: wind_gust > 30        is null, because wind_gust was    -> `wind_gust`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import compose
from hotpath.contract.tree import Call, Knows, Literal, Reading, Ref, Tree, Widen
from hotpath.contract.types import Value
from hotpath.contract.used import unread

Row = Mapping[str, Value]


@dataclass(frozen=True)
class Tried:
    """A row's features by name, and of those that are null what made them so."""

    features: Mapping[str, Value]
    nulls: Mapping[str, tuple[str, ...]]


def trier(contract: Contract, fitted: Fitted = NOTHING) -> Callable[[Row], Tried]:
    """Decoded event fields in, features and the origins of their nulls out; composed once.

    A reading of an aggregate that the row does not hold is null.
    """
    knows = Knows({table.name: table for table in contract.tables}, fitted)
    nothing_read = unread(contract.features)

    @cache
    def of(tree: Tree) -> Callable[[Row], Value]:
        return compose(tree, knows)

    def tried(row: Row) -> Tried:
        whole = {**nothing_read, **row}
        features = {f.name: of(f.tree)(whole) for f in contract.features}
        nulls = {f.name: _origins(f.tree, whole, of) for f in contract.features if features[f.name] is None}
        return Tried(features, nulls)

    return tried


def _origins(tree: Tree, row: Row, of: Callable[[Tree], Callable[[Row], Value]]) -> tuple[str, ...]:
    """What first was null beneath `tree`, which is; each once."""
    match tree:
        case Ref(name=name) | Reading(name=name):
            return (name,)
        case Widen(arg):
            return _origins(arg, row, of)
        case Call(function, args):
            values = [_value(arg, row, of) for arg in args]
            counted = zip(_taken(function, args, values), values, strict=True)
            guilty = [arg for arg, value in counted if arg is not None and value is None]
            if not guilty:
                return (f"{function} of ({', '.join(map(repr, values))})",)
            return tuple(dict.fromkeys(origin for arg in guilty for origin in _origins(arg, row, of)))
    return (repr(tree),)


def _value(tree: Tree, row: Row, of: Callable[[Tree], Callable[[Row], Value]]) -> Value:
    # A literal may name a zone or a table, which is no value.
    return tree.value if isinstance(tree, Literal) else of(tree)(row)


def _taken(function: str, args: Sequence[Tree], values: Sequence[Value]) -> Sequence[Tree | None]:
    """The arguments that count: of if_else the condition, or the side that it chose."""
    if function != "if_else" or values[0] is None:
        return [*args[:1], *(None for _ in args[1:])] if function == "if_else" else args
    return [None, args[1] if values[0] else None, None if values[0] else args[2]]
