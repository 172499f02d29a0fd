from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.quality import LEAST, accuracy, log_loss

CLASSES = 4
ROW = st.lists(st.floats(0.001, 1), min_size=CLASSES, max_size=CLASSES)
ROWS = st.lists(st.tuples(st.integers(0, CLASSES - 1), ROW), min_size=1, max_size=30)


@given(ROWS)
def test_both_are_what_a_loop_over_the_rows_gives(rows: list[tuple[int, list[float]]]) -> None:
    truth = np.array([place for place, _ in rows])
    chances = np.array([[p / sum(row) for p in row] for _, row in rows])
    right = sum(row.index(max(row)) == place for (place, _), row in zip(rows, chances.tolist(), strict=True))
    lost = sum(-log(chances[n, place]) for n, place in enumerate(truth))
    assert accuracy(truth, chances) == pytest.approx(right / len(rows))
    assert log_loss(truth, chances) == pytest.approx(lost / len(rows))


def test_an_error_made_with_certainty_costs_much_but_not_everything() -> None:
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-log(LEAST))
