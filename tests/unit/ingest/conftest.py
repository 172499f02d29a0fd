"""A small season: flights at wall times of July 2013, under the plan of a winter's day in 2026."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from hotpath.clock import SECOND, Micros
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.settings import PROJECT
from ingest.flights import Flights, Stranger
from ingest.plan import Plan, plan
from ingest.season import Flight
from ingest.weather import WEATHER_COLUMNS, Weather

_TYPES = {"origin": pa.string(), **dict.fromkeys(("year", "month", "day", "hour"), pa.int64())}

At = Callable[[str], Micros]
Season = Callable[..., Flights]
Scheduled = Callable[..., Flight]
Observed = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def at() -> At:
    """An instant from ISO text in UTC."""
    return lambda text: int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The contract that ships."""
    return load(PROJECT / "config" / "pipelines" / "flights.yaml")


@pytest.fixture
def winter(at: At) -> Plan:
    """2013-07-09 is played on 2026-11-20."""
    return plan(at("2026-11-20 21:30"))


@pytest.fixture
def scheduled() -> Scheduled:
    """A flight of two hours that lands in time, but for what is said otherwise."""

    def make(departs: str, carrier: str = "UA", number: int = 1, arrival_delay: int | None = 0) -> Flight:
        wall = datetime.fromisoformat(departs)
        return Flight(wall, carrier, number, "EWR", "ORD", 719.0, block=120, arrival_delay=arrival_delay)

    return make


@pytest.fixture
def observed() -> Observed:
    """Weather rows: (wall time at EWR, values that are not null)."""

    def make(*rows: tuple[str, dict[str, float]]) -> pa.Table:
        walls = [(datetime.fromisoformat(wall), values) for wall, values in rows]
        empty = dict.fromkeys(WEATHER_COLUMNS)
        return pa.Table.from_pylist(
            [
                {
                    **empty,
                    "origin": "EWR",
                    **{n: getattr(w, n) for n in ("year", "month", "day", "hour")},
                    **v,
                }
                for w, v in walls
            ],
            schema=pa.schema([(n, _TYPES.get(n, pa.float64())) for n in WEATHER_COLUMNS]),
        )

    return make


@pytest.fixture
def season(winter: Plan, contract: Contract, observed: Observed) -> Season:
    """The flights given, under the winter's plan, in the fields of the contract."""

    def make(
        *flights: Flight, weather: pa.Table | None = None, strangers: Sequence[Stranger] = ()
    ) -> Flights:
        def on(day: date) -> list[Flight]:
            return [f for f in flights if f.departs.date() == day]

        known = Weather(observed() if weather is None else weather, winter, contract.events.fields)
        return Flights(on, known, winter, contract.events, contract.labels, strangers)

    return make
