"""Where a window's rows are divided, against the sentences that say so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.parts import Train
from train.division import VALIDATED, Rows, divided, sides, slices

TRAIN = Train(window=1000, holdout=0.2, retrain_every=10, max_rows=40, validation=3)


@st.composite
def windows(draw: st.DrawFn) -> Rows:
    """Up to 200 rows, few instants, each row at a place of its own, its label after it."""
    count = draw(st.integers(0, 200))
    seed = draw(st.integers(0, 2**32))
    random = np.random.default_rng(seed)
    arrived = random.integers(0, draw(st.integers(1, 300)), count)
    strata = draw(st.sampled_from([("0", "1"), ("",), ("a", "b", "c", "never")]))
    stratum = random.integers(0, max(1, len(strata) - (strata[-1] == "never")), count)
    told = arrived + random.integers(0, 30, count)
    return Rows(arrived, told, random.integers(0, 3, count), random.permutation(count), stratum, strata)


@given(windows())
def test_a_row_is_of_one_side_or_left_out_and_the_holdout_is_the_newest(rows: Rows) -> None:
    division = divided(rows, TRAIN)
    found = sides(rows, division)
    assert not (found.train & found.holdout).any()
    assert not (found.beyond & (found.train | found.holdout)).any()
    kept = int((~found.beyond).sum())
    assert kept == min(len(rows), TRAIN.max_rows)
    assert int(found.holdout.sum()) >= kept * TRAIN.holdout
    if found.train.any():
        assert rows.arrived_at[found.train].max() < rows.arrived_at[found.holdout].min() == division.cut
        assert rows.told_at[found.train].max() < division.cut


@given(windows())
def test_of_each_class_the_newest_rows_are_kept(rows: Rows) -> None:
    division = divided(rows, TRAIN)
    beyond = sides(rows, division).beyond
    places = list(zip(rows.arrived_at, rows.partition, rows.offset, strict=True))
    for code in range(len(rows.strata)):
        left = [p for p, out, s in zip(places, beyond, rows.stratum, strict=True) if out and s == code]
        kept = [p for p, out, s in zip(places, beyond, rows.stratum, strict=True) if not out and s == code]
        assert not left or max(left) < min(kept)
    if beyond.any():
        oldest = min(rows.arrived_at[~beyond])
        assert division.budget == {"rows": len(rows), "kept": 40, "since": oldest}
    else:
        assert (division.budget, division.kept) == ({}, {})


@given(windows())
def test_the_order_of_the_rows_carries_no_meaning(rows: Rows) -> None:
    order = np.argsort(rows.offset)
    columns = ("arrived_at", "told_at", "partition", "offset", "stratum")
    other = replace(rows, **{name: getattr(rows, name)[order] for name in columns})
    assert divided(other, TRAIN) == divided(rows, TRAIN)


@given(st.lists(st.integers(0, 10**6), unique=True), st.integers(0, 6))
def test_slices_are_equally_large_and_hold_the_newest_rows(arrived: list[int], count: int) -> None:
    begins = slices(np.array(arrived, np.int64), count)
    size = int(len(arrived) * VALIDATED) // count if count else 0
    assert len(begins) == (count if size else 0)
    bounds = [*begins, 10**6 + 1]
    for since, until in pairwise(bounds):
        assert sum(since <= at < until for at in arrived) == size


def test_an_instant_is_in_one_slice() -> None:
    assert slices(np.full(100, 7), 3) == (7,)
    assert slices(np.repeat([1, 2], 50), 4) == (2,)
