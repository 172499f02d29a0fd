"""Whether a number is still spread as it was."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.people.accepted import Accepted
from hotpath.people.spread import deciles, moved, stability

DRAW = random.Random(3)
MILES = [DRAW.lognormvariate(6.5, 0.7) for _ in range(2000)]


def test_the_same_rows_have_not_moved() -> None:
    assert moved(deciles(MILES), MILES) == ""


def test_other_rows_of_the_same_world_have_not_moved() -> None:
    assert moved(deciles(MILES[:1000]), MILES[1000:]) == ""


def test_kilometres_for_miles_have_moved() -> None:
    assert "stability index" in moved(deciles(MILES), [mile * 1.609344 for mile in MILES])


def test_a_value_that_most_rows_have_does_not_hide_the_others() -> None:
    inches = [0.0] * 1900 + [DRAW.random() for _ in range(100)]
    assert moved(deciles(inches), inches) == ""
    assert "beyond" in moved(deciles(inches), [inch * 25.4 for inch in inches])


@given(st.lists(st.floats(-1e6, 1e6), min_size=100))
def test_the_index_is_never_negative(values: list[float]) -> None:
    assert stability(deciles(values), values[:50]) >= 0


def test_the_rows_that_were_accepted_have_not_moved_away_from_the_file() -> None:
    values = [(-0.044641636506989144, 0.05068011873981862)[n % 2] for n in range(200)]
    raw = Accepted(spreads={"it": deciles(values)}).to_bytes()
    assert moved(Accepted.from_bytes(raw, "accepted.json").spreads["it"], values) == ""


@pytest.mark.parametrize("rare", [1, 2, 5, 50, 450, 500, 550, 999])
def test_of_two_values_neither_has_moved_however_rare(rare: int) -> None:
    values = [1.0] * rare + [0.0] * (1000 - rare)
    assert moved(deciles(values), values) == ""


def test_a_few_rows_have_no_deciles() -> None:
    assert deciles([1.0] * 10) == ()
