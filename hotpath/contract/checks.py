"""What a value of a field must be: one check a field, composed once, for events, labels and requests.

A check returns the decoded value or raises BadInput with the field's name; its `expected` is short and
the same for every value, so that a reason can be made of it that never echoes the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hotpath.clock import Micros
from hotpath.contract.parts import Events, Field, Labels
from hotpath.contract.types import (
    DOUBLE_MAX,
    EARLIEST,
    EPOCH,
    LATEST,
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

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_AN_INSTANT = "an RFC 3339 instant with a zone, 2000 to 2099"


def checks(source: Events | Labels) -> dict[str, Check]:
    """The check of each field, by its name."""
    return {f.name: _check(f, f.name in source.never_empty) for f in source.fields}


def _check(field: Field, never_empty: bool) -> Check:
    """`never_empty`: "" is no value."""
    checked = _CHECKS[field.type](field, never_empty)
    return (lambda value: None if value is None else checked(value)) if field.nullable else checked


def instant(text: str) -> Micros | None:
    """An RFC 3339 instant with a zone as µs; None where `text` is none. Digits beyond the µs are cut."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except (ValueError, OverflowError):
        return None
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return micros if EARLIEST <= micros < LATEST else None


def _wrong(field: Field, value: Any, expected: str) -> BadInput:
    return BadInput(field.name, value, "a value" if value is None else expected)


def _text(field: Field, never_empty: bool) -> Check:
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
    def timestamp(value: Any) -> Value:
        found = instant(value) if type(value) is str else None
        if found is None:
            raise _wrong(field, value, _AN_INSTANT)
        return found

    return timestamp


_CHECKS: dict[Type, Callable[[Field, bool], Check]] = {
    Type.STRING: _text,
    Type.CATEGORY: _text,
    Type.BOOL: _bool,
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.TIMESTAMP: _timestamp,
}
