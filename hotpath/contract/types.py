"""The types of a contract's fields and expressions, and their limits.

Owns names and bounds; checks of values are in checks.py, meaning of operations in functions.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hotpath.clock import Micros

Value = str | bool | int | float | None
"""A decoded value: timestamps are µs since 1970 UTC, null is None."""

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
EARLIEST: Micros = 946_684_800_000_000
"""2000-01-01T00:00:00Z: no instant is earlier. Seconds or zero sent as an instant fall below it."""
LATEST: Micros = 4_102_444_800_000_000
"""2100-01-01T00:00:00Z: every instant is before it."""
LONGEST_TEXT = 256
"""Characters of a string or category that states no `max_length`."""
MOST_LEVELS = 1024
"""Levels of a category that states no `max_levels` (H2O's own default for splits)."""


class Type(StrEnum):
    """What a value may be. ZONE is only the type of a function's argument, never of a value."""

    STRING = "string"
    CATEGORY = "category"
    BOOL = "bool"
    LONG = "long"
    DOUBLE = "double"
    TIMESTAMP = "timestamp"
    ZONE = "time zone"


@dataclass(frozen=True)
class FieldType:
    """A row of the reference: what stands on the wire, which options a field of it may have."""

    type: Type
    wire: str
    options: tuple[str, ...]
    feature: bool


FIELD_TYPES = (
    FieldType(Type.STRING, "JSON string, well-formed, without NUL", ("max_length",), False),
    FieldType(
        Type.CATEGORY, "the same; one of a limited number of levels", ("max_length", "max_levels"), True
    ),
    FieldType(Type.BOOL, "`true` or `false`", (), True),
    FieldType(Type.LONG, "JSON number without fraction or exponent, 64 bits", ("min", "max", "unit"), True),
    FieldType(Type.DOUBLE, "JSON number, finite", ("min", "max", "unit"), True),
    FieldType(Type.TIMESTAMP, "RFC 3339 string with `T` and a zone, 2000 to 2099; kept to the µs", (), False),
)

UNITS = (
    "mi", "km", "m", "ft", "in", "mm", "mph", "km/h", "m/s", "kn", "degF", "degC", "hPa", "percent",
    "s", "min", "h", "d", "USD", "EUR", "GBP", "count",
)  # fmt: skip
"""Units a number may state. They are documentation that travels: nothing is converted."""
