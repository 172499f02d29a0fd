"""The contract's features as Spark columns: the second rendering of the trees that row.py renders.

Needs columns as the lake has them: a decoded event's fields by name, timestamps as TIMESTAMP. The session
may run in ANSI mode and in any time zone.
"""

from __future__ import annotations

from math import inf

from pyspark.sql import Column
from pyspark.sql import functions as F

from hotpath.contract.expressions import Call, Literal, Ref, Tree, Widen
from hotpath.contract.functions import BY_NAME
from hotpath.contract.model import Contract
from hotpath.contract.types import Type
from hotpath.contract.zones import Zone, zone


def feature_columns(contract: Contract) -> list[Column]:
    """One column a feature, named like it, in the order of `contract.features`."""
    return [column(f.tree).alias(f.name) for f in contract.features]


def column(tree: Tree) -> Column:
    """`tree` over the event's columns; uses each part of it once."""
    match tree:
        case Ref(name):
            return F.col(name)
        case Literal(value, kind):
            return F.lit(value).cast(_SPARK_TYPES[kind])
        case Widen(arg):
            return column(arg).cast("double")
        case Call(name, args, kind):
            made = BY_NAME[name].spark(F, *map(_argument, args))
            return _GUARDS.get(kind, _unguarded)(made)


def _argument(tree: Tree) -> Column | Zone:
    if isinstance(tree, Literal) and tree.type == Type.ZONE:
        return zone(str(tree.value))
    return column(tree)


def _long(value: Column) -> Column:
    # A shift by nothing: without it the optimiser turns (a + 1) + (b - 1) into a + b, also under try_add,
    # and an overflow that the row function sees is gone (ReorderAssociativeOperator, Spark 4.2).
    return F.shiftleft(value, 0)


def _double(value: Column) -> Column:
    # x % Infinity is x for a finite x, and NaN for NaN and the infinities: so x stands here once, where a
    # CASE would write it twice and a nested expression would double at every level.
    return F.nanvl(value % F.lit(inf), F.lit(None).cast("double"))


def _unguarded(value: Column) -> Column:
    return value


_SPARK_TYPES = {Type.BOOL: "boolean", Type.LONG: "bigint", Type.DOUBLE: "double", Type.STRING: "string"}
_GUARDS = {Type.LONG: _long, Type.DOUBLE: _double}
