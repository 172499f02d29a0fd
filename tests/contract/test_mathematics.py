"""The language's own mathematics: near the truth, and without a choice in the last bit."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.functions import fdlibm
from hotpath.contract.functions.angles import EARTH_KM, chord2, cosine, distance, point, sine
from hotpath.contract.functions.nearest import nearest

LAST_PLACE = 2.0**-52
reals = st.floats(allow_nan=False, allow_infinity=False)
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)
places = st.builds(point, latitudes, longitudes)


@given(st.floats(-740, 709))
def test_exp_is_the_libms_but_for_the_last_place(x: float) -> None:
    assert fdlibm.exp(x) == pytest.approx(math.exp(x), rel=2 * LAST_PLACE, abs=5e-324)


@given(st.floats(-1, 1e300, exclude_min=True))
def test_log1p_is_the_libms_but_for_the_last_place(x: float) -> None:
    assert fdlibm.log1p(x) == pytest.approx(math.log1p(x), rel=2 * LAST_PLACE, abs=5e-324)


@given(reals)
def test_any_number_has_an_exp_and_above_minus_one_a_logarithm(x: float) -> None:
    assert fdlibm.exp(x) >= 0.0
    assert x <= -1.0 or math.isfinite(fdlibm.log1p(x))


@given(st.floats(-4, 4))
def test_sine_and_cosine_are_of_turns(turns: float) -> None:
    assert sine(turns) == pytest.approx(math.sin(2 * math.pi * turns), abs=1e-14)
    assert cosine(turns) == pytest.approx(math.cos(2 * math.pi * turns), abs=1e-14)


@given(reals)
def test_sine_and_cosine_of_any_angle_lie_on_the_circle(turns: float) -> None:
    assert math.hypot(sine(turns), cosine(turns)) == pytest.approx(1.0, abs=4 * LAST_PLACE)


@given(reals, reals, reals, reals)
def test_any_two_places_have_a_distance(lat: float, lon: float, to_lat: float, to_lon: float) -> None:
    assert 0.0 <= distance(lat, lon, to_lat, to_lon) <= math.pi * EARTH_KM


@given(latitudes, longitudes, latitudes, longitudes)
def test_a_distance_is_the_haversines_and_the_same_both_ways(
    lat: float, lon: float, to_lat: float, to_lon: float
) -> None:
    found = distance(lat, lon, to_lat, to_lon)
    assert distance(to_lat, to_lon, lat, lon) == found
    # Opposite places: the sine is flat there, and half its digits are all that there is.
    precise = 1e-3 if found > 3 * EARTH_KM else 1e-9
    assert found == pytest.approx(by_haversine(lat, lon, to_lat, to_lon), rel=1e-9, abs=precise)


def by_haversine(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """As textbooks have it, from -90 to 90 degrees."""
    up, along = math.radians(to_lat - lat) / 2, math.radians(to_lon - lon) / 2
    both = math.cos(math.radians(lat)) * math.cos(math.radians(to_lat))
    square = math.sin(up) ** 2 + both * math.sin(along) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(square, 1.0)))


@given(st.floats(90, 270), longitudes)
def test_a_place_beyond_a_pole_is_where_it_is_reached_the_other_way(lat: float, lon: float) -> None:
    assert distance(lat, lon, 180.0 - lat, lon + 180.0) == pytest.approx(0.0, abs=1e-9)


def test_new_york_is_5540_km_from_london() -> None:
    assert distance(40.6413, -73.7781, 51.4700, -0.4543) == pytest.approx(5540, abs=1)


@given(st.lists(places, min_size=1, max_size=60), places)
def test_the_nearest_point_is_the_one_that_trying_all_finds(
    points: list[tuple[float, float, float]], here: tuple[float, float, float]
) -> None:
    assert nearest(points)(here) == min(chord2(here, there) for there in points)


def test_the_nearest_of_thousands_is_found_too() -> None:
    drawn = random.Random(5)
    points = [point(drawn.uniform(-90, 90), drawn.uniform(-180, 180)) for _ in range(5000)]
    found = nearest(points)
    for here in points[:50] + [point(drawn.uniform(-90, 90), drawn.uniform(-180, 180)) for _ in range(50)]:
        assert found(here) == min(chord2(here, there) for there in points)
