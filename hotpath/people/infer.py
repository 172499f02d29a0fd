"""From the records of a sample to the fields of a contract: types, ranges, levels, nullability. Pure.

A sample shows less than will come, so what is inferred is wider than what was seen: a number's range by its
own span on both sides, a text's length and a category's levels several times. What fits no type (a list of
objects, a text that is also a number) is left out, and said.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hotpath.contract import formats
from hotpath.contract.keys import RESERVED
from hotpath.contract.parts import Field, Object, Part
from hotpath.contract.times import instant, span
from hotpath.contract.types import (
    ARRAYS,
    DEEPEST_FIELD,
    LONG_MAX,
    LONG_MIN,
    MOST_ITEMS,
    MOST_LEVELS,
    UNITS,
    Type,
    well_formed,
)
from hotpath.people.seen import Seen, seen

LEVEL_SHARE = 0.5
"""A text with at most so many distinct values a row is a category, otherwise a string."""
FEW_LEVELS = 12
"""A text with no more distinct values is a category however few the rows are."""
LEAST_LENGTH, LEAST_LEVELS = 16, 16
LONGEST_TEXT = 65_536
"""Characters that a field may hold at most."""
SMALLEST = 1e-300
"""Below it a double has no two digits left to round to."""
UNBOUNDED = 1e300
"""A contract takes no bound from here on."""


@dataclass(frozen=True)
class LeftOut:
    """A value of the records that no field holds, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class Inferred:
    """The parts of a record, in its own order, and what became none."""

    parts: tuple[Part, ...]
    left_out: tuple[LeftOut, ...]


def infer(rows: Sequence[Mapping[str, Any]]) -> Inferred:
    """The fields of records.

    >>> [(f.name, f.type.value, f.nullable) for f in infer([{"Id": 1, "wind": 2.5}, {"Id": 2}]).parts]
    [('id', 'long', False), ('wind', 'double', True)]
    """
    left_out: list[LeftOut] = []
    return Inferred(_parts(seen(rows), "", left_out), tuple(left_out))


def named(key: str) -> str:
    """A contract's name for a record's key: lower-case letters, digits and _.

    >>> named("mean radius"), named("class"), named("2nd"), named("raw")
    ('mean_radius', 'class_', 'n2nd', 'raw_')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", _parted(key).lower()).strip("_")[:60] or "field"
    name = plain if plain[0].isalpha() else f"n{plain}"
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def levels(values: Iterable[Any]) -> tuple[str, ...]:
    """A target's classes as texts, sorted."""
    return tuple(sorted({str(v) for v in values}))


