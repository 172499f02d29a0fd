"""Readings straight from packed bytes are those of the decoded tiles; other bytes are refused or harmless."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import MINUTE
from hotpath.contract.aggregates import Aggregate, Layout, parts_of
from hotpath.contract.statistics import BY_NAME, Part
from hotpath.contract.tree import Reading
from hotpath.contract.types import Type
from hotpath.errors import BadArtifact
from hotpath.readings import Windows
from hotpath.tiles import Tiles, packed, window

TILE, TILES = 5 * MINUTE, 24
AGGREGATE = Aggregate(
    "a",
    "events",
    "k",
    "k",
    "v",
    Type.DOUBLE,
    2,
    TILE,
    TILES * TILE,
    10 * MINUTE,
    MINUTE,
    10**6,
    (("mean", 0.5),),
)
_SPANS = st.integers(1, TILES)
READINGS = st.lists(
    st.builds(
        lambda name, span: Reading(name, "a", span * TILE, BY_NAME[name].type(False)),
        st.sampled_from(sorted(BY_NAME)),
        _SPANS,
    ),
    min_size=1,
    max_size=8,
    unique=True,
).map(tuple)
_LONG = st.integers(-(2**40), 2**40)
_COLUMNS = {Part.COUNT: st.integers(1, 2**20), Part.SQUARES: st.integers(0, 2**100)}


@st.composite
def held(draw: st.DrawFn, layout: Layout) -> Tiles:
    """Tiles with gaps, or none; a window of all of them fits the limit."""
    numbers = sorted(draw(st.sets(st.integers(1, 60), max_size=40)))
    if draw(st.booleans()):
        numbers = list(range(1, len(numbers) + 1))
    columns = [draw(_column(part, len(numbers))) for part in layout.parts]
    return Tiles(61 * TILE, 3, tuple(numbers), tuple(map(tuple, columns)) if numbers else ())


def _column(part: Part, length: int) -> st.SearchStrategy[list[int]]:
    return st.lists(_COLUMNS.get(part, _LONG), min_size=length, max_size=length)


@given(st.data(), READINGS, st.integers(0, 70 * TILE))
def test_windows_of_packed_tiles_are_those_of_the_tiles(
    data: st.DataObject, readings: tuple[Reading, ...], at: int
) -> None:
    layout = Layout("p", AGGREGATE, "t", parts_of(readings, "a"))
    tiles = data.draw(held(layout))
    windows, raw = Windows.of(layout, readings), packed(tiles, layout)
    count, through, batch = windows.head(raw)
    assert (count, through, batch) == (len(tiles.numbers), tiles.through, tiles.batch)
    found = windows.values(windows.merged(raw, count, AGGREGATE.ended(at)), at)
    assert found == [window(tiles, layout, reading, at) for reading in readings]


MEAN = (Reading("mean", "a", TILE, Type.DOUBLE),)
LAYOUT = Layout("p", AGGREGATE, "t", parts_of(MEAN, "a"))
GOOD = packed(Tiles(61 * TILE, 3, (5, 6), ((1, 2), (3, 4))), LAYOUT)


@given(st.binary(max_size=80) | st.integers(0, len(GOOD) - 1).map(lambda n: GOOD[:n]), st.integers(0, 99))
def test_of_any_bytes_nothing_but_bad_artifact_is_raised(raw: bytes, end: int) -> None:
    windows = Windows.of(LAYOUT, MEAN)
    with suppress(BadArtifact):
        count, _, _ = windows.head(raw)
        windows.merged(raw, count, end)


@pytest.mark.parametrize(
    "raw", [b"", b"12", GOOD[:-1], GOOD + b"\0", b"XX" + GOOD[2:], GOOD[:2] + b"\2" + GOOD[3:]]
)
def test_what_is_no_packed_value_of_the_layout_is_refused(raw: bytes) -> None:
    with pytest.raises(BadArtifact, match="tiles of p/a@"):
        Windows.of(LAYOUT, MEAN).head(raw)
