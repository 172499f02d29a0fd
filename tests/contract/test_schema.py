"""JSON Schema, judged by a library of its own, accepts just what the composed checks accept, in and out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hotpath.contract import schema
from hotpath.contract.checks import check
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.parts import Field, Object, Part, Source
from hotpath.contract.request import parameters_decoder, request_decoder
from hotpath.contract.response import response_checker
from hotpath.contract.schema_bodies import as_yaml, document
from hotpath.contract.types import Type
from tests.contract.declared import anything, asking, fields, near, parts, records, rows, taken
from tests.contract.judge import accepts
from tests.contract.samples import small


@settings(max_examples=600)
@given(st.data(), fields(), st.booleans())
def test_a_value_that_the_check_takes_is_a_value_of_the_schema(
    data: st.DataObject, field: Field, never_empty: bool
) -> None:
    never_empty = never_empty and field.type in (Type.STRING, Type.CATEGORY)
    value = data.draw(near(field))
    said = {"$defs": {"value": schema.value(field, never_empty)}}
    assert accepts(said, "value", value) is taken(check(field, never_empty), value)


@given(st.data(), parts())
def test_a_record_that_the_decoder_takes_is_a_record_of_the_schema(
    data: st.DataObject, declared: tuple[Part, ...]
) -> None:
    source = Source("topic", "", declared)
    record = data.draw(records(declared))
    decoded = decoder(source)(json.dumps(record).encode())
    assert accepts({"$defs": {"record": schema.record(source)}}, "record", record) is isinstance(
        decoded, Decoded
    )


NESTED = (
    Object("o", (Field("o.n", Type.LONG), Field("o.d", Type.LONG, default=7)), nullable=True),
    Object("p", (Field("p.n", Type.LONG), Object("p.q", (Field("p.q.s", Type.STRING, nullable=True),)))),
    Field("l", Type.LONGS, nullable=True, max_items=2, source="List"),
)


@pytest.mark.parametrize(
    ("record", "takes"),
    [
        ({"p": {"n": 1}}, True),
        ({"p": {"n": 1}, "o": None}, True),
        ({"p": {"n": 1}, "o": {}}, True),
        ({"p": {"n": 1}, "o": {"n": None, "d": None}}, True),
        ({"p": {"n": 1, "q": {"s": None, "more": 1}}, "l": "another"}, True),
        ({"p": {"n": 1}, "List": [1, 2]}, True),
        ({"p": {"n": 1}, "List": [1, 2, 3]}, False),
        ({"p": {"n": 1}, "List": [1.0]}, False),
        ({"p": {"n": 1}, "o": 1}, False),
        ({"p": {"n": 1, "q": None}}, False),
        ({"p": {}}, False),
        ({}, False),
    ],
)
def test_a_nested_record_is_taken_or_refused_by_both(record: dict[str, Any], takes: bool) -> None:
    source = Source("topic", "", NESTED)
    assert isinstance(decoder(source)(json.dumps(record).encode()), Decoded) is takes
    assert accepts({"$defs": {"record": schema.record(source)}}, "record", record) is takes


@given(st.data(), parts(depth=1), st.sampled_from(["refuse", "ignore"]))
def test_a_row_that_the_request_takes_is_a_row_of_the_schema(
    data: st.DataObject, declared: tuple[Part, ...], unknown: str
) -> None:
    contract = asking(declared, unknown)
    row = data.draw(rows(contract))
    assert accepts(document(contract), "row", row) is taken(request_decoder(contract), row)


@given(st.data(), parts(depth=1), st.sampled_from(["refuse", "ignore"]))
def test_parameters_that_are_taken_are_those_of_the_schema(
    data: st.DataObject, declared: tuple[Part, ...], unknown: str
) -> None:
    contract = asking(declared, unknown)
    given_ = data.draw(records([replace(f, source=f.name) for f in contract.serve.parameters]))
    assert accepts(document(contract), "parameters", given_) is taken(parameters_decoder(contract), given_)


@given(st.data(), st.lists(fields(), min_size=1, max_size=3))
def test_an_answer_without_fault_is_an_answer_of_the_schema(
    data: st.DataObject, declared: list[Field]
) -> None:
    named = tuple(replace(f, name=f"f{n}", default=None) for n, f in enumerate(declared))
    contract = replace(small(), serve=replace(small().serve, response=named))
    answer = data.draw(records(named))
    assert accepts(document(contract), "answer", answer) is (response_checker(contract)(answer) == ())


def test_the_faults_of_an_answer_are_named() -> None:
    wrong = response_checker(small())
    assert wrong({"score": 0.5, "decision": "accept"}) == ()
    assert wrong({"score": None, "decision": "abstain"}) == ()
    assert wrong({"score": float("nan"), "decision": "accept"}) == ("score",)
    assert wrong({"score": 1.5, "decision": "yes"}) == ("decision", "score")
    assert wrong({"decision": "accept", "more": 1}) == ("more", "score")


@pytest.mark.parametrize("unknown", ["refuse", "ignore"])
@settings(max_examples=10)
@given(declared=parts())
def test_the_document_is_a_schema_and_the_same_in_yaml(unknown: str, declared: tuple[Part, ...]) -> None:
    made = document(asking(declared, unknown))
    Draft202012Validator.check_schema(made)
    assert yaml.safe_load(as_yaml(made)) == json.loads(json.dumps(made))


@given(anything)
def test_the_judge_and_the_checks_agree_on_what_is_no_json(value: object) -> None:
    field = Field("f", Type.DOUBLE)
    assert accepts({"$defs": {"v": schema.value(field)}}, "v", value) is taken(check(field), value)
