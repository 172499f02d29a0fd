"""How well a feature alone tells the truth."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hotpath.people.strength import auc, strength

TRUTH = [n % 2 == 0 for n in range(200)]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2))
def test_the_area_under_the_curve_is_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    scores, truth = [float(score) for score, _ in rows], [true for _, true in rows]
    if len(set(truth)) == 2:
        assert auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))


def test_a_copy_of_the_truth_tells_it_whichever_way_round() -> None:
    assert strength([float(not true) for true in TRUTH], TRUTH, "binary") == 1.0
    assert strength(["late" if true else "ok" for true in TRUTH], TRUTH, "binary") == 1.0


def test_noise_tells_nothing() -> None:
    draw = random.Random(7)
    found = strength([draw.random() for _ in TRUTH], TRUTH, "binary")
    assert found is not None
    assert found < 0.6


def test_a_copy_of_a_class_or_of_a_number_tells_it() -> None:
    classes = [f"c{n % 3}" for n in range(200)]
    assert strength(classes, classes, "classes") == 1.0
    assert strength([float(c[1]) for c in classes], classes, "classes") == pytest.approx(1.0)
    numbers = [float(n) for n in range(200)]
    assert strength([3 - 2 * n for n in numbers], numbers, "number") == pytest.approx(1.0)


def test_a_text_that_is_nearly_unique_and_a_few_rows_say_nothing() -> None:
    assert strength([str(n) for n in range(200)], TRUTH, "binary") is None
    assert strength([1.0, 2.0], [True, False], "binary") is None
    assert strength([None] * 200, TRUTH, "binary") is None
