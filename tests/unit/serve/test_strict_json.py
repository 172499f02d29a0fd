"""Strict JSON: every value that JSON can say comes through, and nothing ambiguous."""

from __future__ import annotations

import json
from contextlib import suppress
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.errors import BadInput
from serve.strict_json import parse

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_every_value_comes_through(value: object, escaped: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=50))
def test_any_bytes_are_a_value_or_bad_input(body: bytes) -> None:
    with suppress(BadInput):
        parse(body)


def test_a_number_too_large_is_left_for_its_field_to_refuse() -> None:
    assert parse(b"[1e999]") == [inf]


@pytest.mark.parametrize(
    "body", [b'{"a":1,"a":2}', b"[1]x", b'"\\udc00"', b'"\xff"', b"\xef\xbb\xbf1", b"[" * 10**5]
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse(body)
