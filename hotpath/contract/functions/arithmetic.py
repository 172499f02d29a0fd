"""Arithmetic and the mathematics of one number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from hotpath.contract.functions import fdlibm
from hotpath.contract.functions.angles import CYCLE_TOLERANCE, cosine, sine, spark_turned
from hotpath.contract.functions.entry import (
    COUNTED,
    MOST,
    NULL_LONG,
    NUMBERS,
    Function,
    ex,
    same,
    spark_least,
    spark_most,
)
from hotpath.contract.types import LONG_MIN, Type, Value

LONG, DOUBLE = Type.LONG, Type.DOUBLE
TIMESTAMP, DURATION = Type.TIMESTAMP, Type.DURATION
MOST_DIGITS = 12
LONGEST_PERIOD = 1e9
_WHOLE = 2.0**52
"""From here on every double is a whole number."""


def _divide(a: float, b: float) -> Value:
    return a / b if b else None


def _long_remainder(a: int, b: int) -> Value:
    if not b:
        return None
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def _double_remainder(a: float, b: float) -> Value:
    return math.fmod(a, b) if b else None


def _spark_long_abs(F: Any, a: Any) -> Any:
    # abs() raises on the least long; there is no try_abs.
    return F.when(a < F.lit(0), F.try_subtract(F.lit(0), a)).otherwise(a)


def _spark_long_least(F: Any, *values: Any) -> Any:
    # Ascending, nulls come first: one null is the result, as it should be.
    return F.get(F.sort_array(F.array(*values)), F.lit(0))


def _spark_long_most(F: Any, *values: Any) -> Any:
    # ~ turns the order round and, unlike -, overflows nowhere.
    return F.bitwise_not(_spark_long_least(F, *map(F.bitwise_not, values)))


def _clip(x: Any, low: Any, high: Any) -> Value:
    most = high if high < x else x
    return most if most > low else low  # type: ignore[no-any-return]


def _spark_clip(F: Any, x: Any, low: Any, high: Any) -> Any:
    return spark_most(F, low, spark_least(F, x, high))


def _spark_long_clip(F: Any, x: Any, low: Any, high: Any) -> Any:
    return _spark_long_most(F, low, _spark_long_least(F, x, high))


def _round(digits: int = 0) -> Callable[[float], float]:
    scale = 10.0**digits

    def rounded(x: float) -> float:
        scaled = x * scale
        whole = scaled if abs(scaled) >= _WHOLE else float(round(scaled))
        return whole / scale + 0.0

    return rounded


def _spark_round(F: Any, x: Any, digits: int = 0) -> Any:
    scale = F.lit(10.0**digits)
    return F.rint(x * scale) / scale + F.lit(0.0)


def _few_digits(digits: int = 0) -> str:
    return "" if 0 <= digits <= MOST_DIGITS else f"0 to {MOST_DIGITS} digits"


def _sqrt(x: float) -> Value:
    return math.sqrt(x) if x >= 0.0 else None


def _log1p(x: float) -> Value:
    return fdlibm.log1p(x) if x > -1.0 else None


def _sin_cycle(period: float) -> Callable[[float], float]:
    return lambda x: sine(x / period)


def _cos_cycle(period: float) -> Callable[[float], float]:
    return lambda x: cosine(x / period)


def _a_period(period: float) -> str:
    return "" if 1.0 <= period <= LONGEST_PERIOD else f"a period from 1 to {LONGEST_PERIOD:g}"


def _by_type(of_doubles: Any, of_longs: Any) -> dict[Type, Any]:
    return {DOUBLE: of_doubles, LONG: of_longs, TIMESTAMP: of_longs, DURATION: of_longs}


_SHIFTED = (((TIMESTAMP, DURATION), TIMESTAMP), ((DURATION, DURATION), DURATION))
_CYCLE = (((DOUBLE, DOUBLE), DOUBLE),)

ARITHMETIC: tuple[Function, ...] = (
    Function(
        "+", (*same(NUMBERS, 2), *_SHIFTED, ((DURATION, TIMESTAMP), TIMESTAMP)),
        operator.add, lambda F, a, b: F.try_add(a, b),
        "Sum. Long, instant or duration beyond 64 bits, or double beyond its range: null.",
        (ex("a + 2", 3, a=(LONG, 1)), ex("a + 1", None, a=MOST), ex("a + 0.5", 1.5, a=(LONG, 1))),
    ),
    Function(
        "-", (*same(NUMBERS, 2), ((TIMESTAMP, TIMESTAMP), DURATION), *_SHIFTED),
        operator.sub, lambda F, a, b: F.try_subtract(a, b),
        "Difference; of two instants a duration. `-x` is `0 - x`, so it never gives a negative zero."
        " Overflow: null.",
        (ex("a - 2", -1, a=(LONG, 1)), ex("-a - 2", None, a=MOST), ex("-a", 0.0, a=(DOUBLE, 0.0))),
    ),
    Function(
        "*", same(NUMBERS, 2), operator.mul, lambda F, a, b: F.try_multiply(a, b),
        "Product. Overflow: null.",
        (ex("a * 3", 6, a=(LONG, 2)), ex("a * 2", None, a=MOST), ex("a * 10.0", None, a=(DOUBLE, 1e308))),
    ),
    Function(
        "/", same((DOUBLE,), 2), _divide, lambda F, a, b: F.try_divide(a, b),
        "Quotient, always a double (longs are widened first). By zero: null.",
        (ex("a / 2", 0.5, a=(LONG, 1)), ex("a / 0", None, a=(LONG, 1)), ex("1 / a", None, a=NULL_LONG)),
    ),
    Function(
        "%", same(NUMBERS, 2), _by_type(_double_remainder, _long_remainder), lambda F, a, b: F.try_mod(a, b),
        "Remainder of the division that truncates, exact, with the sign of the first (SQL's, not Python's)."
        " By zero: null.",
        (
            ex("a % 3", 1, a=(LONG, 7)), ex("a % 3", -1, a=(LONG, -7)), ex("a % -3.0", 1.5, a=(DOUBLE, 7.5)),
            ex("a % 0", None, a=(LONG, 7)),
        ),
        bounded=True,
    ),
    Function(
        "abs", same(NUMBERS, 1), abs, _by_type(lambda F, a: F.abs(a), _spark_long_abs),
        "Distance from zero. Of the least long: null.",
        (
            ex("abs(a)", 7, a=(LONG, -7)), ex("abs(a)", None, a=(LONG, LONG_MIN)),
            ex("abs(a)", 0.0, a=(DOUBLE, -0.0)),
        ),
        reuses=(LONG,),
    ),
    Function(
        "min", same(COUNTED, 2), min, _by_type(spark_least, _spark_long_least),
        "The least; null where one is null. Of equal ones (0.0, -0.0) the first.",
        (
            ex("min(a, 3, 5)", 3, a=(LONG, 7)), ex("min(a, 3)", None, a=NULL_LONG),
            ex("min(a, 2.5)", 2.0, a=(LONG, 2)),
        ),
        repeats=True, bounded=True,
    ),
    Function(
        "max", same(COUNTED, 2), max, _by_type(spark_most, _spark_long_most),
        "The greatest; null where one is null. Of equal ones the first.",
        (ex("max(a, 3, 5)", 7, a=(LONG, 7)), ex("max(0, a)", None, a=NULL_LONG)),
        repeats=True, bounded=True,
    ),
    Function(
        "clip", same(COUNTED, 3), _clip, _by_type(_spark_clip, _spark_long_clip),
        "`clip(x, low, high)` is `max(low, min(x, high))`: kept between two bounds; the lower one wins where"
        " they cross.",
        (
            ex("clip(a, 0, 5)", 5, a=(LONG, 7)), ex("clip(a, 0, 5)", 0, a=(LONG, -7)),
            ex("clip(a, 0, 5)", None, a=NULL_LONG),
        ),
        bounded=True,
    ),
    Function(
        "round", (((DOUBLE,), DOUBLE), ((DOUBLE, LONG), DOUBLE)), _round, _spark_round,
        f"To a whole number, or to so many decimal digits (a literal, at most {MOST_DIGITS}): x times the"
        " power of ten, halves to the even neighbour, divided by it. A double; never a negative zero;"
        " overflow on the way: null.",
        (
            ex("round(a)", 2.0, a=(DOUBLE, 2.5)), ex("round(a)", 0.0, a=(DOUBLE, -0.4)),
            ex("round(a, 2)", 3.14, a=(DOUBLE, 3.14159)),
        ),
        fixed=slice(1, None), check=_few_digits,
    ),
    Function(
        "sqrt", same((DOUBLE,), 1), _sqrt, lambda F, a: F.sqrt(a),
        "Square root, correctly rounded. Of a negative number: null.",
        (ex("sqrt(a)", 3.0, a=(LONG, 9)), ex("sqrt(a)", None, a=(LONG, -1))),
        bounded=True,
    ),
    Function(
        "exp", same((DOUBLE,), 1), fdlibm.exp, lambda F, a: F.exp(a),
        "e to this power, as fdlibm rounds it (Java's StrictMath). Overflow: null.",
        (
            ex("exp(a)", 1.0, a=(LONG, 0)), ex("exp(a)", 2.7182818284590455, a=(LONG, 1)),
            ex("exp(a)", None, a=(LONG, 710)),
        ),
    ),
    Function(
        "log1p", same((DOUBLE,), 1), _log1p, lambda F, a: F.log1p(a),
        "Natural logarithm of 1 + x, as fdlibm rounds it (Java's StrictMath). Of -1 and below: null.",
        (
            ex("log1p(a)", 0.0, a=(LONG, 0)), ex("log1p(a)", 0.6931471805599453, a=(LONG, 1)),
            ex("log1p(a)", None, a=(LONG, -1)),
        ),
        bounded=True,
    ),
    Function(
        "sin_cycle", _CYCLE, _sin_cycle,
        lambda F, x, period: F.sin(spark_turned(F, x / F.lit(period))),
        f"Sine of a cycle of this period, a literal from 1 to {LONGEST_PERIOD:,.0f}: 0 at 0, 1 at a quarter"
        " of it.",
        (ex("sin_cycle(a, 24)", 1.0, a=(LONG, 6)), ex("sin_cycle(a, 24)", -1.0, a=(DOUBLE, -6.0))),
        fixed=slice(1, None), check=_a_period, bounded=True, tolerance=CYCLE_TOLERANCE,
    ),
    Function(
        "cos_cycle", _CYCLE, _cos_cycle,
        lambda F, x, period: F.cos(spark_turned(F, x / F.lit(period))),
        "Cosine of a cycle of this period, a literal like `sin_cycle`'s: 1 at 0, 0 at a quarter of it.",
        (ex("cos_cycle(a, 7)", 1.0, a=(LONG, 14)), ex("cos_cycle(a, 24)", -1.0, a=(LONG, 12))),
        fixed=slice(1, None), check=_a_period, bounded=True, tolerance=CYCLE_TOLERANCE,
    ),
)  # fmt: skip
