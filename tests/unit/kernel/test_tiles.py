"""Tiles travel as bytes and are read by the row: what a row reads is what its records say, however cut."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import HOUR, MINUTE
from hotpath.contract.aggregates import Layout
from hotpath.contract.model import Contract
from hotpath.contract.statistics import BY_NAME, STATISTICS
from hotpath.contract.tree import Reading
from hotpath.contract.types import LONG_MAX, Type
from hotpath.errors import BadArtifact
from hotpath.tiles import HEADER, Reader, Tiles, late, packed, unpacked, window
from tests.contract.samples import CONTRACT, small
from tests.contract.tiled import ALL, Counted, aggregate, parts, tiles

LAYOUT = Layout("p", aggregate(), "shops", ALL)
SPANS = (10, 20, 60)
READINGS = tuple(Reading(s.name, "a", span, Type.DOUBLE) for s in STATISTICS for span in SPANS)
COUNTED = CONTRACT.replace(
    "  big: size > 1.5 and flag\n",
    "  big: size > 1.5 and flag\n  often: count(asked_by_level)\n  old: age(told_by_level, '1h')\n"
    "  share: mean(told_by_level, '1h')\n",
).replace(
    "features:",
    "aggregates:\n"
    "  asked_by_level: {over: events, by: level, tile: 5m, horizon: 1h, delay: 2m}\n"
    "  told_by_level: {over: labels, by: who, key: level, value: truth, tile: 5m, horizon: 1h, delay: 2m,"
    " default: {mean: 0.25}}\n"
    "features:",
)

values = st.integers(-3, 3) | st.integers(-(10**12), 10**12)
records = st.lists(st.builds(Counted, st.integers(1000, 1200), values), max_size=20)


def same(one: Tiles, other: Tiles) -> bool:
    """Equal in what they hold; columns may be of any kind of sequence."""
    columns = ([list(map(int, column)) for column in found.parts] for found in (one, other))
    first, second = ([found.through, found.batch, list(found.numbers)] for found in (one, other))
    return first == second and next(columns) == next(columns)


@given(records, st.integers(1000, 1300), st.integers(-1, LONG_MAX), st.sets(st.sampled_from(ALL)))
def test_what_is_packed_is_unpacked(found: list[Counted], through: int, batch: int, some: set[Any]) -> None:
    layout = replace(LAYOUT, parts=tuple(part for part in ALL if part in some | {ALL[0]}))
    sent = tiles(found, layout, through, batch)
    assert same(unpacked(packed(sent, layout), layout), sent)


@given(records, st.integers(1000, 1300))
def test_a_row_reads_what_the_records_of_its_tiles_say(found: list[Counted], at: int) -> None:
    closed = unpacked(packed(tiles(found, LAYOUT, 1300), LAYOUT), LAYOUT)
    end = (at - 20) // 10
    for reading in READINGS:
        its = parts([r for r in found if end - reading.span // 10 <= r.at // 10 < end])
        statistic = BY_NAME[reading.statistic]
        said = statistic.row(None, LAYOUT.aggregate.limit, at, *(its[part] for part in statistic.parts))
        assert repr(window(closed, LAYOUT, reading, at)) == repr(said), reading.name


@given(records, st.integers(1000, 1300), st.permutations(range(20)))
def test_no_order_of_the_records_changes_a_byte(found: list[Counted], at: int, order: list[int]) -> None:
    moved = [found[n] for n in order if n < len(found)]
    assert packed(tiles(moved, LAYOUT, at), LAYOUT) == packed(tiles(found, LAYOUT, at), LAYOUT)


@given(records, st.integers(1000, 1200))
def test_a_row_reads_the_same_of_tiles_that_were_published_later(found: list[Counted], at: int) -> None:
    ended = LAYOUT.aggregate.ended(at) * LAYOUT.aggregate.tile
    sooner, later = tiles(found, LAYOUT, ended), tiles(found, LAYOUT, 1300)
    for reading in READINGS:
        assert window(sooner, LAYOUT, reading, at) == window(later, LAYOUT, reading, at)


SENT = tiles([Counted(1005, 7), Counted(1015, -2), Counted(1019, 4)], LAYOUT, 1020, 3)
RAW = packed(SENT, LAYOUT)
FIRST = HEADER.size
EMPTY = packed(Tiles(1020, 3), LAYOUT)
SPOILED: dict[str, bytes] = {
    "nothing": b"",
    "half a header": RAW[:10],
    "no header at all": b"7" * len(RAW),
    "another version": RAW[:2] + b"\x02" + RAW[3:],
    "fewer parts than the layout has": RAW[:3] + b"\x01" + RAW[4:],
    "a part cut off": RAW[:-8],
    "a byte cut off": RAW[:-1],
    "a byte too many": RAW + b"\0",
    "a byte after no tiles": EMPTY + b"\0",
    "a count that no value has": RAW[:4] + b"\xff\xff\xff\xff" + RAW[8:],
    "tiles that do not grow": RAW[:FIRST] + RAW[FIRST : FIRST + 4] * 2 + RAW[FIRST + 8 :],
    "a tile that was open": packed(replace(SENT, through=1019), LAYOUT),
}  # fmt: skip


@pytest.mark.parametrize("raw", SPOILED.values(), ids=SPOILED)
def test_what_is_no_packed_value_is_a_bad_artifact(raw: bytes) -> None:
    with pytest.raises(BadArtifact, match=f"tiles of {LAYOUT.id}"):
        unpacked(raw, LAYOUT)


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_changed_byte_is_another_value_or_a_bad_artifact(place: int, flip: int) -> None:
    spoiled = RAW[:place] + bytes([RAW[place] ^ flip]) + RAW[place + 1 :]
    with suppress(BadArtifact):
        assert not same(unpacked(spoiled, LAYOUT), SENT)


def test_a_tile_is_late_where_a_row_should_have_read_it() -> None:
    #   tiles of 10, delay 20:   |..|..|..|      the row of 1040 reads tiles that ended by 1020
    assert not late(1020, LAYOUT.aggregate, 1040)
    assert not late(1020, LAYOUT.aggregate, 1049)
    assert late(1020, LAYOUT.aggregate, 1050)


def test_a_reader_takes_each_key_from_the_rows_own_field() -> None:
    reader = Reader.of(small_with_aggregates())
    assert [layout.aggregate.name for layout in reader.layouts] == ["asked_by_level", "told_by_level"]
    assert reader.keys({"level": "UA"}) == ("UA", "UA")
    assert reader.keys({"level": None}) == (None, None)


def test_a_row_without_a_key_reads_null_and_one_of_an_unknown_key_reads_no_records() -> None:
    reader, at = Reader.of(small_with_aggregates()), 10 * HOUR
    none = {
        "asked_by_level.count.3600s": None,
        "told_by_level.age.3600s": None,
        "told_by_level.mean.3600s": None,
    }
    assert reader.read([None, None], at) == none
    unknown = Tiles(at, 0)
    assert reader.read([unknown, unknown], at) == {**none, "asked_by_level.count.3600s": 0}


def test_a_row_reads_each_aggregate_in_its_place() -> None:
    reader, at = Reader.of(small_with_aggregates()), 10 * HOUR
    records = [Counted(at - 20 * MINUTE, 1), Counted(at - 15 * MINUTE, 0)]
    found = [tiles(records, layout, at) for layout in reader.layouts]
    assert reader.read(found, at) == {
        "asked_by_level.count.3600s": 2,
        "told_by_level.age.3600s": 15.0,
        "told_by_level.mean.3600s": 0.5,
    }


def test_where_tiles_cannot_be_had_a_reading_is_its_default() -> None:
    reader = Reader.of(small_with_aggregates())
    assert reader.defaults(0) == {"asked_by_level.count.3600s": None}
    assert reader.defaults(1) == {"told_by_level.age.3600s": None, "told_by_level.mean.3600s": 0.25}


def test_a_contract_without_aggregates_reads_nothing() -> None:
    reader = Reader.of(small())
    assert (reader.keys({}), reader.read([], 0)) == ((), {})


def small_with_aggregates() -> Contract:
    return Contract.from_yaml(COUNTED, "small.yaml")
