"""The recorded flights: the derived arrival is the one that the data itself shows."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingest import nycflights
from ingest.plan import NEW_YORK
from ingest.season import Flight, block_minutes, days, zone_difference


@pytest.fixture(scope="module")
def tables() -> nycflights.Tables:
    return nycflights.read(("arr_time",))


@pytest.mark.parametrize(
    "day",
    [
        date(2013, 7, 9),
        date(2013, 11, 2),  # the night in which clocks go back
        date(2013, 11, 3),
        date(2013, 12, 31),  # over midnight into another year
    ],
)
def test_the_derived_arrival_is_the_recorded_one_on_the_destinations_clock(
    tables: nycflights.Tables, day: date
) -> None:
    flights = days(tables.flights, tables.zones)(day)
    recorded = [
        row["arr_time"]
        for row in tables.flights.to_pylist()
        if (row["year"], row["month"], row["day"]) == (day.year, day.month, day.day)
    ]
    landed = [(f, hhmm) for f, hhmm in zip(flights, recorded, strict=True) if f.arrival_delay is not None]
    assert len(landed) > 500
    wrong = [(f, hhmm) for f, hhmm in landed if _arrival(f, tables.zones[f.dest]) != hhmm % 2400]
    assert wrong == []


def _arrival(flight: Flight, zone: str) -> int:
    departs = flight.departs.replace(tzinfo=NEW_YORK).astimezone(UTC)
    lands = departs + timedelta(minutes=flight.block + (flight.arrival_delay or 0))
    wall = lands.astimezone(ZoneInfo(zone))
    return wall.hour * 100 + wall.minute


@pytest.mark.parametrize(
    ("departure", "arrival", "ahead", "minutes"),
    [
        (515, 819, -60, 244),  # New York to Houston
        (2359, 345, 0, 226),  # over midnight
        (2000, 2345, -180, 405),
        (900, 1530, -300, 690),  # Honolulu in summer: 11 h 30
    ],
)
def test_the_block_time_of_two_wall_times(departure: int, arrival: int, ahead: int, minutes: int) -> None:
    assert block_minutes(departure, arrival, ahead) == minutes


@pytest.mark.parametrize(
    ("zone", "day", "minutes"),
    [
        ("America/Phoenix", date(2013, 7, 9), -180),  # Arizona has no summer time
        ("America/Phoenix", date(2013, 12, 9), -120),
        ("America/Puerto_Rico", date(2013, 12, 9), 60),
    ],
)
def test_the_difference_of_two_zones_is_that_of_the_day(zone: str, day: date, minutes: int) -> None:
    assert zone_difference(zone, day) == minutes


def test_nothing_of_the_future_is_read_but_the_arrivals_delay() -> None:
    assert not {"dep_time", "dep_delay", "air_time", "arr_time"} & set(nycflights.read().flights.column_names)
