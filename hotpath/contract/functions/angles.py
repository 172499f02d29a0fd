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

_DEGREE, _HALF_DEGREE, _TURN = radians(1.0), radians(0.5), 360.0


def sine(turns: float) -> float:
    """Sine of 2π·turns."""
    return sin(fmod(turns, 1.0) * tau)


def cosine(turns: float) -> float:
    """Cosine of 2π·turns."""
    return cos(fmod(turns, 1.0) * tau)


def spark_turned(F: Any, turns: Any) -> Any:
    """The angle of which `sine` and `cosine` are, in radians, over a column."""
    return turns % F.lit(1.0) * F.lit(tau)


def haversine(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Of the angle between two places in degrees: sin²(Δφ/2) + cos φ₁ · cos φ₂ · sin²(Δλ/2)."""
    lat, to_lat = fmod(lat, _TURN), fmod(to_lat, _TURN)
    up, along = to_lat - lat, fmod(to_lon, _TURN) - fmod(lon, _TURN)
    both = cos(lat * _DEGREE) * cos(to_lat * _DEGREE)
    return float(sin(up * _HALF_DEGREE) ** 2 + both * sin(along * _HALF_DEGREE) ** 2)


def spark_haversine(F: Any, lat: Any, lon: Any, to_lat: Any, to_lon: Any) -> Any:
    """The same over columns."""
    lat, lon, to_lat, to_lon = (angle % F.lit(_TURN) for angle in (lat, lon, to_lat, to_lon))
    up, along = ((to - of) * F.lit(_HALF_DEGREE) for to, of in ((to_lat, lat), (to_lon, lon)))
    both = F.cos(lat * F.lit(_DEGREE)) * F.cos(to_lat * F.lit(_DEGREE))
    return F.pow(F.sin(up), F.lit(2.0)) + both * F.pow(F.sin(along), F.lit(2.0))


def kilometres(of: float) -> float:
    """Along the Earth's surface, from a haversine: 2·R·asin(√h)."""
    return asin(sqrt(of if of < 1.0 else 1.0)) * (2.0 * EARTH_KM)


def spark_kilometres(F: Any, of: Any) -> Any:
    """The same over a column."""
    return F.asin(F.sqrt(spark_least(F, of, F.lit(1.0)))) * F.lit(2.0 * EARTH_KM)


def point(lat: float, lon: float) -> Point:
    """The point at a latitude and a longitude in degrees, of any size."""
    up, around = fmod(lat, _TURN) * _DEGREE, fmod(lon, _TURN) * _DEGREE
    out = cos(up)
    return out * cos(around), out * sin(around), sin(up)


def spark_point(F: Any, lat: Any, lon: Any) -> Any:
    """The same over columns: an array of the three."""
    up, around = (angle % F.lit(_TURN) * F.lit(_DEGREE) for angle in (lat, lon))
    return F.array(F.cos(up) * F.cos(around), F.cos(up) * F.sin(around), F.sin(up))


def chord2(a: Point, b: Point) -> float:
    """The square of the straight line between two points of the unit sphere; four times their haversine."""
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return x * x + y * y + z * z


def spark_chord2(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The same over columns."""
    x, y, z = (there - here for there, here in zip(a, b, strict=True))
    return x * x + y * y + z * z
