"""Which arrivals the tiles of a window are made of."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.aggregates import Aggregate
from train.account import Span

AGGREGATE = Aggregate("late_at", "labels", "shop", "shop", None, None, None, 10, 60, 20, 5)


#   delay 20, tiles of 10, horizon 60         a row of 101 reads tiles [20, 80), one of 140 those of [60, 120)
def test_a_window_rests_on_what_its_first_and_its_last_row_may_read() -> None:
    assert Span(100, 140).tiled(AGGREGATE) == (20, 120)


@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 50), st.integers(1, 9), st.integers(0, 90))
def test_every_tile_that_a_row_of_the_window_reads_is_made_of_what_the_window_rests_on(
    start: int, length: int, tile: int, tiles: int, delay: int
) -> None:
    aggregate = replace(AGGREGATE, tile=tile, horizon=tiles * tile, delay=delay)
    first, end = Span(start, start + length).tiled(aggregate)
    reads = [aggregate.ended(at) for at in range(start + 1, start + length + 1)]
    assert first <= (min(reads) - tiles) * tile
    assert end == max(reads) * tile
