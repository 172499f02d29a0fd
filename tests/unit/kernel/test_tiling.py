"""Records into tiles, vectorised, against an oracle that goes through them one by one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.aggregates import Aggregate, Layout
from hotpath.contract.statistics import LARGEST, Part
from hotpath.contract.types import Type
from hotpath.lake import INSTANT
from hotpath.tiles import packed, unpacked
from hotpath.tiling import columns, merged, packed_keys, schema, tiled, tiles_of
from tests.contract.tiled import ALL, Counted, aggregate, tiles

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "", "ä/b", None]),
        st.one_of(
            st.none(),
            st.floats(-3, 3),
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([0.25, -0.25, 0.35, 1e10, 1e10 + 0.1, -1e10, 5e-324]),
        ),
        st.integers(1_000, 1_025),
    ),
    max_size=30,
)
DOUBLES = aggregate(kind=Type.DOUBLE, digits=2)
THROUGH = 2_000


def rows(found: list[tuple[str | None, float | None, int]]) -> pa.Table:
    keys, values, instants = zip(*found, strict=True) if found else ((), (), ())
    arrived = pa.array(instants, pa.int64()).cast(INSTANT)
    return pa.table(
        {"shop": pa.array(keys, pa.string()), "paid": pa.array(values, pa.float64()), "arrived_at": arrived}
    )


def fixed(value: float, of: Aggregate) -> int:
    """Round half even of the product of doubles, said with fractions."""
    unit = of.unit or 1.0
    product = value * unit
    return round(Fraction(product)) if abs(product) < 1e300 else LARGEST + 1


@given(ROWS, st.integers(0, 30))
def test_tiles_are_what_the_records_come_to_however_they_are_cut(
    found: list[tuple[str | None, float | None, int]], cut: int
) -> None:
    layout = Layout("p", DOUBLES, "t", ALL)
    whole = rows(found)
    made = merged([tiled(whole[:cut], layout), tiled(whole[cut:], layout)], layout)
    assert made.schema == schema(layout)
    by_key: dict[str, list[Counted]] = {}
    for key, value, at in found:
        if key is not None and value is not None and abs(q := fixed(value, DOUBLES)) <= LARGEST:
            by_key.setdefault(key, []).append(Counted(at, q))
    expected = {key: tiles(counted, layout, THROUGH, 7) for key, counted in by_key.items()}
    assert tiles_of(made, layout, THROUGH, 7) == expected
    raw = dict(packed_keys(made, layout, THROUGH, 7))
    assert raw == {key: packed(one, layout) for key, one in expected.items()}
    assert {key: packed(unpacked(value, layout), layout) for key, value in raw.items()} == raw


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        (pa.int64(), [7, -7, None], ["7", "-7"]),
        (pa.bool_(), [True, False, None], ["true", "false"]),
        (pa.string(), ["x", "", None], ["x", ""]),
    ],
)
def test_keys_are_texts(kind: pa.DataType, keys: list[object], said: list[str]) -> None:
    layout = Layout("p", aggregate(value=None, kind=None), "t", (Part.COUNT, Part.LAST_AT))
    instants = pa.array([1_000 + n for n in range(len(keys))]).cast(INSTANT)
    made = tiled(pa.table({"shop": pa.array(keys, kind), "arrived_at": instants}), layout)
    assert sorted(made["key"].to_pylist()) == sorted(said)


@pytest.mark.parametrize(
    ("kind", "values", "total"),
    [(pa.bool_(), [True, False, True, None], 2), (pa.int64(), [3, -1, None, LARGEST + 1, -(2**63)], 2)],
)
def test_whole_values_are_as_they_are(kind: pa.DataType, values: list[object], total: int) -> None:
    layout = Layout("p", aggregate(), "t", (Part.COUNT, Part.SUM))
    count = len(values)
    instants = pa.array([-1] * count).cast(INSTANT)
    made = tiled(
        pa.table({"shop": ["a"] * count, "paid": pa.array(values, kind), "arrived_at": instants}), layout
    )
    assert made["sum"].to_pylist() == [total]
    assert made["number"].to_pylist() == [-1], "before 1970 too, tiles are cut downwards"


def test_the_last_is_what_arrived_last_and_of_one_instant_the_greatest() -> None:
    layout = Layout("p", DOUBLES, "t", (Part.COUNT, Part.LAST_AT, Part.LAST))
    made = tiled(rows([("a", 9.0, 1_001), ("a", 1.0, 1_003), ("a", 2.0, 1_003)]), layout)
    assert made.select(["last_at", "last"]).to_pylist() == [{"last_at": 1_003, "last": 200}]


def test_squares_of_the_largest_fit() -> None:
    layout = Layout("p", aggregate(), "t", (Part.COUNT, Part.SQUARES))
    instants = pa.array([1_000] * 1_000).cast(INSTANT)
    made = tiled(
        pa.table({"shop": ["a"] * 1_000, "paid": [-LARGEST] * 1_000, "arrived_at": instants}), layout
    )
    again = merged([made] * 100, layout)
    assert again["squares"].to_pylist() == [Decimal(LARGEST**2 * 100_000)]


def test_the_columns_of_an_aggregate_are_named_once() -> None:
    same = replace(aggregate(), by="paid")
    assert columns(Layout("p", same, "t", (Part.COUNT,))) == ("paid", "arrived_at")
    assert not len(tiled(rows([]), Layout("p", DOUBLES, "t", ALL)))
