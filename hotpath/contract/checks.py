"""What a value of a field must be: one check a field, composed once, wherever values come in or go out.

A check returns the decoded value or raises BadInput with the field's name; its `expected` is short and
the same for every value, so that a reason can be made of it that never echoes the value. Null is a value
like another: only a nullable field takes it. Where a field is absent its `default` is checked instead.

To add a field's option, add its check here, its words to schema.py, its key to keys.py: a test compares
the first two on generated values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hotpath.contract import formats
from hotpath.contract.parts import Field, Source
from hotpath.contract.times import instant, span
from hotpath.contract.types import (
    DOUBLE_MAX,
    ITEMS,
    LONG_MAX,
    LONG_MIN,
    WELL_FORMED,
    Type,
    Value,
    well_formed,
)
from hotpath.errors import BadInput

Check = Callable[[Any], Value]
"""A JSON value (None: null) to a decoded one."""


def checks(source: Source) -> dict[str, Check]:
    """The check of each field, by its name."""
    return {f.name: check(f, f.name in source.never_empty) for f in source.fields}


def check(field: Field, never_empty: bool = False) -> Check:
    """The check of one field; `never_empty`: "" is no value."""
    checked = _CHECKS[field.type](field, never_empty)
    return (lambda value: None if value is None else checked(value)) if field.nullable else checked


def default(field: Field) -> Value:
    """What an absent field is, decoded; None where it has no default."""
    return None if field.default is None else check(field)(field.default)


def _wrong(field: Field, value: Any, expected: str) -> BadInput:
    return BadInput(field.name, value, "a value" if value is None else expected)


def _text(field: Field, never_empty: bool) -> Check:
    if field.levels:
        return _level(field, never_empty)
    plain = _plain(field, never_empty)
    return _formatted(field, plain) if field.format else plain


def _plain(field: Field, never_empty: bool) -> Check:
    longest = field.max_length

    def text(value: Any) -> Value:
        if type(value) is not str:
            raise _wrong(field, value, "a text")
        if len(value) > longest:
            raise _wrong(field, value, f"at most {longest} characters")
        if not well_formed(value):
            raise _wrong(field, value, WELL_FORMED)
        if never_empty and not value:
            raise _wrong(field, value, "a text that is not empty")
        return value

    return text


def _level(field: Field, never_empty: bool) -> Check:
    known = frozenset(level for level in field.levels if level or not never_empty)

    def level(value: Any) -> Value:
        if type(value) is not str or value not in known:
            raise _wrong(field, value, "one of its levels")
        return value

    return level


def _formatted(field: Field, plain: Check) -> Check:
    entry = formats.BY_NAME[str(field.format)]
    matches = re.compile(entry.pattern).fullmatch

    def formatted(value: Any) -> Value:
        if not matches(str(plain(value))):
            raise _wrong(field, value, f"{entry.doc} ({entry.name})")
        return str(value)

    return formatted


def _bool(field: Field, _: bool) -> Check:
    def boolean(value: Any) -> Value:
        if type(value) is not bool:
            raise _wrong(field, value, "true or false")
        return value

    return boolean


def _long(field: Field, _: bool) -> Check:
    low = LONG_MIN if field.min is None else field.min
    high = LONG_MAX if field.max is None else field.max

    def long(value: Any) -> Value:
        if type(value) is not int:
            raise _wrong(field, value, "a whole number of 64 bits")
        if not low <= value <= high:
            raise _wrong(field, value, f"a whole number from {low} to {high}")
        return value

    return long


def _double(field: Field, _: bool) -> Check:
    low = -DOUBLE_MAX if field.min is None else field.min
    high = DOUBLE_MAX if field.max is None else field.max

    unbounded = field.min is None and field.max is None
    expected = "a finite number" if unbounded else f"a number from {low} to {high}"

    def double(value: Any) -> Value:
        if type(value) is not float and type(value) is not int:
            raise _wrong(field, value, "a number")
        if not low <= value <= high:
            raise _wrong(field, value, expected)
        # The sum makes -0.0 the ordinary zero: a sign no arithmetic shows must not change a fingerprint.
        return float(value) + 0.0

    return double


def _timestamp(field: Field, _: bool) -> Check:
    return _read(field, instant, "an RFC 3339 instant with a zone, 2000 to 2099")


def _duration(field: Field, _: bool) -> Check:
    return _read(field, span, "an ISO 8601 duration of days to seconds, at most a hundred years")


def _read(field: Field, reader: Callable[[str], int | None], expected: str) -> Check:
    def read(value: Any) -> Value:
        found = reader(value) if type(value) is str else None
        if found is None:
            raise _wrong(field, value, expected)
        return found

    return read


def _array(field: Field, _: bool) -> Check:
    longest = field.max_items
    item = check(replace(field, type=ITEMS[field.type], nullable=False))

    def array(value: Any) -> Value:
        if type(value) is not list:
            raise _wrong(field, value, "an array")
        if len(value) > longest:
            raise _wrong(field, value, f"at most {longest} items")
        try:
            return [item(one) for one in value]
        except BadInput as error:
            raise _wrong(field, value, f"items that are each {error.expected}") from None

    return array


_CHECKS: dict[Type, Callable[[Field, bool], Check]] = {
    Type.STRING: _text,
    Type.CATEGORY: _text,
    Type.BOOL: _bool,
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.TIMESTAMP: _timestamp,
    Type.DURATION: _duration,
    Type.STRINGS: _array,
    Type.LONGS: _array,
    Type.DOUBLES: _array,
}
