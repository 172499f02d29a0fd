"""YAML that our own strict reader reads back as the same data."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.strict_yaml import load_yaml
from hotpath.people.yaml_text import block

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5))
def test_what_is_written_is_read_back(data: dict[str, Any]) -> None:
    assert load_yaml(block(data), "made.yaml").data == data


def test_a_list_of_mappings_is_a_list_of_blocks() -> None:
    cases = {"unit": [{"name": "a: b", "row": {"x": None}}, {"name": "no", "features": {"y": 1.5}}]}
    assert load_yaml(block(cases), "tests.yaml").data == cases
