"""Places, and what a table that ships with the contract says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hotpath.contract.functions.angles import (
    DISTANCE_TOLERANCE,
    EARTH_KM,
    Point,
    distance,
    kilometres,
    point,
    spark_chord2,
    spark_distance,
    spark_kilometres,
    spark_point,
)
from hotpath.contract.functions.entry import Function, ex, let, spark_texts
from hotpath.contract.functions.nearest import nearest
from hotpath.contract.strict_yaml import nearest as nearest_name
from hotpath.contract.tables import Table, from_csv
from hotpath.contract.types import Type, Value

MOST_PLACES = 500
"""Of `nearest_km`: Spark looks at each of them for every row, at some 0.7 µs a place."""
_PORTS = from_csv(
    "ports",
    "faa",
    "faa,lat,lon,zone,feet\nJFK,40.64,-73.78,east,13\nLAX,33.94,-118.41,west,125\nXXX,,,,",
    "ports",
)
_SPARK_TYPES = {Type.STRING: "string", Type.LONG: "bigint", Type.DOUBLE: "double"}


def _points(table: Table) -> list[Point]:
    """Where the rows are that have both a latitude and a longitude."""
    lat, lon = table.column("lat"), table.column("lon")
    cells = zip(lat.values, lon.values, strict=True) if lat and lon else ()
    return [
        point(float(a), float(b))
        for a, b in cells
        if isinstance(a, int | float) and isinstance(b, int | float)
    ]


def _has_places(table: Table) -> str:
    if not (found := _points(table)):
        return "a table with columns lat and lon of numbers (degrees)"
    return "" if len(found) <= MOST_PLACES else f"a table of at most {MOST_PLACES} places, not {len(found)}"


def _nearest(table: Table) -> Callable[[float, float], float]:
    least = nearest(_points(table))
    return lambda lat, lon: kilometres(least(point(lat, lon)))


def _spark_nearest(F: Any, lat: Any, lon: Any, table: Table) -> Any:
    axes = [spark_texts(F, axis).cast("array<double>") for axis in zip(*_points(table), strict=True)]

    def least(here: Any) -> Any:
        mine = tuple(F.get(here, F.lit(n)) for n in range(3))
        squares = F.transform(
            axes[0], lambda x, n: spark_chord2(mine, (x, F.get(axes[1], n), F.get(axes[2], n)))
        )
        return F.array_min(squares)

    return spark_kilometres(F, let(F, F.array(*spark_point(F, lat, lon)), least))


def _has_column(table: Table, column: str) -> str:
    known = [c.name for c in table.columns]
    wanted = f"a column of {table.name} ({', '.join(known)}){nearest_name(column, known)}"
    return "" if column in known else wanted


def _cells(table: Table, column: str) -> dict[str, Value]:
    found = table.column(column)
    cells = zip(table.keys, found.values, strict=True) if found else ()
    return {key: value for key, value in cells if value is not None}


def _look_up(table: Table, column: str) -> Callable[[str], Value]:
    return _cells(table, column).get


def _spark_look_up(F: Any, table: Table, column: str, key: Any) -> Any:
    cells, found = _cells(table, column), table.column(column)
    kind = _SPARK_TYPES[found.type if found else Type.STRING]
    if not cells:
        return F.lit(None).cast(kind)
    values = spark_texts(F, tuple(cells.values())).cast(f"array<{kind}>")
    return F.try_element_at(F.map_from_arrays(spark_texts(F, tuple(cells)), values), key)


_DEGREES = (Type.DOUBLE, Type.DOUBLE)
_AT = {"lat": (Type.DOUBLE, 40.64), "lon": (Type.DOUBLE, -73.78)}

PLACES: tuple[Function, ...] = (
    Function(
        "distance_km", (((*_DEGREES, *_DEGREES), Type.DOUBLE),), distance, spark_distance,
        "Great-circle distance in km from one latitude and longitude to another, in degrees of any size, on a"
        f" sphere of radius {EARTH_KM} km.",
        (
            ex("distance_km(lat, lon, lat, lon)", 0.0, **_AT),
            ex("round(distance_km(lat, lon, 33.94, -118.41))", 3974.0, **_AT),
            ex("round(distance_km(90, 0, -90, lon), 1)", 20015.1, **_AT),
            ex("round(distance_km(lat, lon, 180 - lat, lon + 180), 3)", 0.0, **_AT),
        ),
        bounded=True, reuses=(Type.DOUBLE,), tolerance=DISTANCE_TOLERANCE,
    ),
    Function(
        "nearest_km", (((*_DEGREES, Type.TABLE), Type.DOUBLE),), _nearest, _spark_nearest,
        "`distance_km` to the nearest row of a table that has columns `lat` and `lon`; rows without them"
        f" count for nothing. At most {MOST_PLACES} of them may have a place.",
        (
            ex("nearest_km(lat, lon, ports)", 0.0, **_AT).over(_PORTS),
            ex("round(nearest_km(0, lon, ports))", 4519.0, **_AT).over(_PORTS),
        ),
        fixed=slice(2, 3), check=_has_places, bounded=True, reuses=(Type.DOUBLE,),
        tolerance=DISTANCE_TOLERANCE,
    ),
    Function(
        "look_up", (((Type.TABLE, Type.COLUMN, Type.STRING), Type.COLUMN),), _look_up, _spark_look_up,
        "The cell of a table in a column, in the row with this key; a text is a category. No such key, or an"
        " empty cell: null.",
        (
            ex('look_up(ports, "feet", a)', 13, a=(Type.CATEGORY, "JFK")).over(_PORTS),
            ex('look_up(ports, "lat", a)', 33.94, a=(Type.CATEGORY, "LAX")).over(_PORTS),
            ex('look_up(ports, "zone", a)', None, a=(Type.CATEGORY, "XXX")).over(_PORTS),
            ex('look_up(ports, "zone", a)', None, a=(Type.STRING, "jfk")).over(_PORTS),
        ),
        fixed=slice(0, 2), check=_has_column, bounded=True,
    ),
)  # fmt: skip
