"""A row's way through a generation, and the answer's record."""

from __future__ import annotations

from typing import Any

import pytest

from hotpath.clock import HOUR, MINUTE
from hotpath.contract.model import Contract
from hotpath.contract.tensors import DATATYPES
from hotpath.errors import BadInput
from serve import infer
from serve.answer import answer, record
from serve.decide import Age, decide
from tests.unit.serve.generations import CONTRACT, NAMES, START, generation

ROW: dict[str, object] = {"thing_id": "t1", "due_at": "2026-11-18T13:26:40Z", "size": 0.7, "kind": "plain"}


def request(contract: Contract = CONTRACT, **changed: object) -> dict[str, Any]:
    """A v2 request of one row of ROW; `changed` replaces values."""
    types = {f.name: DATATYPES[f.type] for f in contract.events.fields}
    row = {**ROW, **changed}
    return {
        "inputs": [
            {"name": n, "datatype": types.get(n, "BYTES"), "shape": [1], "data": [v]} for n, v in row.items()
        ]
    }


@pytest.mark.parametrize(
    ("score", "age", "decision", "flags"),
    [
        (0.5, HOUR, "decline", ()),
        (0.49, HOUR, "accept", ()),
        (None, HOUR, "abstain", ()),
        (0.9, 4 * HOUR, "decline", ("stale",)),
        (0.9, 25 * HOUR, "abstain", ("expired",)),
    ],
)
def test_a_decision_follows_score_and_age(
    score: float | None, age: int, decision: str, flags: tuple[str, ...]
) -> None:
    decided = decide(score, 0.5, Age(age, fresh=3 * HOUR, expired=24 * HOUR))
    assert (decided.decision, decided.degraded) == (decision, flags)


def test_the_same_question_a_minute_later_is_a_minute_nearer() -> None:
    minutes = NAMES.index("minutes")
    first, later = (answer(generation(), ROW, START + t * MINUTE, "id") for t in (10, 11))
    assert first.features[minutes] - later.features[minutes] == 1  # type: ignore[operator]


def test_a_question_that_states_its_time_keeps_it() -> None:
    stated = {**ROW, "event_time": "2026-11-18T13:25:40Z"}
    assert answer(generation(), stated, START, "id").features[NAMES.index("minutes")] == 1


def test_an_unseen_category_is_answered_and_flagged() -> None:
    answered = answer(generation(), {**ROW, "kind": "strange"}, START, "id")
    assert (answered.decision, answered.degraded) == ("decline", ("unseen:kind",))


def test_a_row_that_the_model_cannot_score_is_an_abstention() -> None:
    answered = answer(generation(), {**ROW, "size": None}, START, "id")
    assert (answered.score, answered.decision, answered.degraded) == (None, "abstain", ("no score",))


def test_a_score_record_holds_the_request_as_it_came() -> None:
    said = record(generation(), answer(generation(), ROW, START, "id"), START, START + 1)
    assert (said.request, said.entity, said.sequence, said.asked_at) == (ROW, "t1", 5, START)
    assert type(said).from_bytes(said.to_bytes()) == said


def test_a_request_becomes_rows_and_its_answer_echoes_the_id() -> None:
    asked = infer.question({**request(), "id": "42"}, generation())
    assert asked.rows == (ROW,)
    answers = [answer(generation(), row, START + HOUR, "p1") for row in asked.rows]
    said = infer.response(generation(), asked, answers, START + HOUR)
    assert (said["id"], said["model_version"]) == ("42", "5")
    assert said["parameters"] == {
        "prediction_ids": ["p1"],
        "sequence": 5,
        "bundle": "b5",
        "fingerprint": CONTRACT.fingerprint,
        "threshold": 0.5,
        "asked_at": START + HOUR,
        "age_s": 3600.0,
        "degraded": [],
    }


def test_a_whole_number_is_a_double_too() -> None:
    (row,) = infer.question(request(size=3), generation()).rows
    assert row["size"] == 3.0
    assert type(row["size"]) is float


@pytest.mark.parametrize(
    ("field", "value"), [("size", "1.5"), ("size", True), ("count", 2**63), ("urgent", 1)]
)
def test_a_value_of_another_type_names_its_field(field: str, value: object) -> None:
    (row,) = infer.question(request(CONTRACT, **{field: value}), generation()).rows
    with pytest.raises(BadInput) as refused:
        answer(generation(), row, START, "id")
    assert refused.value.thing == field


def test_metadata_lists_every_field_as_a_tensor() -> None:
    said = infer.metadata(generation())
    assert said["versions"] == ["5"]
    assert {"name": "count", "datatype": "INT64", "shape": [-1]} in said["inputs"]  # type: ignore[operator]
