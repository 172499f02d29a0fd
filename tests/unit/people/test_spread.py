"""Whether a number is still spread as it was."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

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


def test_a_few_rows_have_no_deciles() -> None:
    assert deciles([1.0] * 10) == ()
