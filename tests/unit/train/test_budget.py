"""The row budget's arithmetic: how many of each class, and what each weighs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.budget import shares, weights

ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5000), min_size=1)
MOST = st.integers(1, 20_000)


@given(ROWS, MOST)
def test_as_many_rows_are_kept_as_there_are_or_may_be(rows: Mapping[str, int], most: int) -> None:
    kept = shares(rows, most)
    assert sum(kept.values()) == min(sum(rows.values()), max(most, len(rows)))


@given(ROWS, MOST)
def test_each_class_keeps_a_row_and_none_more_than_it_has(rows: Mapping[str, int], most: int) -> None:
    kept = shares(rows, most)
    assert kept.keys() == rows.keys()
    assert all(1 <= kept[name] <= rows[name] for name in rows)


@given(ROWS, MOST)
def test_no_class_is_a_row_off_its_share_where_every_share_is_a_row(
    rows: Mapping[str, int], most: int
) -> None:
    """Hare's quota: each class has its share rounded down or up."""
    total = sum(rows.values())
    if most >= total or min(rows.values()) * most < total:
        return
    kept = shares(rows, most)
    assert all(abs(kept[name] - most * rows[name] / total) < 1 for name in rows)


@given(ROWS, MOST)
def test_of_a_larger_class_no_fewer_rows_are_kept(rows: Mapping[str, int], most: int) -> None:
    kept = shares(rows, most)
    assert all(kept[a] >= kept[b] for a in rows for b in rows if rows[a] > rows[b])


@given(ROWS, MOST)
def test_weighted_the_classes_are_those_of_the_whole_window_and_a_row_is_one_on_average(
    rows: Mapping[str, int], most: int
) -> None:
    kept = shares(rows, most)
    weighed = {name: kept[name] * weight for name, weight in weights(rows, kept).items()}
    assert sum(weighed.values()) == pytest.approx(sum(kept.values()))
    whole = {name: count / sum(rows.values()) for name, count in rows.items()}
    assert {name: w / sum(weighed.values()) for name, w in weighed.items()} == pytest.approx(whole)


@given(ROWS)
def test_where_every_row_fits_each_weighs_one(rows: Mapping[str, int]) -> None:
    assert set(weights(rows, shares(rows, sum(rows.values()))).values()) == {1.0}
