"""Instants, durations and the clocks of time zones."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from typing import Any

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.contract.functions.entry import Function, at, ex, spark_texts
from hotpath.contract.types import EARLIEST, EPOCH, LATEST, LONG_MAX, LONG_MIN, Type, Value
from hotpath.contract.zones import CHUNK_BITS, Zone

TIMESTAMP, DURATION, DOUBLE, LONG = Type.TIMESTAMP, Type.DURATION, Type.DOUBLE, Type.LONG

_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_MONDAY_BEFORE_EPOCH = 3
"""1970 began on a Thursday, three days after a Monday."""
_NEW_YEARS = tuple(date(year, 1, 1).toordinal() - EPOCH.toordinal() for year in range(1999, 2102))
"""Days from the epoch to each first of January that a local clock may show."""


def span(text: str) -> Micros | None:
    """The µs of a text such as 90s, 30m, 24h or 30d; None where it is none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def _span(text: str) -> Callable[[], Value]:
    return lambda: span(text)


def _a_span(text: str) -> str:
    return "a span like 90s, 30m, 24h or 30d" if span(text) is None else ""


def _per(unit: Micros) -> Callable[[Micros], float]:
    size = float(unit)
    return lambda d: float(d) / size


def _spark_per(unit: Micros) -> Callable[..., Any]:
    return lambda F, d: d.cast("double") / F.lit(float(unit))


def _between(unit: Micros) -> Callable[[Micros, Micros], Value]:
    size = float(unit)

    def between(a: Micros, b: Micros) -> Value:
        d = b - a
        return float(d) / size if LONG_MIN <= d <= LONG_MAX else None

    return between


def _spark_between(unit: Micros) -> Callable[..., Any]:
    return lambda F, a, b: F.try_subtract(b, a).cast("double") / F.lit(float(unit))


def _on_the_clock(read: Callable[[Micros], Value]) -> Callable[[Zone], Callable[[Micros], Value]]:
    """The row rendering of what `read` makes of local time (µs since 1970 on the zone's clocks)."""

    def of(zone: Zone) -> Callable[[Micros], Value]:
        starts, offsets = zone.starts, zone.offsets

        def local(instant: Micros) -> Value:
            if EARLIEST <= instant < LATEST:
                return read(instant + offsets[bisect_right(starts, instant) - 1])
            return None

        return local

    return of


def _spark_on_the_clock(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Zone], Any]:
    # By the package's table, because from_utc_timestamp() would ask the JVM's own rules; looked up by chunk,
    # because Spark has no search in an array.
    def of(F: Any, micros: Any, zone: Zone) -> Any:
        changes, offsets = (spark_texts(F, numbers).cast("array<bigint>") for numbers in zone.chunks)
        known = (micros >= F.lit(EARLIEST)) & (micros < F.lit(LATEST))
        chunk = F.when(known, F.shiftright(F.try_subtract(micros, F.lit(EARLIEST)), CHUNK_BITS).cast("int"))
        before = micros < F.get(changes, chunk)
        return read(F, micros + F.get(offsets, F.when(before, chunk).otherwise(chunk + F.lit(1))))

    return of


def _hour(local: Micros) -> Value:
    return local // HOUR % 24


def _spark_hour(F: Any, local: Any) -> Any:
    return F.floor(F.pmod(local, F.lit(DAY)) / F.lit(HOUR))


