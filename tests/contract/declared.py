"""Generated declarations of fields, and values as they come: right ones, nearly right ones, and anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from hotpath.contract.checks import check
from hotpath.contract.formats import FORMATS
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Object, Part, Source
from hotpath.contract.times import INSTANT, SPAN
from hotpath.contract.types import ITEMS, LONG_MAX, LONG_MIN, Type
from hotpath.errors import BadInput
from tests.contract.samples import small

VALUES = (*ITEMS.values(), *ITEMS, Type.CATEGORY, Type.BOOL, Type.TIMESTAMP, Type.DURATION)
WORDS = ("", "a", "UA", "ua", "Zürich", "\U0001f6eb", "a\n")
# The traps: bools that are ints, floats that are whole, numbers no type holds, texts that no file holds.
JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 0.5, -0.0, nan, inf, 1e308, 2**63, -(2**63), 2**63 - 1, 10**400,
    "", "1", "true", "null", "\0", "\ud800", "a\0b", "UA\n", "x" * 9, "2026-01-01", "PT", "P",
    [], {}, [None], ["a"], [1], [1.5], [True], [[]], {"a": 1},
)  # fmt: skip
INSTANTS = (
    "2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "1999-12-31T23:30:00-01:00",
    "2099-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2100-01-01T00:30:00+01:00", "2026-02-30T00:00:00Z",
    "2024-02-29T12:00:00.123456789+05:30", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00z", "2026-01-01T00:00:00Z\n", "2026-01-01T00:00:00+24:00", "2026-01-01T24:00:00Z",
    "2026-06-30T23:59:60Z",
)  # fmt: skip
SPANS = (
    "PT0S", "-PT0S", "P1DT2H", "PT90S", "-PT5M", "PT0.0000019S", "P36525D", "P36525DT0.000001S", "P36526D",
    "PT3155760000S", "PT3155760001S", "P1W", "P1M", "P1Y", "PT1,5S", "+PT1S", "P1D\n", "PT1.5M",
)  # fmt: skip


def taken(decode: Callable[[Any], object], value: object) -> bool:
    """Whether a check or decoder takes a value."""
    try:
        decode(value)
    except BadInput:
        return False
    return True


anything = st.sampled_from(JUNK) | st.integers() | st.floats() | st.text(max_size=5) | st.booleans()
"""A JSON value of any kind, and what only Python's reader takes for one."""


@cache
def fields(name: str = "f", types: tuple[Type, ...] = VALUES) -> st.SearchStrategy[Field]:
    """A declared field of each type with each option."""
    return st.sampled_from(sorted(types)).flatmap(lambda kind: _field(name, kind))


@cache  # to build a strategy costs more than to draw from it
def right(field: Field) -> st.SearchStrategy[Any]:
    """A value that the field takes."""
    plain = _LIKELY[field.type](field).filter(lambda value: taken(check(field), value))
    return plain | st.none() if field.nullable else plain


@cache
def near(field: Field) -> st.SearchStrategy[Any]:
    """A value for a field: right, at its edges, or of another kind."""
    return st.one_of(right(field), right(field), _LIKELY[field.type](field), st.none() | anything)


@cache
def parts(prefix: str = "", depth: int = 2) -> st.SearchStrategy[tuple[Part, ...]]:
    """Fields and objects of a record, some under another key."""
    names = st.lists(st.sampled_from("abcd"), unique=True, min_size=1, max_size=3).map(sorted)
    return names.flatmap(lambda found: st.tuples(*[_part(prefix + name, depth) for name in found]))


@st.composite
def records(draw: st.DrawFn, declared: Sequence[Part]) -> dict[str, Any]:
    """A record of such parts: right, or with up to two keys missing or values that are only near."""
    found = {part.key: draw(_right_part(part)) for part in declared}
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        part = draw(st.sampled_from(declared))
        found.pop(part.key, None)
        if draw(st.booleans()):
            found[part.key] = draw(_near_part(part))
    return {**draw(_unknown), **found}


_UNKNOWN: tuple[dict[str, Any], ...] = ({}, {}, {}, {}, {"z": 1}, {"a.b": None}, {"A": "x"})
_unknown = st.sampled_from(_UNKNOWN)


def _part(name: str, depth: int) -> st.SearchStrategy[Part]:
    key = st.sampled_from([None, name.rpartition(".")[2].upper() + "_"])
    leaf = st.builds(lambda field, source: replace(field, source=source), fields(name), key)
    if not depth:
        return leaf
    within = parts(f"{name}.", depth - 1)
    return leaf | st.builds(
        lambda inner, nullable, source: Object(name, inner, nullable, source=source),
        within,
        st.booleans(),
        key,
    )


