"""Bytes in, one declared answer out: decoded, rejected with a reason that names the field, or skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hotpath.contract.decode import Decoded, Rejected, Skipped, decoder
from hotpath.contract.load import load
from hotpath.contract.types import EARLIEST, LATEST, LONG_MAX, LONG_MIN, Type, Value
from tests.contract.samples import small

CONTRACT = small()
DECODE, LABEL = decoder(CONTRACT.events), decoder(CONTRACT.labels)
WIDE = decoder(small("count:  {type: long, min: 0, max: 100}", "count: {type: long}").events)
EVENT: dict[str, Any] = {
    "id": "a1",
    "who": "w",
    "host": "h",
    "at": "2026-11-20T09:00:00.000001Z",
    "level": "low",
    "flag": True,
    "count": 7,
    "size": 2,
}
VALUES: dict[str, Value] = {**EVENT, "at": 1795165200000001, "size": 2.0}
AN_INSTANT = "at: expected an RFC 3339 instant with a zone, 2000 to 2099"


def event(**changes: object) -> bytes:
    """EVENT with fields changed."""
    return orjson.dumps({**EVENT, **changes})


def raw(text: str, field: str = "size") -> bytes:
    """EVENT with `text` as it stands for the value of `field`."""
    return event(**{field: "@"}).replace(b'"@"', text.encode())


def without(field: str) -> bytes:
    """EVENT without a field."""
    return orjson.dumps({name: value for name, value in EVENT.items() if name != field})


WHOLE = event()
REJECTED: dict[str, tuple[bytes, str]] = {
    "malformed": (b"{who: 1}", "message: expected JSON"),
    "truncated": (WHOLE[:-5], "message: expected JSON"),
    "trailing bytes": (WHOLE + b"x", "message: expected JSON"),
    "two messages": (WHOLE + WHOLE, "message: expected JSON"),
    "a trailing NUL": (WHOLE + b"\0", "message: expected JSON"),
    "blank": (b"  ", "message: expected JSON"),
    "not UTF-8": (WHOLE.replace(b"low", b"l\xffw"), "message: expected UTF-8"),
    "Latin-1": ('{"who": "é"}'.encode("latin-1"), "message: expected UTF-8"),
    "UTF-16": ('{"who": "é"}'.encode("utf-16"), "message: expected UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE, "message: expected no byte order mark"),
    "100,000 deep": (b"[" * 100_000, "message: expected less nesting"),
    "100,000 deep in a field": (raw('{"a":' * 100_000, "level"), "message: expected less nesting"),
    "a list": (b"[]", "message: expected an object"),
    "a text": (b'"x"', "message: expected an object"),
    "null": (b"null", "message: expected an object"),
    "a key twice": (WHOLE[:-1] + b',"who":"v"}', "message: expected each key once"),
    "a key twice, equal": (WHOLE[:-1] + b',"flag":true}', "message: expected each key once"),
    "a key twice, escaped": (WHOLE[:-1] + b',"\\u0077ho":"v"}', "message: expected each key once"),
    "an unknown key twice": (WHOLE[:-1] + b',"x":1,"x":1}', "message: expected each key once"),
    "a key twice within": (WHOLE[:-1] + b',"x":{"y":1,"y":2}}', "message: expected each key once"),
    "an id missing": (without("id"), "id: expected a value"),
    "an id null": (event(id=None), "id: expected a value"),
    "an id empty": (event(id=""), "id: expected a text that is not empty"),
    "an id that is a number": (event(id=1), "id: expected a text"),
    "an id too long": (event(id="x" * 9), "id: expected at most 8 characters"),
    "an entity empty": (event(who=""), "who: expected a text that is not empty"),
    "a host empty": (event(host=""), "host: expected a text that is not empty"),
    "a required field missing": (without("count"), "count: expected a value"),
    "a text too long": (event(who="x" * 257), "who: expected at most 256 characters"),
    "a NUL in a text": (event(level="a\0b"), "level: expected a text without NUL and lone surrogates"),
    "a lone surrogate": (raw('"\\ud800"', "level"), "level: expected a text without NUL and lone surrogates"),
    "a reversed pair": (
        raw('"\\udc00\\ud800"', "who"),
        "who: expected a text without NUL and lone surrogates",
    ),
    "a text as bool": (event(flag="true"), "flag: expected true or false"),
    "1 as bool": (event(flag=1), "flag: expected true or false"),
    "a text as long": (event(count="7"), "count: expected a whole number of 64 bits"),
    "a bool as long": (event(count=True), "count: expected a whole number of 64 bits"),
    "1.0 as long": (event(count=1.0), "count: expected a whole number of 64 bits"),
    "1e2 as long": (raw("1e2", "count"), "count: expected a whole number of 64 bits"),
    "2^64 as long": (raw(str(2**64), "count"), "count: expected a whole number of 64 bits"),
    "2^63 as long": (raw(str(2**63), "count"), "count: expected a whole number from 0 to 100"),
    "a long below": (event(count=-1), "count: expected a whole number from 0 to 100"),
    "a long above": (event(count=101), "count: expected a whole number from 0 to 100"),
    "5,000 digits": (raw("1" * 5000, "count"), "message: expected JSON"),
    "a text as double": (event(size="1.5"), "size: expected a number"),
    "a bool as double": (event(size=True), "size: expected a number"),
    "a list as double": (event(size=[1]), "size: expected a number"),
    "NaN": (raw("NaN"), "size: expected a number from -1.0 to 10.5"),
    "Infinity": (raw("Infinity"), "size: expected a number from -1.0 to 10.5"),
    "-Infinity": (raw("-Infinity"), "size: expected a number from -1.0 to 10.5"),
    "1e999": (raw("1e999"), "size: expected a number from -1.0 to 10.5"),
    "NaN in an unknown field": (WHOLE[:-1] + b',"x":NaN}', "message: expected JSON"),
    "a double below": (event(size=-1.1), "size: expected a number from -1.0 to 10.5"),
    "a double above": (event(size=10.6), "size: expected a number from -1.0 to 10.5"),
    "a time missing": (without("at"), "at: expected a value"),
    "seconds": (event(at=1795165200), AN_INSTANT),
    "milliseconds": (event(at=1795165200000), AN_INSTANT),
    "zero": (event(at=0), AN_INSTANT),
    "a negative time": (event(at=-1), AN_INSTANT),
    "digits as text": (event(at="1795165200000"), AN_INSTANT),
    "milliseconds read as seconds": (event(at="9999-11-20T09:00:00Z"), AN_INSTANT),
    "seconds read as milliseconds": (event(at="1970-01-21T18:39:25Z"), AN_INSTANT),
    "without a zone": (event(at="2026-11-20T09:00:00"), AN_INSTANT),
    "a named zone": (event(at="2026-11-20T09:00:00 EST"), AN_INSTANT),
    "without T": (event(at="2026-11-20 09:00:00Z"), AN_INSTANT),
    "a date": (event(at="2026-11-20"), AN_INSTANT),
    "a week date": (event(at="2026-W47-5T09:00:00Z"), AN_INSTANT),
    "a leap second": (event(at="2016-12-31T23:59:60Z"), AN_INSTANT),
    "the 30th of February": (event(at="2026-02-30T09:00:00Z"), AN_INSTANT),
    "24 o'clock": (event(at="2026-11-20T24:00:00Z"), AN_INSTANT),
    "an impossible zone": (event(at="2026-11-20T09:00:00+24:00"), AN_INSTANT),
    "Arabic digits": (event(at="٢٠٢٦-11-20T09:00:00Z"), AN_INSTANT),
    "a newline at its end": (event(at="2026-11-20T09:00:00Z\n"), AN_INSTANT),
    "before 2000": (event(at="1999-12-31T23:59:59.999999Z"), AN_INSTANT),
    "year 2100": (event(at="2100-01-01T00:00:00Z"), AN_INSTANT),
    "year 1 east of Greenwich": (event(at="0001-01-01T00:00:00+14:00"), AN_INSTANT),
}


@pytest.mark.parametrize(("message", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_event_is_rejected_with_a_reason_that_names_the_field(message: bytes, reason: str) -> None:
    assert DECODE(message) == Rejected(reason)


@pytest.mark.parametrize("message", [None, b""])
def test_an_empty_value_is_skipped(message: bytes | None) -> None:
    assert DECODE(message) == Skipped()


def test_an_event_is_decoded_to_every_field_of_the_contract() -> None:
    assert DECODE(WHOLE) == Decoded(VALUES)
    assert DECODE(b" " + orjson.dumps(EVENT, option=orjson.OPT_INDENT_2) + b"\n") == Decoded(VALUES)


def test_a_nullable_field_may_be_null_or_absent() -> None:
    assert DECODE(event(size=None)) == DECODE(without("size")) == Decoded({**VALUES, "size": None})


def test_an_unknown_field_is_kept_out_and_named() -> None:
    message = event(extra={"a": ['x"y'], "b": {"a": 1}}, ünknown=1)
    assert DECODE(message) == Decoded(VALUES, ("extra", "ünknown"))


def test_a_misspelt_field_is_missing_and_unknown_at_once() -> None:
    message = orjson.dumps({**{k: v for k, v in EVENT.items() if k != "size"}, "sise": 1})
    assert DECODE(message) == Decoded({**VALUES, "size": None}, ("sise",))


@pytest.mark.parametrize("text", ['say "x"', "back\\slash", "é \U0001f6eb", "", "  ", "a:b,{}[]", "\n"])
def test_any_honest_text_is_kept_as_it_is(text: str) -> None:
    assert DECODE(event(level=text)) == Decoded({**VALUES, "level": text})


@pytest.mark.parametrize("value", [0, 100])
def test_bounds_are_inclusive(value: int) -> None:
    assert DECODE(event(count=value)) == Decoded({**VALUES, "count": value})


@pytest.mark.parametrize("value", [LONG_MIN, LONG_MAX])
def test_a_long_has_64_bits(value: int) -> None:
    assert WIDE(event(count=value)) == Decoded({**VALUES, "count": value})
    assert isinstance(WIDE(raw(str(value + (1 if value > 0 else -1)), "count")), Rejected)


def test_a_whole_number_is_a_double_and_a_negative_zero_is_zero() -> None:
    for text, shown in (("3", "3.0"), ("-0.0", "0.0"), ("-0", "0.0"), ("1e-400", "0.0")):
        found = DECODE(raw(text))
        assert isinstance(found, Decoded)
        assert repr(found.values["size"]) == shown


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2000-01-01T00:00:00Z", EARLIEST),
        ("2099-12-31T23:59:59.999999Z", LATEST - 1),
        ("2026-11-20T04:00:00.5-05:00", 1795165200500000),
        ("2026-11-20T14:30:00.123456789+05:30", 1795165200123456),
        ("2000-01-01T14:00:00+14:00", EARLIEST),
    ],
)
def test_an_instant_is_microseconds_since_1970(text: str, micros: int) -> None:
    assert DECODE(event(at=text)) == Decoded({**VALUES, "at": micros})


LABEL_OF = {"who": "w", "truth": True, "seen": "2026-11-20T09:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"truth": "maybe"}, "truth: expected true or false"),
        ({"truth": 1}, "truth: expected true or false"),
        ({"truth": None}, "truth: expected a value"),
        ({"who": ""}, "who: expected a text that is not empty"),
        ({"seen": "yesterday"}, "seen: expected an RFC 3339 instant with a zone, 2000 to 2099"),
    ],
)
def test_a_label_outside_its_domain_is_rejected(changes: dict[str, object], reason: str) -> None:
    assert LABEL(orjson.dumps({**LABEL_OF, **changes})) == Rejected(reason)


def test_a_label_is_decoded() -> None:
    assert LABEL(orjson.dumps(LABEL_OF)) == Decoded({"who": "w", "truth": True, "seen": 1795165200000000})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | st.text().map(str.encode))
@example(b'{"\\ud800": 1}')
@example(b'{"id": 1e999}')
def test_no_bytes_make_it_raise(message: bytes) -> None:
    assert isinstance(DECODE(message), Rejected | Skipped)


@given(st.data())
def test_a_valid_event_with_bytes_changed_has_one_answer(data: st.DataObject) -> None:
    message = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _check(DECODE(bytes(message)))


@given(st.dictionaries(st.sampled_from(sorted(EVENT)) | st.text(max_size=4), json_values))
def test_a_valid_event_with_values_changed_has_one_answer(changes: dict[str, Any]) -> None:
    _check(DECODE(orjson.dumps({**EVENT, **changes})))


def _check(found: Decoded | Rejected | Skipped) -> None:
    """Decoded: every field of its type. Rejected: a field of the contract, or the message, is named."""
    kinds: dict[Type, type] = {Type.BOOL: bool, Type.LONG: int, Type.DOUBLE: float, Type.TIMESTAMP: int}
    if isinstance(found, Decoded):
        for field in CONTRACT.events.fields:
            value = found.values[field.name]
            assert type(value) is kinds.get(field.type, str) or (value is None and field.nullable)
    elif isinstance(found, Rejected):
        assert found.reason.split(":")[0] in {"message", *EVENT}


def test_the_flights_contract_decodes_a_typical_event() -> None:
    flights = load(Path(__file__).parents[2] / "config" / "pipelines" / "flights.yaml")
    message = {
        "event_id": "UA1545-20130709-180", "flight_id": "UA1545-20130709", "station_host": "ewr-03",
        "event_time": "2026-11-20T09:00:00Z", "departs_at": "2026-11-20T12:00:00Z",
        "carrier": "UA", "origin": "EWR", "dest": "IAH", "distance": 1400, "temp": 71.06, "wind_gust": None,
    }  # fmt: skip
    found = decoder(flights.events)(orjson.dumps(message))
    assert isinstance(found, Decoded)
    assert (found.values["distance"], found.values["visib"], found.unknown) == (1400.0, None, ())
