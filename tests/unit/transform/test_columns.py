"""The quick way of many records takes nothing but what the strict decoder takes, and as the same values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rides import Rides
from benchmarks.rides import contract as rides
from hotpath.clock import Timeline
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.parts import Source
from hotpath.contract.types import Type
from tests.contract.samples import small
from tests.contract.test_decode import EVENT, REJECTED, WHOLE, event, json_values, raw
from tests.unit.kernel.lakes import STAMP, kafka
from transform.arrival import Arrivals
from transform.columns import take
from transform.decoding import Decoding
from transform.streams import nothing, streams

MORE = """
    tags:   {type: array, of: string, max_items: 3, nullable: true}
    sizes:  {type: array, of: double, nullable: true}
    took:   {type: duration, nullable: true}
    kind:   {type: category, levels: [a, b], from: sort, nullable: true}
    land:   {type: string, format: country, default: DE, max_length: 2}
    total:  {type: long, nullable: true}
    any:    {type: double, nullable: true}
"""
PLAIN = small()
WIDE = small("\nlabels:", f"{MORE}labels:")
WIDER: dict[str, Any] = {
    **EVENT, "tags": ["x", "y"], "sizes": [1, 2.5], "took": "PT1S", "sort": "a", "land": "CH", "total": 2**62,
    "any": 0.5,
}  # fmt: skip
NAMES = st.sampled_from(sorted(WIDER)) | st.text(max_size=4)
INSTANTS = st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,9})?Z")
CHANGES = st.dictionaries(NAMES, json_values | st.sampled_from(list(WIDER.values())) | INSTANTS, max_size=3)
LEFT_OUT = st.sets(NAMES, max_size=3)


@st.composite
def messages(draw: st.DrawFn, base: dict[str, Any]) -> bytes:
    """A good event: as it is, with values changed or left out, with bytes changed, with a key once more."""
    values = {**base, **draw(CHANGES)} if draw(st.booleans()) else base
    left = draw(LEFT_OUT) if draw(st.booleans()) else set[str]()
    message = bytearray(orjson.dumps({name: value for name, value in values.items() if name not in left}))
    if draw(st.booleans()):
        again = orjson.dumps({draw(NAMES): draw(json_values)})[1:]
        message[-1:] = b"," + again
    if draw(st.booleans()):
        at = draw(st.integers(0, len(message) - 1))
        message[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(message)


def taken(source: Source, *records: bytes | None) -> dict[int, dict[str, Any]]:
    """What the quick way takes: fields by the record's place, instants as µs."""
    taking = take(source)
    assert taking is not None
    rows, columns = taking(records)
    plain = [
        (column.cast(pa.int64()) if field.type is Type.TIMESTAMP else column).to_pylist()
        for field, column in zip(source.fields, columns, strict=bool(len(rows)))
    ]
    names = [field.name for field in source.fields]
    return {int(n): dict(zip(names, values, strict=True)) for n, *values in zip(rows, *plain, strict=True)}


@given(st.lists(messages(EVENT) | st.none() | st.binary(max_size=9), max_size=5))
def test_what_is_taken_of_plain_records_is_what_the_decoder_says(records: list[bytes | None]) -> None:
    compare(PLAIN.events, records)


@given(st.lists(messages(WIDER) | st.just(orjson.dumps(WIDER)), max_size=5))
def test_what_is_taken_of_records_of_every_type_is_what_the_decoder_says(records: list[bytes]) -> None:
    compare(WIDE.events, records)


def compare(source: Source, records: list[Any]) -> None:
    decode = decoder(source)
    for n, values in taken(source, *records).items():
        found = decode(records[n])
        assert isinstance(found, Decoded)
        assert found.unknown == ()
        # As text, so that 0.0 is not -0.0, nor 1 True.
        assert {k: repr(v) for k, v in values.items()} == {k: repr(v) for k, v in found.values.items()}


@pytest.mark.parametrize("message", [message for message, _ in REJECTED.values()], ids=REJECTED)
def test_nothing_that_is_rejected_is_taken_and_its_neighbours_are(message: bytes) -> None:
    assert list(taken(PLAIN.events, WHOLE, message, WHOLE)) == [0, 2]


def test_ordinary_records_are_taken_all() -> None:
    shipped = Rides(drawn=50)
    assert len(taken(rides().events, *(shipped.event(n, STAMP + n) for n in range(50)))) == 50
    assert len(taken(WIDE.events, orjson.dumps(WIDER))) == 1
    left_out = orjson.dumps({name: value for name, value in EVENT.items() if name != "size"})
    good = (event(size=None), left_out, event(level="é"), event(level=""), raw("-0.0"), event(count=0))
    assert len(taken(PLAIN.events, *good)) == len(good)


def test_a_default_does_not_hide_a_key_that_came_twice() -> None:
    without = orjson.dumps({name: value for name, value in WIDER.items() if name != "land"})
    assert taken(WIDE.events, without[:-1] + b',"flag":true}') == {}


def test_records_that_are_nested_or_no_json_have_no_quick_way() -> None:
    nested = small("    flag:", "    inner:  {type: object, fields: {a: {type: bool}}}\n    flag:")
    assert take(nested.events) is None
    assert take(replace(PLAIN.events, decoder="csv")) is None


@given(st.lists(messages(EVENT) | st.none() | st.just(WHOLE), max_size=8))
def test_both_ways_land_the_same_tables(records: list[bytes | None]) -> None:
    rows = [(PLAIN.events.topic, 0, n, STAMP, None, value) for n, value in enumerate(records)]
    quick = streams(PLAIN)
    strict = [replace(stream, take=nothing) for stream in quick]
    first, second = (Decoding(s, Arrivals(Timeline(), ()), STAMP).land(kafka(rows)) for s in (quick, strict))
    assert first == second
