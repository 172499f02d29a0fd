"""The contract's features as Spark columns: the second rendering of the trees that row.py renders.

Needs columns as the lake has them: a decoded event's fields by name, dotted where nested, instants as
TIMESTAMP, durations as µs. The session may run in ANSI mode and in any time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.functions import BY_NAME, rendering
from hotpath.contract.functions.entry import let
from hotpath.contract.model import Contract
from hotpath.contract.tree import Call, Knows, Literal, Reading, Ref, Tree, Widen, fixed_places, parted
from hotpath.contract.types import Type
from hotpath.contract.used import nodes


def feature_columns(contract: Contract, fitted: Fitted = NOTHING) -> list[Column]:
    """One column a feature, named like it, in the order of `contract.features`."""
    knows = Knows({t.name: t for t in contract.tables}, fitted)
    return [column(f.tree, knows).alias(f.name) for f in contract.features]


def column(tree: Tree, knows: Knows = Knows()) -> Column:  # noqa: B008 - frozen
    """`tree` over the event's columns, instants as µs; uses each part of it once."""
    match tree:
        case Ref(name, kind):
            found = F.col(f"`{name}`")
            return F.unix_micros(found) if kind == Type.TIMESTAMP else found
        case Reading(name=name):
            return F.col(f"`{name}`")
        case Literal(value, kind):
            return F.lit(value).cast(_SPARK_TYPES[kind])
        case Widen(arg):
            return column(arg, knows).cast("double")
        case Call():
            return _call(tree, knows)


def _call(call: Call, knows: Knows) -> Column:
    function = BY_NAME[call.function]
    others = parted(call)[1]
    first = others[0].type if others else call.type
    spark = rendering(function.spark, first)
    fixed = fixed_places(call.function, len(call.args))
    bound = [first in function.reuses and any(map(_repeats, nodes(arg))) for arg in call.args]
    args = [
        knows.constant(arg) if place in fixed else column(arg, knows) for place, arg in enumerate(call.args)
    ]
    made = _bind(args, bound, lambda *values: spark(F, *values))
    return (_BOUNDED if function.bounded else _GUARDS).get(call.type, _unguarded)(made)


def _repeats(tree: Tree) -> bool:
    """Whether `tree` stands in the plan with an argument repeated.

    Spark computes what is repeated once, but repetitions within repetitions would make the plan grow
    exponentially: then the argument is bound, which is slow (a lambda is interpreted) and rare.
    """
    others = parted(tree)[1] if isinstance(tree, Call) else ()
    return bool(others) and isinstance(tree, Call) and others[0].type in BY_NAME[tree.function].reuses


def _bind(args: list[Any], bound: list[bool], body: Callable[..., Column]) -> Column:
    """`body` of `args`, where those that are `bound` may be used more than once."""
    if True not in bound:
        return body(*args)
    place = bound.index(True)
    rest = [*bound[:place], False, *bound[place + 1 :]]
    return let(  # type: ignore[no-any-return]
        F, args[place], lambda value: _bind([*args[:place], value, *args[place + 1 :]], rest, body)
    )


def _long(value: Column) -> Column:
    # A shift by nothing: without it the optimiser turns (a + 1) + (b - 1) into a + b, also under try_add,
    # and an overflow that the row function sees is gone (ReorderAssociativeOperator, Spark 4.2).
    return F.shiftleft(value, 0)


def _double(value: Column) -> Column:
    # x % Infinity is x for a finite x, and NaN for NaN and the infinities: so x stands here once, where a
    # CASE would write it twice and a nested expression would double at every level.
    return _number(value % F.lit(inf))


def _number(value: Column) -> Column:
    return F.nanvl(value, F.lit(None).cast("double"))


def _unguarded(value: Column) -> Column:
    return value


_SPARK_TYPES = {
    Type.BOOL: "boolean",
    Type.LONG: "bigint",
    Type.DOUBLE: "double",
    Type.STRING: "string",
    Type.CATEGORY: "string",
    Type.DURATION: "bigint",
}
_BOUNDED = {Type.DOUBLE: _number}
_GUARDS = {Type.LONG: _long, Type.TIMESTAMP: _long, Type.DURATION: _long, Type.DOUBLE: _double}
