"""What an account says of a window that cannot teach, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hotpath import settings
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from tests.unit.train.accounts import of_classes, of_numbers
from train.account import LEAST_ROWS, Account
from train.clocks import FUTURE, WRONG

CONTRACT = load(settings.PROJECT / "config" / "pipelines" / "flights.yaml")


def binary(train: tuple[int, int], holdout: tuple[int, int], **parts: object) -> Account:
    """Rows and positive rows of each side."""
    return of_classes(_counts(*train), _counts(*holdout), kind="binary", **parts)


def _counts(rows: int, positive: int) -> dict[str, int]:
    return {name: count for name, count in (("0", rows - positive), ("1", positive)) if count}


def asking(quality: float = 0.5, leak: float = 0.999) -> Contract:
    return replace(CONTRACT, train=replace(CONTRACT.train, timestamp_quality=quality, leak=leak))


def said(window: Account, contract: Contract = CONTRACT) -> list[str]:
    return list(window.shortcomings(contract))


@pytest.mark.parametrize(
    "window",
    [
        binary((80, 20), (50, 5)),
        of_classes({"a": 50, "b": 1}, {"a": 49, "b": 1}),
        of_classes({"a": 50, "b": 1, "c": 7}, {"a": 49, "c": 1}),
        of_numbers((-1.0, 1.0, 3.5), (0.0, 0.1, 0.5), rows=LEAST_ROWS),
        of_classes({"a": 500, "b": 9}, {"a": 198, "c": 2}),
        of_classes({"a": 500, "b": 9}, {"a": 396, "c": 2, "d": 2}),
    ],
    ids=[
        "binary",
        "classes",
        "a class without a holdout row",
        "number",
        "a class that training has not met",
        "two such",
    ],
)
def test_a_window_whose_answers_differ_on_both_sides_can_be_trained_on(window: Account) -> None:
    assert said(window) == []


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (binary((80, 0), (50, 5)), ["only one class in the train rows: all 80 are 0"]),
        (binary((80, 80), (50, 5)), ["only one class in the train rows: all 80 are 1"]),
        (binary((80, 20), (50, 0)), ["only one class in the holdout rows: all 50 are 0"]),
        (binary((0, 0), (0, 0)), ["no train rows in the window", "no holdout rows in the window"]),
        (binary((80, 20), (29, 9)), ["only 29 holdout rows in the window, at least 30 are needed"]),
        (binary((1, 1), (50, 9)), [
            "only one class in the train rows: all 1 are 1",
            "only 1 train rows in the window, at least 30 are needed",
        ]),
        (
            of_classes({"a": 50, "b": 1}, {"a": 49, "c": 2}),
            ["no train rows of class c, of which 2 of 51 holdout rows are: more than the 1% that is borne"],
        ),
        (
            of_classes({"a": 50, "b": 1}, {"a": 197, "c": 2, "d": 1}),
            [
                "no train rows of class c or d, of which 3 of 200 holdout rows are:"
                " more than the 1% that is borne"
            ],
        ),
        (of_numbers((1.5, 1.5, 1.5), (0, 0.5, 1), 50), ["only one value in the train rows: all 50 are 1.5"]),
        (of_numbers((0, 0.5, 1), (0, 0, 0), 50), ["only one value in the holdout rows: all 50 are 0"]),
        (
            of_numbers((0, 0, 0), (0, 0, 0), 0),
            ["no train rows in the window", "no holdout rows in the window"],
        ),
    ],
)  # fmt: skip
def test_a_window_that_cannot_teach_is_refused(window: Account, why: list[str]) -> None:
    assert said(window) == why


@pytest.mark.parametrize(("quality", "refused"), [(0.8, False), (0.8001, True)])
def test_too_many_wrong_clocks_refuse_a_window_with_both_figures(quality: float, refused: bool) -> None:
    left_out = {WRONG: 30, FUTURE: 2, "unlabelled": 9}
    window = binary((80, 20), (50, 5), believed=0.8, left_out=left_out)
    why = "timestamp quality is 0.8000, the contract asks for at least 0.8001: 32 events of a wrong clock"
    assert said(window, asking(quality)) == [why] * refused


def test_a_feature_that_tells_the_label_refuses_a_window_by_name_and_says_what_to_do() -> None:
    window = binary((80, 20), (50, 5), leaks={"landed_late": 0.99995})
    assert said(window, asking(leak=0.99)) == [
        "feature landed_late alone tells the label: its AUC on the holdout is 0.99995,"
        " the contract allows 0.99; take it out, or raise train.leak where it is known when the question is"
        " asked"
    ]


def test_every_reason_is_given() -> None:
    window = binary((80, 0), (5, 1), believed=0.1, leaks={"x": 1.0, "y": 0.9999})
    assert len(said(window)) == 5


def test_an_account_is_kept_whole() -> None:
    window = binary(
        (80, 20),
        (50, 5),
        believed=0.75,
        files={"events/a.parquet": "ab"},
        budget={"rows": 200, "kept": 130, "since": 5},
        slices=(7, 8),
        leaks={"x": 0.9999},
        rivals={"champion": "", "waiting": "why"},
    )
    assert Account.from_bytes(window.to_bytes()) == window


def test_an_account_of_a_number_is_kept_with_its_mean() -> None:
    window = of_numbers((0.0, 2.0, 9.0), (1.0, 3.0, 8.0))
    assert Account.from_bytes(window.to_bytes()) == window
    assert window.spread["train"] == (0.0, 2.0, 9.0)


def test_the_account_of_an_older_trainer_still_reads() -> None:
    window = binary((80, 20), (50, 5))
    raw = json.loads(window.to_bytes())
    for name in ("believed", "files", "budget", "slices", "leaks", "rivals"):
        del raw[name]
    assert Account.from_bytes(json.dumps(raw).encode()) == window
    with pytest.raises(BadArtifact, match="a window's account"):
        Account.from_bytes(b"{}")
