"""A contract's durations: 90s, 30m, 24h, 30d. Text to µs and back."""

from __future__ import annotations

import re

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")


def span_of(text: str) -> Micros | None:
    """What `text` says in µs; None where it says no duration."""
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def duration_text(span: Micros) -> str:
    """The shortest text that `span_of` reads as `span` (a whole number of seconds)."""
    unit = next(u for u in ("d", "h", "m", "s") if span % _UNITS[u] == 0)
    return f"{span // _UNITS[unit]}{unit}"
