"""Typed trees: what an expression means, as plain data, and what a rendering of one must know beside it.

>>> tolerance(Call("sqrt", (Widen(Ref("i", Type.LONG)),), Type.DOUBLE))
0.0
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hotpath.clock import SECOND, Micros
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.functions import BY_NAME
from hotpath.contract.tables import Table
from hotpath.contract.types import Type, Value
from hotpath.contract.zones import zone


@dataclass(frozen=True)
class Ref:
    """The value of a field; `name` is dotted where it is nested."""

    name: str
    type: Type


@dataclass(frozen=True)
class Literal:
    """A value written in the expression; of a zone, table, column or field with levels its name."""

    value: Value
    type: Type


@dataclass(frozen=True)
class Reading:
    """A statistic of an aggregate over the newest tiles of `span` (µs) that a row may read."""

    statistic: str
    aggregate: str
    span: Micros
    type: Type

    @property
    def name(self) -> str:
        """What a row calls its value: no field's name has a digit after a dot.

        >>> Reading("mean", "late_at_origin", 10_800_000_000, Type.DOUBLE).name
        'late_at_origin.mean.10800s'
        """
        return f"{self.aggregate}.{self.statistic}.{self.span // SECOND}s"


@dataclass(frozen=True)
class Widen:
    """A long read as the nearest double."""

    arg: Tree
    type: Type = Type.DOUBLE


@dataclass(frozen=True)
class Call:
    """A function or operator over arguments that fit its signature exactly."""

    function: str
    args: tuple[Tree, ...]
    type: Type


Tree = Ref | Reading | Literal | Widen | Call


@dataclass(frozen=True)
class Knows:
    """The tables that ship with a contract, by name, and what training fitted."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    fitted: Fitted = NOTHING

    def constant(self, literal: Tree) -> Any:
        """What a fixed argument stands for: a Zone, a Table, fitted levels, or the value itself."""
        if not isinstance(literal, Literal):
            raise TypeError(literal)  # the parser lets nothing else stand there
        match literal.type:
            case Type.ZONE:
                return zone(str(literal.value))
            case Type.TABLE:
                return self.tables[str(literal.value)]
            case Type.LEVELS:
                return self.fitted.levels.get(str(literal.value), ())
        return literal.value


def tolerance(tree: Tree) -> float:
    """By how much two engines may differ in its value: the greatest that a function of it declares.

    Of a value beyond 1 it is relative: |a - b| <= tolerance * max(1, |a|).
    """
    match tree:
        case Widen(arg):
            return tolerance(arg)
        case Call(name, args):
            return max(BY_NAME[name].tolerance, *map(tolerance, args), 0.0)
    return 0.0


def parted(call: Call) -> tuple[tuple[Tree, ...], tuple[Tree, ...]]:
    """A call's arguments that are fixed, and the others."""
    fixed = fixed_places(call.function, len(call.args))
    inside = tuple(a for place, a in enumerate(call.args) if place in fixed)
    return inside, tuple(a for place, a in enumerate(call.args) if place not in fixed)


class Typed(Protocol):
    """Anything with a tree, such as a feature."""

    @property
    def tree(self) -> Tree: ...


def fitted_fields(features: Iterable[Typed]) -> frozenset[str]:
    """Names of the category fields whose fitted levels the features ask for."""
    return frozenset(name for feature in features for name in _fitted_names(feature.tree))


def _fitted_names(tree: Tree) -> Iterator[str]:
    match tree:
        case Literal(str() as name, Type.LEVELS):
            yield name
        case Widen(arg):
            yield from _fitted_names(arg)
        case Call(_, args):
            for arg in args:
                yield from _fitted_names(arg)


def fixed_places(function: str, count: int) -> range:
    """Which of `count` arguments of a function are fixed."""
    return range(count)[BY_NAME[function].fixed or slice(0)]
