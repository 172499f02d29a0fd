"""Answers and labels of many classes and of numbers, from the lake's columns to a quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hotpath.clock import HOUR
from hotpath.contract.model import Contract
from hotpath.contract.parts import Labels
from hotpath.errors import BadArtifact
from monitoring.held import Held
from monitoring.joined import CLASS_COLUMNS, SCORE_COLUMNS, answers, targets, told
from monitoring.outcomes import Outcomes
from tests.contract.samples import CONTRACT

TRUTH, GATE = "truth: {type: bool}", '{auc: ">= 0.60"}'
PLACE = {"topic": "t", "partition": 0}


def labels(truth: str, gate: str) -> Labels:
    text = CONTRACT.replace(TRUTH, f"truth: {truth}").replace(GATE, gate)
    return Contract.from_yaml(text, "small.yaml").labels


CLASSES = labels("{type: category, levels: [a, b, c]}", '{accuracy: ">= 0.5"}')
NUMBER = labels("{type: double}", '{rmse: "<= 9"}')
WHOLE = labels("{type: long}", '{rmse: "<= 9"}')


def scores(*rows: dict[str, Any]) -> pa.Table:
    """Score records of entities e0, e1, … asked at 0; what a row does not say is null."""
    plain = {"bundle": "b", "sequence": 1, "asked_at": 0, "arrived_at": 1}
    made = [
        dict.fromkeys((*SCORE_COLUMNS, *CLASS_COLUMNS))
        | plain
        | PLACE
        | {"prediction_id": f"p{n}", "entity": f"e{n}", "offset": n}
        | row
        for n, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(made)


def truths(*values: object) -> pa.Table:
    return pa.Table.from_pylist(
        [{"who": f"e{n}", "truth": v, "arrived_at": 2, "offset": n, **PLACE} for n, v in enumerate(values)]
    )


def outcomes(about: Labels, asked: pa.Table, known: pa.Table) -> Outcomes:
    found = answers(asked, about)
    return Outcomes(found, targets(found, told(known, about), HOUR), HOUR, about.kind)


def test_a_class_is_right_where_the_likeliest_is_the_labels() -> None:
    asked = scores(
        {"score": 0.7, "predicted": "b", "scores": "[0.2, 0.7, 0.1]"},
        {"score": 0.5, "predicted": "a", "scores": "[0.5, 0.2, 0.3]"},
        {"score": 0.9, "predicted": "c", "scores": "[0.1, 0, 0.9]"},
    )
    found = outcomes(CLASSES, asked, truths("b", "c")).quality()
    assert (found.answers, found.labelled, found.metrics["accuracy"]) == (3, 2, 0.5)
    assert found.metrics["log_loss"] == pytest.approx(-(np.log(0.7) + np.log(0.3)) / 2)


@pytest.mark.parametrize(
    ("predicted", "every"),
    [
        (None, None),
        ("b", "[0.2, 0.8]"),
        ("z", "[0.2, 0.7, 0.1]"),
        ("b", "[]"),
        ("b", '["x", 1, 2]'),
        (None, "{}"),
    ],
)
def test_an_answer_about_other_classes_counts_and_is_in_no_metric(predicted: object, every: object) -> None:
    asked = scores({"score": 0.7, "predicted": predicted, "scores": every})
    found = outcomes(CLASSES, asked, truths("b")).quality()
    assert (found.answers, found.labelled, found.metrics["accuracy"]) == (1, 1, None)


def test_a_label_of_a_class_that_is_none_of_the_contracts_tells_nothing() -> None:
    asked = scores({"score": 0.7, "predicted": "b", "scores": "[0.2, 0.7, 0.1]"})
    assert outcomes(CLASSES, asked, truths("z")).quality().labelled == 0


@pytest.mark.parametrize(("about", "values"), [(NUMBER, (3.5, -1.5, None)), (WHOLE, (3, -2, None))])
def test_a_number_is_held_against_its_label(about: Labels, values: tuple[object, ...]) -> None:
    asked = scores({"score": 3.0}, {"score": -1.0}, {"score": 9.0})
    found = outcomes(about, asked, truths(*values)).quality()
    assert (found.answers, found.labelled) == (3, 2)
    assert found.metrics["mae"] == pytest.approx(0.5)


def test_a_whole_number_beyond_a_doubles_digits_is_the_nearest_one() -> None:
    found = outcomes(WHOLE, scores({"score": 0.0}), truths(2**62 + 1)).quality()
    assert found.metrics["mae"] == 2.0**62


@pytest.mark.parametrize("about", [CLASSES, NUMBER])
def test_what_is_held_comes_back_and_is_nothing_to_another_target(about: Labels) -> None:
    asked = scores({"score": 0.7, "predicted": "b", "scores": "[0.2, 0.7, 0.1]"})
    held = Held(about, HOUR)
    held.take(0, 2, answers(asked, about), told(truths("b" if about is CLASSES else 1.5), about))
    raw = held.to_bytes("small")
    again = Held.from_bytes(raw, "small", about, HOUR)
    assert again.answers.tobytes() == held.answers.tobytes()
    assert again.labels.tobytes() == held.labels.tobytes()
    assert len(again.answers) == len(again.labels) == 1
    with pytest.raises(BadArtifact, match="rebuilt from the lake"):
        Held.from_bytes(raw, "small", WHOLE, HOUR)