def _parted(key: str) -> str:
    """`dropOff` as `drop_Off`, `HTTPCode` as it is."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)


def _parts(found: Iterable[Seen], within: str, left_out: list[LeftOut]) -> tuple[Part, ...]:
    parts: dict[str, Part] = {}
    for value in found:
        name = _free(within + named(value.path[-1]), parts)
        made = (
            _part(value, name, left_out)
            if value.path[-1] and well_formed(value.path[-1])
            else "an empty key, or one with NUL or half a character"
        )
        if isinstance(made, str):
            left_out.append(LeftOut(".".join(value.path), made))
        else:
            parts[name] = made
    return tuple(parts.values())


def _free(name: str, taken: Mapping[str, Part]) -> str:
    """`name`, with a number behind it where another key has the same."""
    names = (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3)))
    return next(n for n in names if n not in taken)


def _part(found: Seen, name: str, left_out: list[LeftOut]) -> Part | str:
    """The field or object; a text says why it can be none."""
    kinds = found.kinds()
    source = None if name.rpartition(".")[2] == found.path[-1] else found.path[-1]
    nullable = found.missing > 0
    if not kinds:
        return "null in every row"
    if kinds == {dict}:
        return _object(found, Object(name, (), nullable, source=source), left_out)
    if kinds == {list}:
        return _array(found, Field(name, Type.STRINGS, source=source), nullable)
    if kinds == {str} and not any(len(v) <= LONGEST_TEXT and well_formed(v) for v in found.values):
        return f"no text of at most {LONGEST_TEXT} characters without NUL"
    for types, make in _SCALARS:
        if kinds <= types:
            return make(found, Field(name, Type.STRING, nullable, source=source))
    return f"of several types: {', '.join(sorted(k.__name__ for k in kinds))}"


def _object(found: Seen, made: Object, left_out: list[LeftOut]) -> Part | str:
    if len(found.path) >= DEEPEST_FIELD:
        return f"nested deeper than {DEEPEST_FIELD} names"
    inner = [Seen((*found.path, *part.path), part.values, part.missing) for part in seen(found.values)]
    parts = _parts(inner, f"{made.name}.", left_out)
    return (
        Object(made.name, parts, made.nullable, source=made.source) if parts else "an object without fields"
    )


def _array(found: Seen, base: Field, nullable: bool) -> Part | str:
    items = Seen(found.path, [item for value in found.values for item in value])
    longest = max(map(len, found.values))
    most = _power(4 * longest, MOST_ITEMS)
    for types, make in _SCALARS:
        if items.values and items.kinds() <= types and types is not _BOOLS:
            item = make(items, base)
            kind = Type.STRING if item.type not in ARRAYS else item.type
            bounds = {"min": item.min, "max": item.max, "max_length": item.max_length}
            return _with(base, type=ARRAYS[kind], nullable=nullable, max_items=most, **bounds)
    return "a list whose items are no texts or numbers, or that is always empty"


def _bool(_: Seen, base: Field) -> Field:
    return _with(base, type=Type.BOOL)


def _long(found: Seen, base: Field) -> Field:
    if not all(LONG_MIN <= v <= LONG_MAX for v in found.values):
        return _double(found, base)
    low, high = (int(bound) for bound in widened(min(found.values), max(found.values)))
    bounds = {"min": max(low, LONG_MIN), "max": min(high, LONG_MAX)}
    return _with(base, type=Type.LONG, unit=_unit(base.name), **bounds)


def _double(found: Seen, base: Field) -> Field:
    low, high = (float(bound) for bound in widened(min(found.values), max(found.values)))
    bounds = {"min": low, "max": high} if max(abs(low), abs(high)) < UNBOUNDED else {}
    return _with(base, type=Type.DOUBLE, unit=_unit(base.name), **bounds)


def _text(found: Seen, base: Field) -> Field:
    values: list[str] = found.values
    if all(instant(v) is not None for v in values):
        return _with(base, type=Type.TIMESTAMP)
    if all(v.lstrip("-").startswith("P") and span(v) is not None for v in values):
        return _with(base, type=Type.DURATION)
    longest = _power(max(2 * max(map(len, values)), LEAST_LENGTH), LONGEST_TEXT)
    base = _with(base, max_length=longest, format=_format(values))
    distinct = found.distinct()
    if not _repeats(distinct, len(values)):
        return _with(base, type=Type.STRING)
    most = _power(max(4 * distinct, LEAST_LEVELS), MOST_LEVELS)
    return _with(base, type=Type.CATEGORY, max_levels=most)


def _repeats(distinct: int, rows: int) -> bool:
    """Whether so many distinct texts in so many rows are levels."""
    few = distinct <= FEW_LEVELS or distinct <= LEVEL_SHARE * rows
    return distinct <= MOST_LEVELS and few and (distinct < rows or rows == 1)


_BOOLS: frozenset[type] = frozenset({bool})
_SCALARS: tuple[tuple[frozenset[type], Callable[[Seen, Field], Field]], ...] = (
    (_BOOLS, _bool),
    (frozenset({int}), _long),
    (frozenset({int, float}), _double),
    (frozenset({str}), _text),
)
"""What the values are, and how a field is made of them; the first that fits."""


def widened(low: float, high: float) -> tuple[float, float]:
    """A range by its own span wider on both sides, outward to two digits; one sign stays one sign.

    >>> widened(7.0, 28.1), widened(-3, 5), widened(0.05, 0.16), widened(4, 4)
    ((0, 50.0), (-11.0, 13.0), (0, 0.27), (0, 8.0))
    """
    span = (high - low) or abs(high) or 1.0
    least, most = _outward(low - span, math.floor), _outward(high + span, math.ceil)
    return (0 if low >= 0 else least), (0 if high <= 0 and low < 0 else most)


def _outward(bound: float, rounded: Callable[[float], int]) -> float:
    if abs(bound) >= UNBOUNDED:
        return bound
    if abs(bound) < SMALLEST:
        return math.copysign(SMALLEST, bound) if rounded(bound) else 0.0
    step = 10.0 ** (math.floor(math.log10(abs(bound))) - 1)
    # Through a decimal text: 27 * 0.01 is not 0.27.
    return float(f"{rounded(bound / step) * step:.12g}")


def _format(values: Sequence[str]) -> str | None:
    """Of formats that say much: a country's two letters may well be anything."""
    telling = [formats.BY_NAME[name] for name in ("uuid", "date", "email", "ipv4")]
    return next((f.name for f in telling if all(re.fullmatch(f.pattern, v) for v in values)), None)


def _unit(name: str) -> str | None:
    """The unit that ends a name, such as amount_eur; a single letter says too little."""
    ending = name.rpartition("_")[2]
    units = {u.lower().replace("/", ""): u for u in UNITS if len(u) > 1}
    return units.get({"pct": "percent"}.get(ending, ending)) if "_" in name else None


def _power(number: int, most: int) -> int:
    """The next power of two, at most `most`."""
    return min(most, 1 << max(0, number - 1).bit_length())


def _with(base: Field, **changed: Any) -> Field:
    return Field(**{**vars(base), **changed})
