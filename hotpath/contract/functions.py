"""The functions and operators of expressions: one table, two renderings each.

To add one, add an entry to FUNCTIONS; its examples run as tests, in the row function and in Spark, and
the reference page shows it. Rules that hold for every entry, so that none repeats them:

- null in, null out, except where `sees_null` says that the function decides (`and`, `or`);
- a long is widened to a double, a category read as a string, where the signature asks for it;
- a long result beyond 64 bits is null; a double result that is not finite is null;
- nothing raises: `row` gets values of its signature's types and gives a value or None.

`row` gets Python values (timestamps as µs), `spark` gets pyspark.sql.functions, then columns (timestamps as
TIMESTAMP); both get a zone as a Zone. `spark` must not raise under ANSI mode, and must use an argument
that can itself be a call only once: a nested expression would grow exponentially.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hotpath.clock import DAY, HOUR, MINUTE, Micros
from hotpath.contract.types import EARLIEST, EPOCH, LONG_MAX, Type, Value
from hotpath.contract.zones import CHUNK_BITS, Zone

STRING, BOOL, LONG, DOUBLE = Type.STRING, Type.BOOL, Type.LONG, Type.DOUBLE
CATEGORY, TIMESTAMP, ZONE = Type.CATEGORY, Type.TIMESTAMP, Type.ZONE
Signature = tuple[tuple[Type, ...], Type]
"""What a function takes, and what it gives."""


@dataclass(frozen=True)
class Example:
    """`text` over a row of (name, type, value) is `value`."""

    text: str
    row: tuple[tuple[str, Type, Value], ...]
    value: Value


@dataclass(frozen=True)
class Function:
    """One function or operator; the first signature that the arguments fit is taken.

    `tolerance`: by how much the two renderings may differ; 0 wherever they can agree to the bit.
    """

    name: str
    signatures: tuple[Signature, ...]
    row: Callable[..., Value]
    spark: Callable[..., Any]
    doc: str
    examples: tuple[Example, ...]
    sees_null: bool = False
    tolerance: float = 0.0


def _ex(text: str, value: Value, **row: tuple[Type, Value]) -> Example:
    return Example(text, tuple((name, *typed) for name, typed in row.items()), value)


def _at(text: str) -> tuple[Type, Value]:
    return TIMESTAMP, (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def _divide(a: float, b: float) -> Value:
    return a / b if b else None


def _and(a: Value, b: Value) -> Value:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _or(a: Value, b: Value) -> Value:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _minutes(a: Micros, b: Micros) -> Value:
    return (b - a) / MINUTE


def _spark_minutes(F: Any, a: Any, b: Any) -> Any:
    return F.try_subtract(F.unix_micros(b), F.unix_micros(a)).cast("double") / F.lit(float(MINUTE))


def _hour(instant: Micros, zone: Zone) -> Value:
    return (instant + zone.at(instant)) // HOUR % 24


def _spark_hour(F: Any, instant: Any, zone: Zone) -> Any:
    # By the package's table, because from_utc_timestamp() would ask the JVM's own rules; looked up by chunk,
    # because Spark has no search in an array. A table in one text is one node of the plan, not thousands.
    changes, offsets = (F.split(F.lit(" ".join(map(str, t))), " ").cast("array<bigint>") for t in zone.chunks)
    micros = F.unix_micros(instant)
    chunk = F.shiftright(micros - F.lit(EARLIEST), CHUNK_BITS).cast("int")
    offset = F.get(offsets, F.when(micros < F.get(changes, chunk), chunk).otherwise(chunk + F.lit(1)))
    return F.floor(F.pmod(micros + offset, F.lit(DAY)) / F.lit(HOUR))


_LONGS: Signature = ((LONG, LONG), LONG)
_DOUBLES: Signature = ((DOUBLE, DOUBLE), DOUBLE)
_ORDERED: tuple[Signature, ...] = tuple(((t, t), BOOL) for t in (LONG, DOUBLE, TIMESTAMP))
_EQUATED: tuple[Signature, ...] = (*_ORDERED, ((STRING, STRING), BOOL), ((BOOL, BOOL), BOOL))
_NULL_LONG, _NULL_BOOL = (LONG, None), (BOOL, None)
_MOST = (LONG, LONG_MAX)

FUNCTIONS: tuple[Function, ...] = (
    Function(
        "+", (_LONGS, _DOUBLES), operator.add, lambda F, a, b: F.try_add(a, b),
        "Sum. Long beyond 64 bits or double beyond its range: null.",
        (_ex("a + 2", 3, a=(LONG, 1)), _ex("a + 1", None, a=_MOST), _ex("a + 0.5", 1.5, a=(LONG, 1))),
    ),
    Function(
        "-", (_LONGS, _DOUBLES), operator.sub, lambda F, a, b: F.try_subtract(a, b),
        "Difference; `-x` is `0 - x`, so it never gives a negative zero. Overflow: null.",
        (_ex("a - 2", -1, a=(LONG, 1)), _ex("-a - 2", None, a=_MOST), _ex("-a", 0.0, a=(DOUBLE, 0.0))),
    ),
    Function(
        "*", (_LONGS, _DOUBLES), operator.mul, lambda F, a, b: F.try_multiply(a, b),
        "Product. Overflow: null.",
        (_ex("a * 3", 6, a=(LONG, 2)), _ex("a * 2", None, a=_MOST), _ex("a * 10.0", None, a=(DOUBLE, 1e308))),
    ),
    Function(
        "/", (_DOUBLES,), _divide, lambda F, a, b: F.try_divide(a, b),
        "Quotient, always a double (longs are widened first). By zero: null.",
        (_ex("a / 2", 0.5, a=(LONG, 1)), _ex("a / 0", None, a=(LONG, 1)), _ex("1 / a", None, a=_NULL_LONG)),
    ),
    Function(
        "<", _ORDERED, operator.lt, lambda _, a, b: a < b,
        "Less. A long against a double is compared as doubles.",
        (_ex("a < 2.5", True, a=(LONG, 2)), _ex("a < 2", None, a=_NULL_LONG)),
    ),
    Function(
        "<=", _ORDERED, operator.le, lambda _, a, b: a <= b,
        "Less or equal.",
        (_ex("a <= 2", True, a=(LONG, 2)), _ex("a <= 9223372036854775807.0", True, a=_MOST)),
    ),
    Function(
        ">", _ORDERED, operator.gt, lambda _, a, b: a > b,
        "Greater.",
        (_ex("a > b", True, a=_at("2026-01-02T00:00:00Z"), b=_at("2026-01-01T00:00:00Z")),),
    ),
    Function(
        ">=", _ORDERED, operator.ge, lambda _, a, b: a >= b,
        "Greater or equal.",
        (_ex("a >= 0.0", True, a=(DOUBLE, -0.0)),),
    ),
    Function(
        "==", _EQUATED, operator.eq, lambda _, a, b: a == b,
        "Equal. Texts are equal to the last byte: no trimming, no case folding.",
        (_ex('a == "UA"', True, a=(CATEGORY, "UA")), _ex("a == 0.0", True, a=(DOUBLE, -0.0))),
    ),
    Function(
        "!=", _EQUATED, operator.ne, lambda _, a, b: a != b,
        "Not equal; null against anything is null.",
        (_ex('a != "UA"', True, a=(CATEGORY, "ua ")), _ex("a != True", None, a=_NULL_BOOL)),
    ),
    Function(
        "and", (((BOOL, BOOL), BOOL),), _and, lambda _, a, b: a & b,
        "Both, as in SQL: false where one is false, else null where one is null.",
        (_ex("a and False", False, a=_NULL_BOOL), _ex("a and True", None, a=_NULL_BOOL)),
        sees_null=True,
    ),
    Function(
        "or", (((BOOL, BOOL), BOOL),), _or, lambda _, a, b: a | b,
        "Either, as in SQL: true where one is true, else null where one is null.",
        (_ex("a or True", True, a=_NULL_BOOL), _ex("a or False", None, a=_NULL_BOOL)),
        sees_null=True,
    ),
    Function(
        "not", (((BOOL,), BOOL),), operator.not_, lambda _, a: ~a,
        "The opposite; null stays null.",
        (_ex("not a", False, a=(BOOL, True)), _ex("not a", None, a=_NULL_BOOL)),
    ),
    Function(
        "minutes_between", (((TIMESTAMP, TIMESTAMP), DOUBLE),), _minutes, _spark_minutes,
        "Minutes from the first instant to the second, negative where the second is earlier; not rounded.",
        (
            _ex(
                "minutes_between(a, b)", 90.5,
                a=_at("2013-07-09T08:00:00Z"), b=_at("2013-07-09T09:30:30Z"),
            ),
        ),
    ),
    Function(
        "hour", (((TIMESTAMP, ZONE), LONG),), _hour, _spark_hour,
        "Hour of the day, 0 to 23, on the clocks of a time zone, written as a text: an IANA name such as"
        ' "America/New_York". Daylight saving as in the pinned tzdata package, in Spark too.',
        (
            _ex('hour(a, "America/New_York")', 1, a=_at("2013-03-10T06:59:59.999999Z")),
            _ex('hour(a, "America/New_York")', 3, a=_at("2013-03-10T07:00:00Z")),
            _ex('hour(a, "Asia/Kolkata")', 5, a=_at("2013-07-09T00:00:00Z")),
        ),
    ),
)  # fmt: skip

BY_NAME = {f.name: f for f in FUNCTIONS}
