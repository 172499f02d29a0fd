"""A machine that runs a program (docs/program.md) and knows nothing of expressions and contracts.

What the native core will do, slowly and plainly: slots in a list, one function an operation, written from the
reference page's words. Only the mathematics that all share (fdlibm's, and sines out of + - * /) is taken from
where it is defined.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import fmod, isfinite, sqrt
from typing import Any
from zlib import crc32

from hotpath.contract.functions import fdlibm
from hotpath.contract.functions.angles import chord2, cosine, distance, kilometres, point, sine

WHOLE = ("long", "timestamp", "duration")
SECOND = 1_000_000
FIRST, LAST = 946_684_800 * SECOND, 4_102_444_800 * SECOND
SEES_NULL = ("and", "or", "if_else", "coalesce", "is_null")
UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}

Program = Mapping[str, Any]


def run(program: Program, row: Mapping[str, Any]) -> list[Any]:
    """The features of one row, in the program's order."""
    types = program["slots"]
    slots: list[Any] = [None] * len(types)
    for name, slot in program["inputs"]:
        slots[slot] = row[name]
    for slot, value in program["constants"]:
        slots[slot] = _constant(program, types[slot], value)
    for operation, out, *args in program["instructions"]:
        slots[out] = _within(_called(operation, [slots[a] for a in args]), types[out])
    return [slots[slot] for _, slot in program["features"]]


def _constant(program: Program, kind: str, value: Any) -> Any:
    lists = {"time zone": "zones", "table": "tables", "fitted levels": "levels"}
    return program[lists[kind]][value] if kind in lists else value


def _called(operation: str, args: list[Any]) -> Any:
    if operation not in SEES_NULL and any(arg is None for arg in args):
        return None
    return OPERATIONS[operation](*args)


def _within(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in WHOLE:
        return value if -(2**63) <= value < 2**63 else None
    return (value if isfinite(value) else None) if kind == "double" else value


def _divide(a: float, b: float) -> Any:
    return None if b == 0 else a / b


def _remainder(a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if isinstance(a, float):
        return fmod(a, b)
    return (abs(a) % abs(b)) * (-1 if a < 0 else 1)


def _and(a: Any, b: Any) -> Any:
    return False if a is False or b is False else None if a is None or b is None else True


def _or(a: Any, b: Any) -> Any:
    return True if a is True or b is True else None if a is None or b is None else False


def _if_else(condition: Any, a: Any, b: Any) -> Any:
    return None if condition is None else (a if condition else b)


def _round(x: float, digits: int = 0) -> float:
    scaled = x * 10.0**digits
    whole = scaled if abs(scaled) >= 2.0**52 else float(round(scaled))
    return whole / 10.0**digits + 0.0


def _per(unit: str) -> Callable[[int], float]:
    return lambda duration: float(duration) / float(UNITS[unit])


def _between(unit: str) -> Callable[[int, int], Any]:
    def between(a: int, b: int) -> Any:
        apart = _within(b - a, "duration")
        return None if apart is None else float(apart) / float(UNITS[unit])

    return between


def _local(read: Callable[[datetime], Any]) -> Callable[[int, Mapping[str, Any]], Any]:
    def at(instant: int, zone: Mapping[str, Any]) -> Any:
        if not FIRST <= instant < LAST:
            return None
        offset = zone["offsets"][bisect_right(zone["starts"], instant) - 1]
        return read(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant + offset))

    return at


def _nearest(lat: float, lon: float, table: Mapping[str, Any]) -> float:
    columns = {c["name"]: c["values"] for c in table["columns"]}
    places = [(a, b) for a, b in zip(columns["lat"], columns["lon"], strict=True) if None not in (a, b)]
    here = point(lat, lon)
    return kilometres(min(chord2(here, point(float(a), float(b))) for a, b in places))


def _look_up(table: Mapping[str, Any], column: str, key: str) -> Any:
    columns = {c["name"]: c["values"] for c in table["columns"]}
    return dict(zip(columns[table["key"]], columns[column], strict=True)).get(key)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "widen": float,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": _remainder,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "and": _and,
    "or": _or,
    "not": lambda a: not a,
    "if_else": _if_else,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "is_null": lambda a: a is None,
    "abs": abs,
    "min": min,
    "max": max,
    "clip": lambda x, low, high: max(low, min(x, high)),
    "round": _round,
    "sqrt": lambda x: sqrt(x) if x >= 0 else None,
    "exp": fdlibm.exp,
    "log1p": lambda x: fdlibm.log1p(x) if x > -1 else None,
    "sin_cycle": lambda x, period: sine(x / period),
    "cos_cycle": lambda x, period: cosine(x / period),
    "lower": lambda text: "".join(c.lower() if "A" <= c <= "Z" else c for c in text),
    "length": len,
    "contains_any": lambda text, *parts: any(part in text for part in parts),
    "one_of": lambda value, *values: value in values,
    "hash_bucket": lambda text, count: crc32(text.encode()) % count,
    "level": lambda text, levels: text if text in levels else "(other)",
    "bucket": lambda x, *bounds: sum(bound <= x for bound in bounds),
    "has": lambda items, value: value in items,
    "item": lambda items, place: items[place] if place < len(items) else None,
    "minutes_between": _between("m"),
    "hours_until": _between("h"),
    "minutes": _per("m"),
    "hours": _per("h"),
    "span": lambda text: int(text[:-1]) * UNITS[text[-1]],
    "hour": _local(lambda there: there.hour),
    "weekday": _local(lambda there: there.isoweekday()),
    "day_of_year": _local(lambda there: there.timetuple().tm_yday),
    "is_weekend": _local(lambda there: there.isoweekday() >= 6),
    "distance_km": distance,
    "nearest_km": _nearest,
    "look_up": _look_up,
}
