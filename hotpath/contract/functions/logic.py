"""Comparisons, truth values with SQL's three, and what to take where a value is missing."""

from __future__ import annotations

import operator
from typing import Any

from hotpath.contract.functions.entry import (
    ARRAYS,
    COUNTED,
    MOST,
    NULL_BOOL,
    NULL_LONG,
    NULL_TEXT,
    SCALARS,
    Function,
    at,
    ex,
    same,
)
from hotpath.contract.types import Type, Value

BOOL, LONG, DOUBLE, CATEGORY = Type.BOOL, Type.LONG, Type.DOUBLE, Type.CATEGORY


def _and(a: Value, b: Value) -> Value:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _or(a: Value, b: Value) -> Value:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _if_else(condition: Value, a: Value, b: Value) -> Value:
    return None if condition is None else a if condition else b


def _spark_if_else(F: Any, condition: Any, a: Any, b: Any) -> Any:
    # No item of an array is at null: CASE would take the second where the condition is null.
    return F.get(F.array(b, a), condition.cast("int"))


def _coalesce(*values: Value) -> Value:
    for value in values:
        if value is not None:
            return value
    return None


def _is_null(value: Value) -> bool:
    return value is None


_ORDERED = same(COUNTED, 2, BOOL)
_EQUATED = (*_ORDERED, *same((Type.STRING, BOOL), 2, BOOL))
_CHOICES = tuple(((BOOL, kind, kind), kind) for kind in SCALARS)

LOGIC: tuple[Function, ...] = (
    Function(
        "<", _ORDERED, operator.lt, lambda _, a, b: a < b,
        "Less. A long against a double is compared as doubles.",
        (ex("a < 2.5", True, a=(LONG, 2)), ex("a < 2", None, a=NULL_LONG)),
    ),
    Function(
        "<=", _ORDERED, operator.le, lambda _, a, b: a <= b,
        "Less or equal.",
        (ex("a <= 2", True, a=(LONG, 2)), ex("a <= 9223372036854775807.0", True, a=MOST)),
    ),
    Function(
        ">", _ORDERED, operator.gt, lambda _, a, b: a > b,
        "Greater.",
        (
            ex("a > b", True, a=at("2026-01-02T00:00:00Z"), b=at("2026-01-01T00:00:00Z")),
            ex('a - b > span("24h")', False, a=at("2026-01-02T00:00:00Z"), b=at("2026-01-01T00:00:00Z")),
        ),
    ),
    Function(
        ">=", _ORDERED, operator.ge, lambda _, a, b: a >= b,
        "Greater or equal.",
        (ex("a >= 0.0", True, a=(DOUBLE, -0.0)),),
    ),
    Function(
        "==", _EQUATED, operator.eq, lambda _, a, b: a == b,
        "Equal. Texts are equal to the last byte: no trimming, no case folding.",
        (ex('a == "UA"', True, a=(CATEGORY, "UA")), ex("a == 0.0", True, a=(DOUBLE, -0.0))),
    ),
    Function(
        "!=", _EQUATED, operator.ne, lambda _, a, b: a != b,
        "Not equal; null against anything is null.",
        (ex('a != "UA"', True, a=(CATEGORY, "ua ")), ex("a != True", None, a=NULL_BOOL)),
    ),
    Function(
        "and", same((BOOL,), 2), _and, lambda _, a, b: a & b,
        "Both, as in SQL: false where one is false, else null where one is null.",
        (ex("a and False", False, a=NULL_BOOL), ex("a and True", None, a=NULL_BOOL)),
        sees_null=True,
    ),
    Function(
        "or", same((BOOL,), 2), _or, lambda _, a, b: a | b,
        "Either, as in SQL: true where one is true, else null where one is null.",
        (ex("a or True", True, a=NULL_BOOL), ex("a or False", None, a=NULL_BOOL)),
        sees_null=True,
    ),
    Function(
        "not", same((BOOL,), 1), operator.not_, lambda _, a: ~a,
        "The opposite; null stays null.",
        (ex("not a", False, a=(BOOL, True)), ex("not a", None, a=NULL_BOOL)),
    ),
    Function(
        "if_else", _CHOICES, _if_else, _spark_if_else,
        "The second where the first is true, the third where it is false; null where it is null (SQL would"
        " give the third).",
        (
            ex("if_else(a > 3, 1, 0)", 1, a=(LONG, 7)), ex("if_else(a > 3, 1, 0)", None, a=NULL_LONG),
            ex('if_else(a, "day", "night")', "night", a=(BOOL, False)),
        ),
        sees_null=True, bounded=True,
    ),
    Function(
        "coalesce", same(SCALARS, 2), _coalesce, lambda F, *values: F.coalesce(*values),
        "The first that is not null; null where all are.",
        (ex("coalesce(a, 0)", 0, a=NULL_LONG), ex('coalesce(a, "none")', "none", a=NULL_TEXT)),
        sees_null=True, repeats=True, bounded=True,
    ),
    Function(
        "is_null", same((*SCALARS, *ARRAYS), 1, BOOL), _is_null, lambda F, a: F.isnull(a),
        "Whether it is null.",
        (ex("is_null(a)", True, a=NULL_LONG), ex("is_null(a / 0)", True, a=(LONG, 1))),
        sees_null=True,
    ),
)  # fmt: skip
