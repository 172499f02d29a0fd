from math import nan

import pytest

from hotpath.contract.parts import Gate, Rule
from hotpath.handoffs import Parity
from tests.unit.train.accounts import of_classes, of_numbers
from train.account import Account
from train.gate import agreeing, trainable, verdict
from train.scorecard import Measured


def binary(train: tuple[int, int], holdout: tuple[int, int]) -> Account:
    """Rows and positive rows of each side."""
    return of_classes(_counts(*train), _counts(*holdout), kind="binary")


def _counts(rows: int, positive: int) -> dict[str, int]:
    return {name: count for name, count in (("0", rows - positive), ("1", positive)) if count}


@pytest.mark.parametrize(
    ("rule", "value"), [(Rule("auc", 0.6), 0.6), (Rule("log_loss", 0.5), 0.5), (Rule("log_loss", 0.5), 0.1)]
)
def test_the_gate_lets_a_model_pass_that_reaches_it_exactly_or_is_better(rule: Rule, value: float) -> None:
    assert verdict(Gate((rule,)), Measured("binary", {rule.metric: value})).passed


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        (Rule("auc", 0.6), 0.5999, "auc is 0.5999, the gate asks for at least 0.6"),
        (Rule("auc", 0.6), nan, "auc is nan, the gate asks for at least 0.6"),
        (Rule("rmse", 12.5), 12.6, "rmse is 12.6000, the gate asks for at most 12.5"),
        (Rule("rmse", 12.5), nan, "rmse is nan, the gate asks for at most 12.5"),
    ],
)
def test_the_gate_refuses_a_model_on_the_wrong_side_of_it_and_says_why(
    rule: Rule, value: float, why: str
) -> None:
    found = verdict(Gate((rule,)), Measured("binary", {rule.metric: value}))
    assert (found.passed, found.why) == (False, why)


def test_every_rule_of_the_gate_must_hold_and_all_that_do_not_are_named() -> None:
    gate = Gate((Rule("accuracy", 0.8), Rule("log_loss", 0.7)))
    assert verdict(gate, Measured("classes", {"accuracy": 0.9, "log_loss": 0.6})).passed
    assert not verdict(gate, Measured("classes", {"accuracy": 0.9, "log_loss": 0.8})).passed
    both = verdict(gate, Measured("classes", {"accuracy": 0.5, "log_loss": 0.8}))
    assert both.why.split("; ") == [
        "accuracy is 0.5000, the gate asks for at least 0.8",
        "log_loss is 0.8000, the gate asks for at most 0.7",
    ]


@pytest.mark.parametrize(
    "window",
    [
        binary((80, 20), (20, 5)),
        of_classes({"a": 5, "b": 1}, {"a": 1, "b": 1}),
        of_classes({"a": 5, "b": 1, "c": 7}, {"a": 1, "c": 1}),
        of_numbers((-1.0, 3.5), (0.0, 0.5)),
    ],
    ids=["binary", "classes", "a class without a holdout row", "number"],
)
def test_a_window_whose_answers_differ_on_both_sides_can_be_trained_on(window: Account) -> None:
    assert trainable(window).passed


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (binary((80, 0), (20, 5)), "only one class in the train rows: all 80 are 0"),
        (binary((80, 80), (20, 5)), "only one class in the train rows: all 80 are 1"),
        (binary((80, 20), (20, 0)), "only one class in the holdout rows: all 20 are 0"),
        (binary((0, 0), (0, 0)), "no train rows in the window; no holdout rows in the window"),
        (of_classes({"a": 5}, {"a": 1, "b": 1}), "only one class in the train rows: all 5 are a"),
        (
            of_classes({"a": 5, "b": 1}, {"a": 1, "c": 2}),
            "no train rows of class c, of which 2 holdout rows are",
        ),
        (of_numbers((1.5, 1.5), (0, 1)), "only one value in the train rows: all 10 are 1.5"),
        (of_numbers((0, 1), (0, 0)), "only one value in the holdout rows: all 10 are 0"),
        (of_numbers((0, 0), (0, 0), rows=0), "no train rows in the window; no holdout rows"),
    ],
)
def test_a_window_that_cannot_teach_is_refused(window: Account, why: str) -> None:
    found = trainable(window)
    assert not found.passed
    assert found.why.startswith(why)


def parity(checked: int, differing: int) -> Parity:
    example: dict[str, object] = {"prediction_id": "p1", "feature": "late", "answered": 1, "recomputed": 2}
    counts = {"equal": checked - differing, "late": 0, "degraded": 0, "differing": differing}
    return Parity("flights", checked, **counts, examples=[example] * bool(differing), since=0, at=1)


@pytest.mark.parametrize("said", [None, parity(0, 0), parity(100, 0)])
def test_where_no_answer_differs_from_the_lake_parity_holds_nothing_up(said: Parity | None) -> None:
    assert agreeing(said).passed


def test_one_answer_that_differs_from_the_lake_blocks_the_gate_by_name() -> None:
    found = agreeing(parity(100, 1))
    assert not found.passed
    assert found.why == ("1 of 100 answers differ from the lake: late of p1 answered 1, the lake gives 2")
