"""What a sample says of its fields: types, ranges that leave room, names, and what is left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.checks import check
from hotpath.contract.parts import Field, Object, leaves
from hotpath.contract.types import Type
from hotpath.people.infer import infer, named, widened


def field(*values: Any) -> Field:
    """What is inferred of one key's values, one a row."""
    (part,) = infer([{"it": value} for value in values]).parts
    assert isinstance(part, Field)
    return part


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((True, False), Type.BOOL),
        ((1, 2), Type.LONG),
        ((1, 2.5), Type.DOUBLE),
        ((2**70, 1), Type.DOUBLE),
        (("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+01:00"), Type.TIMESTAMP),
        (("P1DT2H", "-PT0.5S"), Type.DURATION),
        (("UA", "UA", "AA"), Type.CATEGORY),
        (tuple(f"id-{n}" for n in range(50)), Type.STRING),
        ((["a"], ["b", "c"]), Type.STRINGS),
        (([1], []), Type.LONGS),
        (([1, 2.5],), Type.DOUBLES),
    ],
)
def test_a_type_is_what_all_values_are(values: tuple[Any, ...], kind: Type) -> None:
    assert field(*values).type == kind


def test_what_is_null_or_absent_in_a_row_is_nullable() -> None:
    parts = infer([{"a": 1, "b": None, "c": 1}, {"a": 2, "b": 1}]).parts
    assert [(p.name, p.nullable) for p in parts] == [("a", False), ("b", True), ("c", True)]


def test_a_nested_object_keeps_its_shape_and_its_own_nulls() -> None:
    devices: list[dict[str, Any]] = [{"os": "ios", "v": 1}, {"os": "ios"}, {"os": "web", "v": 3}]
    rows = [{"device": device} for device in devices]
    (device,) = infer(rows).parts
    assert isinstance(device, Object)
    assert [(f.name, f.nullable) for f in leaves((device,))] == [("device.os", False), ("device.v", True)]
    assert not device.nullable


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((None, None), "null in every row"),
        ((1, "a"), "several types"),
        (([{"a": 1}],), "a list"),
        (([],), "a list"),
        (({},), "without fields"),
        (("a\0", "\0b"), "without NUL"),
        (("x" * 65_537,), "at most 65536 characters"),
    ],
)
def test_what_no_field_can_hold_is_left_out_and_said(values: tuple[Any, ...], why: str) -> None:
    found = infer([{"it": value} for value in values])
    assert found.parts == ()
    assert why in found.left_out[0].why


def test_a_text_that_some_rows_cannot_send_is_a_field_still() -> None:
    assert field("a", "a", "a\0").type == Type.CATEGORY


def test_an_empty_key_is_left_out_and_said() -> None:
    found = infer([{"": 1, "a": 1}])
    assert [part.name for part in found.parts] == ["a"]
    assert "an empty key" in found.left_out[0].why


def test_a_key_that_is_no_name_of_ours_is_renamed_and_read_from_there() -> None:
    parts = infer([{"Mean Radius": 1.5, "mean_radius": 2.5, "raw": "x", "class": True}]).parts
    assert [(p.name, p.source) for p in parts] == [
        ("mean_radius", "Mean Radius"),
        ("mean_radius_2", "mean_radius"),
        ("raw_", "raw"),
        ("class_", "class"),
    ]


def test_a_unit_is_read_off_the_end_of_a_name() -> None:
    units = {p.name: p.unit for p in infer([{"trip_km": 1, "share_pct": 1.0, "km": 1, "x_m": 2}]).parts}  # type: ignore[union-attr]
    assert units == {"trip_km": "km", "share_pct": "percent", "km": None, "x_m": None}


@given(st.lists(st.floats(-1e12, 1e12) | st.integers(-(10**12), 10**12), min_size=1))
def test_a_range_holds_what_it_was_made_of(values: list[float]) -> None:
    low, high = widened(min(values), max(values))
    assert low <= min(values) <= max(values) <= high


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.lists(st.fixed_dictionaries({}, optional={"a": SCALARS, "b": SCALARS}), min_size=1))
def test_every_value_of_the_sample_is_one_of_its_inferred_field(rows: list[dict[str, Any]]) -> None:
    for made in infer(rows).parts:
        assert isinstance(made, Field)
        for row in rows:
            if not (isinstance(row.get(made.key), str) and "\0" in row[made.key]):
                check(made)(row.get(made.key))


@given(st.text(min_size=1))
def test_every_key_has_a_name(key: str) -> None:
    name = named(key)
    assert name.isidentifier()
    assert name == name.lower()
