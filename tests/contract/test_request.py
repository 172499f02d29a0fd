"""A scoring request gets the same checks as an event; what is wrong is a BadInput that names the field."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.request import parameters_decoder, request_decoder
from hotpath.contract.row import row_function
from hotpath.errors import BadInput
from tests.contract.samples import small

DECODE = request_decoder(small())
REQUEST: dict[str, Any] = {"who": "w", "level": "low", "flag": True, "count": 7, "size": 2}


def test_id_host_and_time_may_be_absent_and_nullable_fields_too() -> None:
    absent = {"id": None, "host": None, "at": None}
    assert DECODE(REQUEST) == {**REQUEST, **absent, "size": 2.0}
    assert DECODE({"who": "w", "flag": True, "count": 7})["level"] is None


def test_a_time_that_is_given_is_used() -> None:
    assert DECODE({**REQUEST, "at": "2026-11-20T09:00:00Z"})["at"] == 1795165200000000


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("size", nan, "a number from -1.0 to 10.5"),
        ("size", inf, "a number from -1.0 to 10.5"),
        ("size", 11, "a number from -1.0 to 10.5"),
        ("size", "1.5", "a number"),
        ("size", True, "a number"),
        ("count", 1.0, "a whole number of 64 bits"),
        ("count", None, "a value"),
        ("who", "", "a text that is not empty"),
        ("who", "\ud800", "a text without NUL and lone surrogates"),
        ("level", ["low"], "a text"),
        ("at", 1795165200, "an RFC 3339 instant with a zone, 2000 to 2099"),
        ("id", None, "a value"),
        ("sise", 1, "a field of this model; did you mean size?"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field: str, value: object, expected: str) -> None:
    with pytest.raises(BadInput) as error:
        DECODE({**REQUEST, field: value})
    assert (error.value.thing, error.value.expected) == (field, expected)


@pytest.mark.parametrize("field", ["who", "flag", "count"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(BadInput) as error:
        DECODE({name: value for name, value in REQUEST.items() if name != field})
    assert error.value.thing == field


def test_an_unseen_category_is_answered() -> None:
    row = DECODE({**REQUEST, "level": "never seen"})
    assert row_function(small())(row) == (True, "never seen")


@given(st.dictionaries(st.sampled_from(sorted(REQUEST)) | st.text(max_size=3), st.from_type(object)))
def test_anything_is_decoded_or_refused_by_name(changes: dict[str, object]) -> None:
    named = None
    try:
        DECODE({**REQUEST, **changes})
    except BadInput as error:
        named = error.thing
    assert named is None or named in changes


SERVE = "serve: {fresh: 3h, expired: 24h}"
DECLARED = """serve:
  fresh: 3h
  expired: 24h
  parameters:
    channel: {type: category, levels: [shop, web], default: web}
    limit:   {type: duration, nullable: true}
    tags:    {type: array, of: string, max_items: 2}"""


def test_an_absent_field_with_a_default_has_it_and_null_is_refused() -> None:
    decode = request_decoder(small("flag:   {type: bool}", "flag:   {type: bool, default: true}"))
    asked = {name: value for name, value in REQUEST.items() if name != "flag"}
    assert decode(asked)["flag"] is True
    with pytest.raises(BadInput, match="flag"):
        decode({**asked, "flag": None})


def test_an_unknown_field_is_passed_over_where_the_contract_says_so() -> None:
    decode = request_decoder(small(SERVE, "serve: {fresh: 3h, expired: 24h, unknown: ignore}"))
    assert decode({**REQUEST, "sise": 1}) == DECODE(REQUEST)


def test_the_callers_parameters_are_decoded_like_fields() -> None:
    decode = parameters_decoder(small(SERVE, DECLARED))
    assert decode({"tags": ["a"], "limit": "-PT1M"}) == {
        "channel": "web",
        "limit": -60_000_000,
        "tags": ["a"],
    }


@pytest.mark.parametrize(
    ("sent", "thing", "expected"),
    [
        ({"tags": [], "channel": "fax"}, "parameters.channel", "one of its levels"),
        ({"tags": [], "chanel": "web"}, "parameters.chanel", "did you mean channel?"),
        ({"tags": [], "limit": "1h"}, "parameters.limit", "an ISO 8601 duration"),
        ({"tags": ["a", None]}, "parameters.tags", "items that are each a value"),
        ({"tags": ["a", "b", "c"]}, "parameters.tags", "at most 2 items"),
        ({}, "parameters.tags", "a value"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(sent: dict[str, object], thing: str, expected: str) -> None:
    with pytest.raises(BadInput) as error:
        parameters_decoder(small(SERVE, DECLARED))(sent)
    assert error.value.thing == thing
    assert expected in error.value.expected
