"""Which candidate of a search is taken: one that holds over every slice of time, then a quick one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.metrics import BY_NAME
from hotpath.jackknife import Told
from train.parameters import Chosen
from train.searched import ALIKE, Candidate, Choice, choose

AUC, RMSE = BY_NAME["auc"], BY_NAME["rmse"]
GROUPS = 20
INCUMBENT = "incumbent"


def told(value: float | None, wobble: Sequence[float] = (), name: str = "auc") -> Told:
    """A figure on a slice, and how it moves as each group is left out."""
    moved = wobble or [0.0] * GROUPS
    without = [{name: None if value is None else value + one} for one in moved]
    return Told({name: value}, without, np.full(len(moved), 1 / len(moved)))


def one(name: str, *slices: float | None, us: float | None = 10.0, metric: str = "auc") -> Candidate:
    """A candidate whose figures are known without doubt."""
    return Candidate(name, Chosen("gbm"), tuple(told(v, name=metric) for v in slices), us, "no such model")


def chosen(*candidates: Candidate) -> Choice:
    return choose(candidates, INCUMBENT, AUC, 0.95)


def test_the_best_in_the_mean_is_taken() -> None:
    found = chosen(one(INCUMBENT, 0.70, 0.70), one("a", 0.71, 0.73), one("b", 0.72, 0.71))
    assert found.taken.name == "a"
    assert found.why == ("a: auc 0.7200 in the mean of 2 slices, 10.0 µs a row; incumbent: 0.7000, 10.0 µs")


def test_of_errors_the_least_is_best() -> None:
    errors = (one(INCUMBENT, 5.0, metric="rmse"), one("a", 4.0, metric="rmse"), one("b", 6.0, metric="rmse"))
    assert choose(errors, INCUMBENT, RMSE, 0.95).taken.name == "a"


def test_a_winner_must_hold_over_every_slice() -> None:
    found = chosen(one(INCUMBENT, 0.70, 0.70), one("a", 0.95, 0.69), one("b", 0.71, 0.70))
    assert found.taken.name == "b"
    assert found.out == {"a": "significantly worse than incumbent on slice 2"}


def test_where_nothing_is_better_the_incumbent_stays() -> None:
    found = chosen(one(INCUMBENT, 0.70), one("a", 0.70, us=1.0))
    assert (found.taken.name, found.out) == (INCUMBENT, {"a": "not better than incumbent in the mean"})


def test_a_model_that_the_engine_refuses_is_not_taken_however_good() -> None:
    found = chosen(one(INCUMBENT, 0.70), one("a", 0.99, us=None), one("b", 0.71))
    assert found.taken.name == "b"
    assert found.out == {"a": "the engine refuses it: no such model"}


def test_among_equals_the_quick_one_is_taken_and_a_tenth_is_no_difference() -> None:
    wobble = [0.01 * (-1) ** n for n in range(GROUPS)]
    slow = Candidate("slow", Chosen("gbm"), (told(0.750, wobble),), 40.0)
    quick = Candidate("quick", Chosen("glm"), (told(0.748, wobble[::-1]),), 10.0)
    level = Candidate("level", Chosen("glm"), (told(0.749, wobble[::-1]),), 10.9)
    assert chosen(one(INCUMBENT, 0.70, us=90.0), slow, quick).taken is quick
    assert chosen(one(INCUMBENT, 0.70, us=90.0), slow, quick, level).taken is level


def test_a_slice_on_which_nothing_can_be_said_does_not_count() -> None:
    assert chosen(one(INCUMBENT, None, 0.70), one("a", None, 0.71)).taken.name == "a"
    found = chosen(one(INCUMBENT, None), one("a", None))
    assert (found.taken.name, found.why) == (INCUMBENT, "auc is known on no slice: incumbent stays")


@st.composite
def searches(draw: st.DrawFn) -> list[Candidate]:
    """Two to six candidates over one to three slices, some of them refused; first the incumbent."""
    slices, random_ = draw(st.integers(1, 3)), random.Random(draw(st.integers(0, 999)))
    figure = st.floats(0.5, 1.0).map(lambda v: round(v, 3))

    def slice_() -> Told:
        spread = draw(st.sampled_from([0.0, 0.0005, 0.005]))
        return told(draw(figure), [random_.gauss(0, spread) for _ in range(GROUPS)])

    def candidate(name: str) -> Candidate:
        us = draw(st.none() | st.floats(1, 100)) if name != INCUMBENT else draw(st.floats(1, 100))
        return Candidate(name, Chosen("gbm"), tuple(slice_() for _ in range(slices)), us, "refused")

    names = [INCUMBENT, *(f"c{n}" for n in range(draw(st.integers(1, 5))))]
    return [candidate(name) for name in names]


def mean(found: Candidate) -> float:
    return sum(slice_.whole["auc"] or 0.0 for slice_ in found.slices) / len(found.slices)


@given(searches())
def test_what_is_taken_is_not_worse_than_what_was(candidates: list[Candidate]) -> None:
    found = chosen(*candidates)
    assert found.taken.us is not None
    assert found.taken.name not in found.out
    assert found.taken is candidates[0] or mean(found.taken) > mean(candidates[0])


@given(searches())
def test_nothing_that_was_to_be_had_is_both_better_and_quicker(candidates: list[Candidate]) -> None:
    found = chosen(*candidates)
    assert found.taken.us is not None
    for other in candidates:
        if other.name not in found.out and other.us is not None:
            assert not (mean(other) > mean(found.taken) and other.us * ALIKE < found.taken.us)


@given(searches(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(
    candidates: list[Candidate], draw: random.Random
) -> None:
    turned = candidates[:]
    draw.shuffle(turned)
    assert chosen(*turned).taken.name == chosen(*candidates).taken.name


@given(searches(), st.floats(1.01, 50))
def test_a_loser_does_not_win_by_being_slower(candidates: list[Candidate], times: float) -> None:
    taken = chosen(*candidates).taken.name
    for place, loser in enumerate(candidates):
        if loser.name != taken and loser.us is not None:
            slower = [*candidates[:place], replace(loser, us=loser.us * times), *candidates[place + 1 :]]
            assert chosen(*slower).taken.name != loser.name


@given(searches(), st.floats(0.02, 0.99))
def test_a_winner_stays_one_by_being_quicker(candidates: list[Candidate], times: float) -> None:
    taken = chosen(*candidates).taken
    assert taken.us is not None
    quicker = [replace(c, us=taken.us * times) if c is taken else c for c in candidates]
    assert chosen(*quicker).taken.name == taken.name


@given(searches())
def test_what_is_out_changes_nothing_by_being_there(candidates: list[Candidate]) -> None:
    found = chosen(*candidates)
    rest = [c for c in candidates if c.name not in found.out]
    assert chosen(*rest).taken.name == found.taken.name


def test_a_choice_without_its_incumbent_is_no_choice() -> None:
    with pytest.raises(StopIteration):
        chosen(one("a", 0.7))
