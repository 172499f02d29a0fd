"""The types of a contract's fields and expressions, and the limits of their values.

Owns names and bounds; checks of a field's values are in checks.py, meaning of operations in functions.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hotpath.clock import Micros

Scalar = str | bool | int | float | None
Value = Scalar | list[Any]
"""A decoded value: timestamps are µs since 1970 UTC, durations µs, arrays lists of scalars, null is None."""

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
DOUBLE_MAX = 1.7976931348623157e308
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST: Micros = 946_684_800_000_000
"""2000-01-01T00:00:00Z: no instant is earlier. Seconds or zero sent as an instant fall below it."""
LATEST: Micros = 4_102_444_800_000_000
"""2100-01-01T00:00:00Z: every instant is before it."""
LONGEST_TEXT = 256
"""Characters of a string or category that states no `max_length`."""
MOST_LEVELS = 1024
"""Levels of a category that states no `max_levels` (H2O's own default for splits)."""
MOST_ITEMS = 64
"""Items of an array that states no `max_items`."""
DEEPEST_FIELD = 4
"""Names of a nested field from the record's root on: a.b.c.d."""
LONGEST_SPAN: Micros = 36_525 * 86_400_000_000
"""A duration is at most a hundred years, either way."""
PIPELINE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""A pipeline names topics and folders, so its name holds no dot, slash or space."""


class Type(StrEnum):
    """What a value may be. From ZONE on: types of a function's argument, never of a value."""

    STRING = "string"
    CATEGORY = "category"
    BOOL = "bool"
    LONG = "long"
    DOUBLE = "double"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    STRINGS = "array of string"
    LONGS = "array of long"
    DOUBLES = "array of double"
    ZONE = "time zone"
    TABLE = "table"
    COLUMN = "table's column"
    LEVELS = "fitted levels"


ARRAYS = {Type.STRING: Type.STRINGS, Type.LONG: Type.LONGS, Type.DOUBLE: Type.DOUBLES}
"""The type of an array by that of its items."""
ITEMS = {array: item for item, array in ARRAYS.items()}
"""The type of an array's items by its own."""


@dataclass(frozen=True)
class FieldType:
    """A row of the reference: the value on the wire, options of such a field, and if a feature may be one."""

    type: Type
    wire: str
    options: tuple[str, ...]
    feature: bool


_TEXT = ("max_length", "format")
_NUMBER = ("min", "max", "unit")
FIELD_TYPES = (
    FieldType(Type.STRING, "JSON string, well-formed, without NUL", _TEXT, False),
    FieldType(
        Type.CATEGORY,
        "the same; one of a limited number of levels",
        ("max_length", "max_levels", "levels", "format"),
        True,
    ),
    FieldType(Type.BOOL, "`true` or `false`", (), True),
    FieldType(Type.LONG, "JSON number without fraction or exponent, 64 bits", _NUMBER, True),
    FieldType(Type.DOUBLE, "JSON number, finite", _NUMBER, True),
    FieldType(Type.TIMESTAMP, "RFC 3339 string with `T` and a zone, 2000 to 2099; kept to the µs", (), False),
    FieldType(Type.DURATION, "ISO 8601 string of days to seconds, such as `P1DT2H` or `-PT0.5S`", (), False),
    FieldType(
        Type.STRINGS, "JSON array of such strings, none of them null", ("of", "max_items", *_TEXT), False
    ),
    FieldType(Type.LONGS, "JSON array of such numbers", ("of", "max_items", *_NUMBER), False),
    FieldType(Type.DOUBLES, "JSON array of such numbers", ("of", "max_items", *_NUMBER), False),
)

UNITS = (
    "mi", "km", "m", "ft", "in", "mm", "mph", "km/h", "m/s", "kn", "degF", "degC", "hPa", "percent",
    "s", "min", "h", "d", "deg", "USD", "EUR", "GBP", "count",
)  # fmt: skip
"""Units a number may state. They are documentation that travels: nothing is converted."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> bool:
    """Whether every part can hold `text`: no NUL (C ends there), no lone surrogate (UTF-8 has none)."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


WELL_FORMED = "a text without NUL and lone surrogates"
"""What a text that is not `well_formed` should have been."""
