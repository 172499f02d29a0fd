"""What a contract declares beside plain fields: parameters, defaults, arrays, the answer, what is ignored."""

from __future__ import annotations

from typing import Any

import pytest

from hotpath.clock import HOUR, MINUTE
from hotpath.errors import BadInput
from serve import infer
from serve.answer import answer, record
from serve.generation import Generation
from tests.unit.serve.generations import ASKED, CONTRACT, IGNORING, START, generation
from tests.unit.serve.test_answer import ROW, request

TAGGED = {"box.tags": '["new", "red"]'}


def asked(made: Generation, parameters: object = None, **fields: object) -> infer.Question:
    sent = {} if parameters is None else {"parameters": parameters}
    return infer.question({**request(made.contract, **fields), **sent}, made)


def answered(parameters: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    """The output tensors' only values, and the flags."""
    made = generation(contract=ASKED)
    question = asked(made, parameters, **{**TAGGED, **fields})
    found = [answer(made, row, START, "id", question.parameters) for row in question.rows]
    said: Any = infer.response(made, question, found, START)
    return {o["name"]: o["data"][0] for o in said["outputs"]} | {"flags": said["parameters"]["degraded"]}


def test_the_answer_holds_what_is_declared_outputs_features_and_parameters() -> None:
    found = answered({"channel": "shop"}, spent="PT30M")
    assert found == {"score": 0.7, "decision": "decline", "hours": 0.5, "channel": "shop", "flags": []}


def test_a_field_and_a_parameter_that_are_left_out_have_their_defaults() -> None:
    found = answered()
    assert (found["hours"], found["channel"]) == (1.0, "web")


def test_a_value_of_the_answer_that_is_not_as_declared_is_null_and_nobody_decides_by_it() -> None:
    found = answered(size=0.95)
    assert (found["score"], found["decision"], found["flags"]) == (None, "abstain", ["invalid:score"])
    made = generation(contract=ASKED)
    (row,) = asked(made, **{**TAGGED, "size": 0.95}).rows
    said = record(made, answer(made, row, START, "id"), START, START)
    assert (said.score, said.decision, said.degraded) == (None, "abstain", ["invalid:score"])


def test_parameters_travel_with_the_record_as_they_came() -> None:
    made = generation(contract=ASKED)
    question = asked(made, {"channel": "shop", "limit": 3}, **TAGGED)
    said = record(made, answer(made, question.rows[0], START, "id", question.parameters), START, START)
    assert said.parameters == {"channel": "shop", "limit": 3}
    assert said.request["box.tags"] == ["new", "red"]
    again = answer(made, said.request, START, "id", said.parameters)  # type: ignore[arg-type]
    assert (again.features, list(again.degraded)) == (tuple(said.features), said.degraded)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"channel": "phone"}, "parameters.channel"),
        ({"limit": -1}, "parameters.limit"),
        ({"limit": "1"}, "parameters.limit"),
        ({"channel": None}, "parameters.channel"),
        ({"chanel": "web"}, "parameters.chanel"),
        ([], "parameters"),
        (None, "parameters"),
    ],
)
def test_a_parameter_that_is_not_as_declared_is_refused_by_its_name(parameters: object, named: str) -> None:
    made = generation(contract=ASKED)
    with pytest.raises(BadInput) as refused:
        infer.question({**request(ASKED, **TAGGED), "parameters": parameters}, made)
    assert refused.value.thing == named


@pytest.mark.parametrize(
    "text", ["new", '"new"', "{}", "[", '["a", "b", "c", "d"]', "[1]", "[null]", '["\\ud800"]']
)
def test_an_array_that_is_none_or_not_as_declared_names_its_field(text: str) -> None:
    made = generation(contract=ASKED)
    with pytest.raises(BadInput) as refused:
        answer(made, asked(made, **{"box.tags": text}).rows[0], START, "id")
    assert refused.value.thing == "box.tags"


@pytest.mark.parametrize("value", [["new"], 1, True])
def test_an_array_travels_as_text_and_not_otherwise(value: object) -> None:
    with pytest.raises(BadInput, match="the text of a JSON array"):
        asked(generation(contract=ASKED), **{"box.tags": value})


def test_a_duration_travels_as_iso_8601() -> None:
    made = generation(contract=ASKED)
    (row,) = asked(made, **TAGGED, spent="P1DT2H").rows
    assert made.decode(row)["spent"] == 26 * HOUR
    with pytest.raises(BadInput, match="spent"):
        answer(made, asked(made, **TAGGED, spent=60 * MINUTE).rows[0], START, "id")


def test_who_ignores_the_unknown_counts_it() -> None:
    made = generation(contract=IGNORING)
    question = asked(made, {"debug": True}, nobody="knows", it="either")
    assert (question.rows, question.parameters, question.unknown) == ((ROW,), {}, 3)


@pytest.mark.parametrize(("parameters", "field"), [({"debug": True}, {}), ({}, {"nobody": "knows"})])
def test_who_does_not_refuses_it(parameters: dict[str, object], field: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        infer.question({**request(CONTRACT, **field), "parameters": parameters}, generation())


def test_metadata_lists_fields_outputs_and_parameters() -> None:
    said: Any = infer.metadata(generation(contract=ASKED))
    assert {"name": "box.tags", "datatype": "BYTES", "shape": [-1]} in said["inputs"]
    assert [(o["name"], o["datatype"]) for o in said["outputs"]] == [
        ("channel", "BYTES"), ("decision", "BYTES"), ("hours", "FP64"), ("score", "FP64"),
    ]  # fmt: skip
    assert said["parameters"] == {"channel": "category", "limit": "double"}
