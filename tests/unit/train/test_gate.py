from math import nan

import pytest

from hotpath.contract.parts import Gate
from train.account import Account, Span
from train.gate import trainable, verdict
from train.scorecard import Measured


def measured(auc: float) -> Measured:
    return Measured(auc=auc, f1=0.5, accuracy=0.7, threshold=0.3)


def account(train: tuple[int, int], holdout: tuple[int, int]) -> Account:
    """Rows and positive rows of each side."""
    return Account(
        span=Span(0, 1),
        rows={"train": train[0], "holdout": holdout[0]},
        positive={"train": train[1], "holdout": holdout[1]},
        left_out={},
        noticed={},
        batches=(),
        offsets={},
    )


def test_the_gate_lets_a_model_pass_that_reaches_it_exactly() -> None:
    assert verdict(Gate(auc=0.6), measured(0.6)).passed


@pytest.mark.parametrize("auc", [0.5999, nan])
def test_the_gate_refuses_a_model_below_it_and_says_why(auc: float) -> None:
    found = verdict(Gate(auc=0.6), measured(auc))
    assert not found.passed
    assert f"auc is {auc:.4f}" in found.why
    assert "0.6" in found.why


def test_a_window_with_both_classes_on_both_sides_can_be_trained_on() -> None:
    assert trainable(account((80, 20), (20, 5))).passed


@pytest.mark.parametrize(
    ("train", "holdout", "why"),
    [
        ((80, 0), (20, 5), "only one class in the train rows: 0 of 80"),
        ((80, 80), (20, 5), "only one class in the train rows: 80 of 80"),
        ((80, 20), (20, 0), "only one class in the holdout rows: 0 of 20"),
        ((0, 0), (0, 0), "no train rows in the window; no holdout rows"),
    ],
)
def test_a_window_that_cannot_teach_is_refused(
    train: tuple[int, int], holdout: tuple[int, int], why: str
) -> None:
    found = trainable(account(train, holdout))
    assert not found.passed
    assert found.why.startswith(why)
