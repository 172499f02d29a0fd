"""The schema of a request's and an answer's body accepts just what the scorer takes, and all that it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.example import example_request
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Part
from hotpath.contract.schema_bodies import document
from hotpath.contract.tensors import DATATYPES
from serve.answer import answer
from serve.generation import Generation
from serve.infer import question, response
from tests.contract.declared import asking, parts, records, rows, taken
from tests.contract.judge import accepts
from tests.unit.serve.generations import ASKED, CONTRACT, COSTS, IGNORING, PORTS, START, generation, shared

# A change to a body that is right, each at one place.
SPOILT: dict[str, Any] = {
    "no inputs": lambda body: body.pop("inputs"),
    "inputs that are none": lambda body: body.update(inputs=[]),
    "a key too many": lambda body: body.update(more=1),
    "an id that is a number": lambda body: body.update(id=1),
    "an id that is too long": lambda body: body.update(id="x" * 257),
    "parameters that are no object": lambda body: body.update(parameters=[]),
    "an undeclared parameter": lambda body: body.setdefault("parameters", {}).update(nobody=1),
    "a tensor twice": lambda body: body["inputs"].append(body["inputs"][0]),
    "a tensor less": lambda body: body["inputs"].pop(),
    "an unknown tensor": lambda body: body["inputs"].append({**body["inputs"][0], "name": "nobody"}),
    "a tensor without a name": lambda body: body["inputs"][0].pop("name"),
    "a tensor without a shape": lambda body: body["inputs"][0].pop("shape"),
    "a shape of two": lambda body: body["inputs"][0].update(shape=[1, 1]),
    "another datatype": lambda body: body["inputs"][0].update(datatype="FP32"),
    "no data": lambda body: body["inputs"][0].update(data=[]),
    "data that is no list": lambda body: body["inputs"][0].update(data="x"),
    "a tensor with a key too many": lambda body: body["inputs"][0].update(more=1),
    "a tensor's parameters": lambda body: body["inputs"][0].update(parameters={"binary": True}),
    "outputs": lambda body: body.update(outputs=[{"name": "score"}]),
}


@given(st.data(), parts(depth=1), st.sampled_from(["refuse", "ignore"]))
def test_a_body_that_the_scorer_takes_is_a_body_of_the_schema(
    data: st.DataObject, declared: tuple[Part, ...], unknown: str
) -> None:
    made = generation(contract=asking(declared, unknown))
    parameters = data.draw(records([replace(f, source=f.name) for f in made.contract.serve.parameters]))
    sent = body(made.contract, data.draw(rows(made.contract)), parameters)
    assert accepts(document(made.contract), "request", sent) is taken(asked(made), sent)


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("contract", [ASKED, IGNORING], ids=["refusing", "ignoring"])
def test_a_body_that_is_spoilt_is_taken_by_both_or_by_none(
    contract: Contract, spoil: Callable[[dict[str, Any]], object]
) -> None:
    sent = deepcopy(example_request(contract))
    spoil(sent)
    assert accepts(document(contract), "request", sent) is taken(asked(generation(contract=contract)), sent)


@pytest.mark.parametrize("contract", [CONTRACT, ASKED, COSTS], ids=["binary", "declared", "number"])
@pytest.mark.parametrize("size", [0.5, 0.95, 7.0, None])
def test_what_the_scorer_says_is_an_answer_of_the_schema(contract: Contract, size: float | None) -> None:
    assert accepts(document(contract), "response", said(generation(contract=contract), size))


def test_what_a_model_of_many_classes_says_is_an_answer_of_the_schema() -> None:
    assert accepts(document(PORTS), "response", said(generation(contract=PORTS, model=shared), 0.5))


@pytest.mark.parametrize("change", [{"model_name": "no"}, {"outputs": []}, {"parameters": {}}, {"more": 1}])
def test_another_answer_is_none(change: dict[str, Any]) -> None:
    right = said(generation(), 0.5)
    assert not accepts(document(CONTRACT), "response", {**right, **change})


def asked(made: Generation) -> Callable[[object], None]:
    """What the scorer does with a body before it answers."""

    def ask(sent: object) -> None:
        for row in question(sent, made).rows:
            made.decode(row)

    return ask


def said(made: Generation, size: float | None) -> Any:
    """The answer to the example with this size, as JSON."""
    sent = example_request(made.contract)
    sent["inputs"].append({"name": "size", "datatype": "FP64", "shape": [1], "data": [size]})
    found = question(sent, made)
    answers = [answer(made, row, START, "p1", found.parameters) for row in found.rows]
    return json.loads(json.dumps(response(made, found, answers, START), allow_nan=False))


def body(contract: Contract, row: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """One row as tensors; what no field is called is a number."""
    fields = {f.name: f for f in contract.events.fields}
    inputs = [_tensor(name, fields.get(name), value) for name, value in row.items()]
    return {"inputs": inputs, **({"parameters": parameters} if parameters else {})}


def _tensor(name: str, field: Field | None, value: object) -> dict[str, Any]:
    datatype = DATATYPES[field.type] if field else "FP64"
    data = [json.dumps(value) if isinstance(value, list) else value]
    return {"name": name, "datatype": datatype, "shape": [1], "data": data}