@cache
def _right_part(part: Part) -> st.SearchStrategy[Any]:
    if isinstance(part, Field):
        return right(part)
    inner = st.fixed_dictionaries({within.key: _right_part(within) for within in part.parts})
    return inner | st.none() if part.nullable else inner


def _near_part(part: Part) -> st.SearchStrategy[Any]:
    return (
        near(part) if isinstance(part, Field) else records(part.parts) | st.sampled_from([None, [], "x", {}])
    )


@st.composite
def _field(draw: st.DrawFn, name: str, kind: Type) -> Field:
    field = Field(name, kind, **draw(_options(ITEMS.get(kind, kind))))
    if kind in ITEMS:
        field = replace(field, max_items=draw(st.integers(1, 3)))
    standing = draw(st.sampled_from(["nothing", "null", "default"]))
    if standing == "default" and kind not in ITEMS:
        return replace(field, default=draw(right(field)))
    return replace(field, nullable=standing == "null")


@cache
def _options(kind: Type) -> st.SearchStrategy[dict[str, Any]]:
    if kind in (Type.STRING, Type.CATEGORY):
        length = st.fixed_dictionaries({}, optional={"max_length": st.integers(1, 8)})
        formats = st.fixed_dictionaries(
            {"format": st.sampled_from([f.name for f in FORMATS])}, optional={"max_length": st.just(40)}
        )
        levels = st.lists(st.sampled_from(WORDS[1:6]), unique=True, min_size=2).map(sorted).map(tuple)
        closed = st.fixed_dictionaries({"levels": levels})
        return length | formats | (closed if kind == Type.CATEGORY else length)
    low, high = st.integers(-9, 0), st.integers(0, 9)
    bounds: dict[Type, dict[str, st.SearchStrategy[Any]]] = {
        Type.LONG: {"min": low, "max": high},
        Type.DOUBLE: {"min": low.map(lambda n: n / 7), "max": high, "unit": st.just("km")},
    }
    return st.fixed_dictionaries({}, optional=bounds.get(kind, {}))


def _text(field: Field) -> st.SearchStrategy[Any]:
    if field.levels:
        return st.sampled_from(field.levels)
    if field.format:
        pattern = next(f.pattern for f in FORMATS if f.name == field.format)
        return st.from_regex(pattern, fullmatch=True).filter(lambda text: len(text) <= field.max_length)
    longest = field.max_length
    return st.sampled_from(WORDS) | st.text("ab\n", min_size=longest - 1, max_size=longest + 1)


def _long(field: Field) -> st.SearchStrategy[Any]:
    low, high = LONG_MIN if field.min is None else field.min, LONG_MAX if field.max is None else field.max
    return st.sampled_from([low, high]) | st.integers(int(low), int(high))


def _double(field: Field) -> st.SearchStrategy[Any]:
    low, high = -9.0 if field.min is None else field.min, 9.0 if field.max is None else field.max
    return st.sampled_from([low, high, 0]) | st.floats(low, high, allow_nan=False)


def _array(field: Field) -> st.SearchStrategy[Any]:
    item, longest = right(replace(field, type=ITEMS[field.type], nullable=False)), field.max_items
    return st.lists(item, min_size=longest, max_size=longest + 1) | st.lists(
        item | anything, max_size=longest
    )


_written = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.timezones()).map(
    datetime.isoformat
)
_instants = st.sampled_from(INSTANTS) | _written | st.from_regex(INSTANT, fullmatch=True)
_spans = st.sampled_from(SPANS) | st.from_regex(SPAN, fullmatch=True)
_LIKELY = {
    Type.STRING: _text,
    Type.CATEGORY: _text,
    Type.BOOL: lambda _: st.booleans(),
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.TIMESTAMP: lambda _: _instants,
    Type.DURATION: lambda _: _spans,
    Type.STRINGS: _array,
    Type.LONGS: _array,
    Type.DOUBLES: _array,
}


def asking(declared: tuple[Part, ...], unknown: str = "refuse") -> Contract:
    """The small contract with more fields; parameters are called and declared like them."""
    base = small()
    leaves = Source("t", "e", declared).fields
    return replace(
        base,
        events=replace(base.events, parts=(*base.events.parts, *declared)),
        serve=replace(base.serve, parameters=leaves, unknown=unknown),  # type: ignore[arg-type]
    )


def rows(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
    """A row of a request, by dotted names: right, nearly right, or not."""
    return records([replace(f, name=f.name, source=f.name) for f in contract.events.fields])
