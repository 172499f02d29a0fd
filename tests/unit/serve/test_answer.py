"""A row's way through a generation, and the answer's record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import DAY, HOUR, MINUTE
from hotpath.contract.model import Contract
from hotpath.contract.tensors import DATATYPES
from hotpath.errors import BadInput
from serve import infer
from serve.answer import answer, record
from serve.decide import Age, Cuts, Decided, decide
from tests.unit.serve.generations import CONTRACT, NAMES, START, changed, generation

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
    decided = decide(score, Cuts(0.5, 0.5), Age(age, fresh=3 * HOUR, expired=24 * HOUR))
    assert (decided.decision, decided.degraded) == (decision, flags)


#   0 ── accept ──┤ below 0.3 ── abstain ── from 0.8 ├── decline ── 1
@pytest.mark.parametrize(
    ("cuts", "decisions"),
    [
        (Cuts(0.8, 0.3), "accept abstain abstain decline"),
        (Cuts(None, 0.3), "accept abstain abstain abstain"),
        (Cuts(0.8, None), "abstain abstain abstain decline"),
        (Cuts(None, None), "abstain abstain abstain abstain"),
        (None, "accept accept accept accept"),
    ],
)
def test_between_two_cuts_the_model_leaves_it_to_the_caller(cuts: Cuts | None, decisions: str) -> None:
    age = Age(HOUR, fresh=3 * HOUR, expired=24 * HOUR)
    found = [decide(score, cuts, age).decision for score in (0.29, 0.3, 0.79, 0.8)]
    assert found == decisions.split()


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_a_higher_score_is_never_judged_better(one: float, other: float, cuts: list[float]) -> None:
    age, order = Age(HOUR, fresh=3 * HOUR, expired=24 * HOUR), ("accept", "abstain", "decline")
    low, high = (
        order.index(decide(score, Cuts(cuts[1], cuts[0]), age).decision) for score in sorted((one, other))
    )
    assert low <= high


@pytest.mark.parametrize(("ruled", "decision"), [(True, "decline"), (False, "accept"), (None, "abstain")])
@pytest.mark.parametrize(("score", "age", "flag"), [(0.1, 25 * HOUR, "expired"), (None, 4 * HOUR, "stale")])
def test_without_a_score_or_past_expired_the_rule_decides(
    score: float | None, age: int, flag: str, ruled: bool | None, decision: str
) -> None:
    cuts, old = Cuts(0.5, 0.5), Age(age, fresh=3 * HOUR, expired=24 * HOUR)
    found = decide(score, cuts, old, lambda: ruled)
    assert found == Decided(decision, (flag, "fallback"), ruled)  # type: ignore[arg-type]


def test_the_rule_is_not_asked_while_the_model_can_answer() -> None:
    asked: list[bool] = []
    decide(0.5, Cuts(0.5, 0.5), Age(4 * HOUR, 3 * HOUR, 24 * HOUR), lambda: asked.append(True))
    assert not asked


RULED = changed(("fresh: 3h, expired: 24h", "fresh: 3h, expired: 24h, fallback: size > 0.5"))


@pytest.mark.parametrize(
    ("size", "asked_at", "decision", "degraded"),
    [
        (0.7, START + HOUR, "decline", ()),
        (0.7, START + DAY + HOUR, "decline", ("expired", "fallback")),
        (0.2, START + DAY + HOUR, "accept", ("expired", "fallback")),
        (None, START + HOUR, "abstain", ("fallback", "no score")),
    ],
)
def test_past_expired_or_without_a_score_the_contracts_rule_answers(
    size: float | None, asked_at: int, decision: str, degraded: tuple[str, ...]
) -> None:
    answered = answer(generation(contract=RULED), {**ROW, "size": size}, asked_at, "id")
    assert (answered.decision, answered.degraded) == (decision, degraded)
    score = None if degraded else size
    assert dict(answered.outputs) == {"score": score, "decision": decision}
    said = record(generation(contract=RULED), answered, asked_at, asked_at)
    assert (said.score, said.threshold) == (score, 0.5), "a record's score is the model's, never the rule's"


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
        "accept_below": 0.5,
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