def _weekday(local: Micros) -> int:
    return (local // DAY + _MONDAY_BEFORE_EPOCH) % 7 + 1


def _spark_day(F: Any, local: Any) -> Any:
    # Exact: below 2^53, and a day's last µs is farther from the next whole number than a double's step there.
    return F.floor(local / F.lit(DAY))


def _spark_weekday(F: Any, local: Any) -> Any:
    return F.pmod(_spark_day(F, local) + F.lit(_MONDAY_BEFORE_EPOCH), F.lit(7)) + F.lit(1)


def _day_of_year(local: Micros) -> Value:
    day = local // DAY
    return day - _NEW_YEARS[bisect_right(_NEW_YEARS, day) - 1] + 1


def _spark_day_of_year(F: Any, local: Any) -> Any:
    return F.dayofyear(F.date_from_unix_date(_spark_day(F, local).cast("int"))).cast("bigint")


_SINCE = (((TIMESTAMP, TIMESTAMP), DOUBLE),)
_OF_DURATION = (((DURATION,), DOUBLE),)
_IN_ZONE = (((TIMESTAMP, Type.ZONE), LONG),)
_SPRING = at("2013-03-10T06:59:59.999999Z")
_MOMENTS = {"a": at("2013-07-09T08:00:00Z"), "b": at("2013-07-09T09:30:30Z")}

TIMES: tuple[Function, ...] = (
    Function(
        "minutes_between", _SINCE, _between(MINUTE), _spark_between(MINUTE),
        "Minutes from the first instant to the second, negative where the second is earlier; not rounded.",
        (ex("minutes_between(a, b)", 90.5, **_MOMENTS),),
        bounded=True,
    ),
    Function(
        "hours_until", (((TIMESTAMP,), DOUBLE),), _between(HOUR), _spark_between(HOUR),
        "Hours from the event's own time field to an instant, negative where it has passed; not rounded.",
        (ex("hours_until(b)", 1.5, event_time=at("2013-07-09T08:00:00Z"), b=at("2013-07-09T09:30:00Z")),),
        implied="time", bounded=True,
    ),
    Function(
        "minutes", _OF_DURATION, _per(MINUTE), _spark_per(MINUTE),
        "A duration as a number of minutes; not rounded.",
        (ex("minutes(b - a)", 90.5, **_MOMENTS),),
        bounded=True,
    ),
    Function(
        "hours", _OF_DURATION, _per(HOUR), _spark_per(HOUR),
        "A duration as a number of hours; not rounded.",
        (ex('hours(b + span("90m") - b)', 1.5, b=_MOMENTS["b"]),),
        bounded=True,
    ),
    Function(
        "span", (((Type.STRING,), DURATION),), _span, lambda F, text: F.lit(span(text)).cast("bigint"),
        "A literal duration: a whole number of `s`, `m`, `h` or `d`.",
        (ex('b - a < span("90m")', False, **_MOMENTS),),
        fixed=slice(0, None), check=_a_span, bounded=True,
    ),
    Function(
        "hour", _IN_ZONE, _on_the_clock(_hour), _spark_on_the_clock(_spark_hour),
        "Hour of the day, 0 to 23, on the clocks of a time zone, written as a text: an IANA name such as"
        ' "America/New_York", or "UTC". Daylight saving as in the pinned tzdata package, in Spark too.'
        " Instants before 2000 or after 2099: null, as in the three that follow.",
        (
            ex('hour(a, "America/New_York")', 1, a=_SPRING),
            ex('hour(a, "America/New_York")', 3, a=at("2013-03-10T07:00:00Z")),
            ex('hour(a, "Asia/Kolkata")', 5, a=at("2013-07-09T00:00:00Z")),
            ex('hour(a + span("99999d"), "Asia/Kolkata")', None, a=at("2013-07-09T00:00:00Z")),
        ),
        bounded=True, fixed=slice(1, None), reuses=(TIMESTAMP,),
    ),
    Function(
        "weekday", _IN_ZONE, _on_the_clock(_weekday), _spark_on_the_clock(_spark_weekday),
        "Day of the week there, from 1 (Monday) to 7 (Sunday).",
        (
            ex('weekday(a, "America/New_York")', 7, a=_SPRING),
            ex('weekday(a, "Pacific/Apia")', 6, a=at("2011-12-30T10:00:00Z")),
        ),
        bounded=True, fixed=slice(1, None), reuses=(TIMESTAMP,),
    ),
    Function(
        "day_of_year", _IN_ZONE, _on_the_clock(_day_of_year), _spark_on_the_clock(_spark_day_of_year),
        "Day of the year there, from 1 to 366.",
        (
            ex('day_of_year(a, "Europe/London")', 366, a=at("2024-12-31T12:00:00Z")),
            ex('day_of_year(a, "Asia/Tokyo")', 1, a=at("2024-12-31T15:00:00Z")),
        ),
        bounded=True, fixed=slice(1, None), reuses=(TIMESTAMP,),
    ),
    Function(
        "is_weekend", (((TIMESTAMP, Type.ZONE), Type.BOOL),),
        _on_the_clock(lambda local: _weekday(local) >= 6),
        _spark_on_the_clock(lambda F, local: _spark_weekday(F, local) >= F.lit(6)),
        "Whether it is Saturday or Sunday there.",
        (
            ex('is_weekend(a, "America/New_York")', True, a=_SPRING),
            ex('is_weekend(a, "Asia/Tokyo")', False, a=at("2013-03-10T15:00:00Z")),
        ),
        fixed=slice(1, None), reuses=(TIMESTAMP,),
    ),
)  # fmt: skip
