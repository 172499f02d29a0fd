"""Instants and durations as they travel: texts to whole µs. Pure; None where a text is none.

>>> span("-PT1M30.5S")
-90500000
"""

from __future__ import annotations

import re
from datetime import datetime

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.contract.types import EARLIEST, EPOCH, LATEST, LONGEST_SPAN

INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
"""RFC 3339's date-time with capital letters; a pattern that Python and ECMA 262 read alike, as the next."""
SPAN = r"-?P(?=[0-9T])([0-9]{1,5}D)?(T(?=[0-9])([0-9]{1,6}H)?([0-9]{1,8}M)?([0-9]{1,10}(\.[0-9]{1,9})?S)?)?"
"""ISO 8601's duration of days to seconds, the last with a fraction; a sign goes before it all."""

_INSTANT = re.compile(INSTANT)
_SPAN = re.compile(
    r"(?P<sign>-?)P(?:(?P<d>[0-9]+)D)?(?:T(?:(?P<h>[0-9]+)H)?(?:(?P<m>[0-9]+)M)?"
    r"(?:(?P<s>[0-9]+)(?:\.(?P<part>[0-9]+))?S)?)?"
)
_SHAPED = re.compile(SPAN)


def instant(text: str) -> Micros | None:
    """An RFC 3339 instant with a zone, 2000 to 2099, as µs. Digits beyond the µs are cut."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except (ValueError, OverflowError):
        return None
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return micros if EARLIEST <= micros < LATEST else None


def span(text: str) -> Micros | None:
    """An ISO 8601 duration of at most a hundred years as µs. Digits beyond the µs are cut, towards zero."""
    found = _SPAN.fullmatch(text) if _SHAPED.fullmatch(text) else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(found[part] or 0) for part in "dhms")
    fraction = int((found["part"] or "")[:6].ljust(6, "0"))
    micros = days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND + fraction
    return None if micros > LONGEST_SPAN else -micros if found["sign"] else micros
