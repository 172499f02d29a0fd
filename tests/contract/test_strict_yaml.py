"""YAML with one reading only."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.strict_yaml import DEEPEST, LARGEST, load_yaml, nearest
from hotpath.errors import BadConfig

REFUSED = {
    "a tag": ("a: !!python/object/apply:os.system [ls]", "f:1:4"),
    "a plain tag": ("a: !!str 1", "f:1:4"),
    "a tag on a key": ("!!str a: 1", "f:1:1"),
    "an anchor": ("a: &x 1\nb: 2", "f:1:4"),
    "an alias": ("a: 1\nb: *a", "f:2:4"),
    "a bomb": ("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]", "f:1:4"),
    "a duplicate key": ("a: 1\nb: 2\na: 3", "f:3:1"),
    "a duplicate key further in": ("a: {b: 1, b: 2}", "f:1:11"),
    "a number as key": ("1: a", "f:1:1"),
    "a null key": ("null: a", "f:1:1"),
    "a bool key": ("a:\n  true: b", "f:2:3"),
    "a mapping as key": ("{a: 1}: b", "f:1:1"),
    "two documents": ("a: 1\n---\nb: 2", "f:2:1"),
    "a tag directive": ("%TAG ! tag:x,2000:\n---\na: 1", "f:1:1"),
    "deep nesting": ("a: " + "[" * 100_000, "f:1:"),
    "deep mappings": ("a: " + "{a: " * 1000 + "}" * 1000, "f:1:"),
    "an open bracket": ("a: [1", "f:1:"),
    "a tab": ("a:\n\tb: 1", "f:2:1"),
    "a lone surrogate": ('a: "\\ud800"', "f:1:"),
    "a lone surrogate in a key": ('"\\ud800": 1', "f:1:"),
    "a NUL": ('a: "x\\0"', "f:1:4"),
    "a control character": ("a: 1\nb: \x07", "f:2:4"),
    "nothing": ("", "f"),
    "a list": ("- a", "f"),
    "a scalar": ("a", "f"),
    "too much": ("a: " + "x" * LARGEST, "f"),
}


@pytest.mark.parametrize(("text", "place"), REFUSED.values(), ids=REFUSED)
def test_yaml_with_surprises_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(BadConfig) as error:
        load_yaml(text, "f")
    assert error.value.thing.startswith(place)


SCALARS: dict[str, Any] = {
    "1": 1, "-1": -1, "1.5": 1.5, "1e3": 1000.0, "true": True, "false": False, "null": None, "~": None,
    "": None, "no": "no", "on": "on", "yes": "yes", "1:30": "1:30", "010": "010", "0x1F": "0x1F",
    "1_000": "1_000", "2026-11-20": "2026-11-20",
    ".inf": ".inf", ".nan": ".nan", "'1'": "1", '"true"': "true", "30d": "30d",
    "20%": "20%", "<<": "<<", "1.": "1.", "True": "True",
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_has_one_meaning(text: str) -> None:
    found = load_yaml(f"a: {text}", "f").data["a"]
    assert (type(found), found) == (type(SCALARS[text]), SCALARS[text])


def test_every_value_and_key_knows_its_place() -> None:
    tree = load_yaml("a: 1\nb:\n  c: [x, {d: 'two'}]\n", "f")
    assert tree.where(("a",)) == "f:1:4"
    assert tree.where(("b", "c", 1, "d")) == "f:3:15"
    assert tree.where(("b", "c", 1, "d"), offset=2) == "f:3:17"
    assert tree.where_key(("b", "c")) == "f:3:3"
    assert tree.where(("b", "missing", "further")) == "f:3:3"
    assert tree.where(()) == "f:1:1"


def test_an_offset_is_left_out_where_the_text_is_not_as_written() -> None:
    tree = load_yaml('a: "x\\ty"\nb: x\n  y\nc: |\n  x', "f")
    assert [tree.where((key,), offset=2) for key in "abc"] == ["f:1:4", "f:2:4", "f:4:4"]


def test_a_near_name_is_offered_and_a_far_one_is_not() -> None:
    assert nearest("featurs", ["labels", "features"]) == "; did you mean features?"
    assert nearest("zzz", ["labels", "features"]) == ""


keys = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5)
scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | keys.map("x".__add__)
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(st.dictionaries(keys, plain))
def test_json_reads_as_itself(data: dict[str, Any]) -> None:
    if data and _depth(data) <= DEEPEST:
        assert load_yaml(json.dumps(data), "f").data == data


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadConfig):
        load_yaml(text, "f")


def _depth(data: Any) -> int:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)
