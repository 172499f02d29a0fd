"""The flights of 2013 by day, from the tables of the data.

Pure on tables. What only the future knows (`dep_delay`, `dep_time`, `air_time`, `arr_time`) is not even
read, but for the arrival's delay, which labels alone use.

The instant of arrival is scheduled departure + scheduled block time + arrival delay. The block time comes
from the two scheduled wall times: the arrival's is the destination's, so the zones' difference is taken off,
and every block is shorter than a day, so a remainder undoes midnight. The data agrees: an arrival derived so
stands as `arr_time` on the destination's clock for each of the 327,346 flights that have one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ingest.plan import NEW_YORK

FLIGHT_COLUMNS = (
    "year", "month", "day", "sched_dep_time", "sched_arr_time", "arr_delay",
    "carrier", "flight", "origin", "dest", "distance",
)  # fmt: skip
"""As much of flights.csv as is read; times are HHMM on the airport's clock."""

CARIBBEAN = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
"""Destinations that airports.csv does not know."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight as scheduled (`departs`: wall time in New York; miles; `block` in minutes), and how it ended.

    `arrival_delay` in minutes; None for one that was cancelled or diverted: it never gets a label.
    """

    departs: datetime
    carrier: str
    number: int
    origin: str
    dest: str
    distance: float
    block: int
    arrival_delay: int | None


Days = Callable[[date], Sequence[Flight]]
"""The flights that were scheduled to depart on a date of the data."""


def days(flights: pa.Table, zones: Mapping[str, str]) -> Days:
    """`flights`: a table with `FLIGHT_COLUMNS`; `zones`: time zone by airport."""

    def on(day: date) -> list[Flight]:
        same = (pc.equal(flights[name], getattr(day, name)) for name in ("day", "month", "year"))
        mask = next(same)
        for more in same:
            mask = pc.and_(mask, more)
        return [_flight(row, zones) for row in flights.filter(mask).to_pylist()]

    return on


def _flight(row: Mapping[str, Any], zones: Mapping[str, str]) -> Flight:
    day = date(row["year"], row["month"], row["day"])
    ahead = zone_difference(zones[row["dest"]], day)
    return Flight(
        departs=datetime.combine(day, time(*divmod(row["sched_dep_time"], 100))),
        carrier=row["carrier"],
        number=row["flight"],
        origin=row["origin"],
        dest=row["dest"],
        distance=float(row["distance"]),
        block=block_minutes(row["sched_dep_time"], row["sched_arr_time"], ahead),
        arrival_delay=row["arr_delay"],
    )


@lru_cache(maxsize=4096)
def zone_difference(zone: str, day: date) -> int:
    """Minutes by which the clocks of `zone` are ahead of New York's, at noon of `day`."""
    noon = datetime.combine(day, time(12), UTC)
    there, here = (noon.astimezone(z).utcoffset() or timedelta() for z in (ZoneInfo(zone), NEW_YORK))
    return int((there - here).total_seconds()) // 60


def block_minutes(departure: int, arrival: int, ahead: int) -> int:
    """Minutes from a scheduled departure to the arrival, both as wall times HHMM.

    `ahead`: minutes by which the destination's clocks are ahead of the origin's.
    """
    return (_minutes(arrival) - _minutes(departure) - ahead) % (24 * 60)


def _minutes(hhmm: int) -> int:
    return hhmm // 100 * 60 + hhmm % 100
