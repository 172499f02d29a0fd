"""Which rows become golden ones, and which are made."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath import settings
from hotpath.contract.load import load
from hotpath.contract.row import row_function
from hotpath.contract.types import Type
from train.golden import BASES, OF_A_CLASS, ROWS, Asked, chosen, made, reaching, together

CONTRACT = load(settings.PROJECT / "config" / "pipelines" / "payments.yaml")
ORDINARY: Mapping[Type, Any] = {
    Type.STRING: "text",
    Type.CATEGORY: "EUR",
    Type.BOOL: True,
    Type.LONG: 7,
    Type.DOUBLE: 1.5,
    Type.TIMESTAMP: 1_780_000_000_000_000,
    Type.STRINGS: ["online"],
}


def rows(count: int) -> list[Asked]:
    """Events that differ in every number and text."""
    draw = random.Random(1)
    found: list[Asked] = []
    for n in range(count):
        event = {f.name: ORDINARY[f.type] for f in CONTRACT.events.fields}
        event |= {f.name: draw.random() for f in CONTRACT.events.fields if f.type == Type.DOUBLE}
        event |= {"payment_id": f"p{n}", "merchant_category": f"m{n}", "device.app_version": f"v{n}"}
        found.append((event, {r.name: float(n) for r in CONTRACT.readings}))
    return found


def values(found: list[Asked], name: str) -> list[Any]:
    return [event[name] for event, _ in found]


NUMBERS = st.lists(st.none() | st.floats(-1e300, 1e300), max_size=50)


@given(NUMBERS)
def test_the_least_the_greatest_and_a_null_are_reached_where_there_are_such(
    numbers: list[float | None],
) -> None:
    found = [numbers[place] for place in reaching(pa.chunked_array([pa.array(numbers, pa.float64())]))]
    there = [n for n in numbers if n is not None]
    assert found == [None] * (None in numbers) + ([min(there), max(there)] if there else [])


@given(st.lists(st.none() | st.sampled_from("abcd"), max_size=20))
def test_a_level_that_no_training_row_has_is_reached_where_there_is_one(levels: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(levels, pa.string())])
    found = {levels[place] for place in reaching(column, pa.array(["a", "b"]))}
    assert (None in found) == (None in levels)
    assert len(found & {"c", "d"}) == bool({"c", "d"} & set(levels))
    assert not found & {"a", "b"}


@given(st.integers(1, 5000), st.integers(0, 2**32))
def test_every_class_is_chosen_and_the_order_of_the_rows_carries_no_meaning(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    stratum, partition = random.integers(0, 4, count), random.integers(0, 3, count)
    offset = random.permutation(count)
    telling, sample = chosen([], stratum, partition, offset)
    for code in np.unique(stratum):
        assert (stratum[telling] == code).sum() == min(OF_A_CLASS, (stratum == code).sum())
    assert len(set(sample)) == len(sample) == min(count, ROWS)
    other = random.permutation(count)
    again = chosen([], stratum[other], partition[other], offset[other])
    assert offset[other][again[1]].tolist() == offset[sample].tolist()
    assert set(offset[other][again[0]]) == set(offset[telling])


@given(st.lists(st.integers(0, 3000), max_size=2000), st.lists(st.integers(0, 3000), unique=True))
def test_what_tells_something_is_taken_first_and_a_row_once(telling: list[int], sample: list[int]) -> None:
    found = together(telling, sample)
    assert len(set(found)) == len(found)
    assert set(telling) <= set(found) <= {*telling, *sample}
    assert len(found) >= min(ROWS, len({*telling, *sample}))
    assert found[:BASES] == sample[:BASES] or len(sample) < BASES


def test_made_rows_reach_nulls_bounds_and_levels_that_nobody_has_met() -> None:
    found = made(rows(ROWS), CONTRACT, {"merchant_category": frozenset({"~", "~~"})})
    assert {0.0, 50000.0} <= set(values(found, "amount"))
    assert {0, 40000, None} <= set(values(found, "card_age_days"))
    assert {-90.0, 90.0, None} <= set(values(found, "lat"))
    assert "~~~" in values(found, "merchant_category")
    assert "~" in values(found, "device.app_version")
    assert {"CHF", "GBP", "PLN", "SEK", "TRY", "USD"} <= set(values(found, "currency"))
    assert [] in values(found, "tags")
    assert None in values(found, "device.trusted")
    assert any(all(value is None for value in read.values()) for _, read in found)


def test_a_made_row_differs_from_a_real_one_in_one_field() -> None:
    real = rows(ROWS)
    for event, read in made(real, CONTRACT, {}):
        base, before = next(r for r in real if r[0]["payment_id"] == event["payment_id"])
        changed = [name for name in event if event[name] != base[name]]
        assert len(changed) <= 1
        assert not changed or read == before


@pytest.mark.parametrize("count", [2, 100, 990, 1000])
def test_where_the_window_is_small_rows_are_put_together_of_others(count: int) -> None:
    real = rows(count)
    found = made(real, CONTRACT, {})
    assert len(real) + len(found) >= ROWS
    features = row_function(CONTRACT)
    vectors = {features({**event, **read}) for event, read in [*real, *found]}
    assert len(vectors) > (ROWS * 0.9 if count >= 100 else 30)


@pytest.mark.parametrize("count", [0, 1])
def test_of_no_row_none_is_made_and_of_one_only_its_variants(count: int) -> None:
    assert (len(made(rows(count), CONTRACT, {})) > 0) == bool(count)
