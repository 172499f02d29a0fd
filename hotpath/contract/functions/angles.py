"""Sines, cosines and distances on a sphere, over floats and over Spark columns.

The engines round sines otherwise in the last bits, so what is made here has a tolerance. Each angle is
reduced first by a remainder, which is exact in both: so an angle of any size is the same angle in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, fmod, radians, sin, sqrt, tau
from typing import Any

from hotpath.contract.functions.entry import spark_least

EARTH_KM = 6371.0088
"""The Earth's mean radius (IUGG)."""
CYCLE_TOLERANCE = 1e-9
DISTANCE_TOLERANCE = 1e-7
"""Opposite places: the arcsine of a last bit there is 1e-8 of the distance."""
Point = tuple[float, float, float]
"""On the unit sphere."""

_DEGREE, _TURN = radians(1.0), 360.0


def sine(turns: float) -> float:
    """Sine of 2π·turns."""
    return sin(fmod(turns, 1.0) * tau)


def cosine(turns: float) -> float:
    """Cosine of 2π·turns."""
    return cos(fmod(turns, 1.0) * tau)


def spark_turned(F: Any, turns: Any) -> Any:
    """The angle of which `sine` and `cosine` are, in radians, over a column."""
    return turns % F.lit(1.0) * F.lit(tau)


def distance(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Kilometres between two places in degrees of any size.

    By the chord, because the haversine of places beyond a pole is a difference that may come out below zero.
    """
    return kilometres(chord2(point(lat, lon), point(to_lat, to_lon)))


def spark_distance(F: Any, lat: Any, lon: Any, to_lat: Any, to_lon: Any) -> Any:
    """The same over columns."""
    return spark_kilometres(F, spark_chord2(spark_point(F, lat, lon), spark_point(F, to_lat, to_lon)))


def kilometres(square: float) -> float:
    """Along the Earth's surface, from the square of a chord of the unit sphere: 2·R·asin(chord/2)."""
    sine2 = square * 0.25
    return asin(sqrt(sine2 if sine2 < 1.0 else 1.0)) * (2.0 * EARTH_KM)


def spark_kilometres(F: Any, square: Any) -> Any:
    """The same over a column."""
    sine2 = spark_least(F, square * F.lit(0.25), F.lit(1.0))
    return F.asin(F.sqrt(sine2)) * F.lit(2.0 * EARTH_KM)


def point(lat: float, lon: float) -> Point:
    """The point at a latitude and a longitude in degrees, of any size."""
    up, around = fmod(lat, _TURN) * _DEGREE, fmod(lon, _TURN) * _DEGREE
    out = cos(up)
    return out * cos(around), out * sin(around), sin(up)


def spark_point(F: Any, lat: Any, lon: Any) -> tuple[Any, Any, Any]:
    """The same over columns."""
    up, around = (angle % F.lit(_TURN) * F.lit(_DEGREE) for angle in (lat, lon))
    return F.cos(up) * F.cos(around), F.cos(up) * F.sin(around), F.sin(up)


def chord2(a: Point, b: Point) -> float:
    """The square of the straight line between two points of the unit sphere."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return x * x + y * y + z * z


def spark_chord2(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The same over columns."""
    x, y, z = (there - here for there, here in zip(a, b, strict=True))
    return x * x + y * y + z * z
