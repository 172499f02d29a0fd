"""The same record in every format is the same values; the same mistake has the same answer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import fastavro
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.decode import DECODERS, Decoded, Rejected, Skipped, check_schema, decoder
from hotpath.contract.model import Contract
from hotpath.contract.parts import Events
from hotpath.contract.types import LATEST, Value
from hotpath.errors import BadConfig

FIELDS = """
    id:     {type: string, max_length: 8}
    who:    {type: string, from: Owner}
    host:   {type: category}
    at:     {type: timestamp}
    flag:   {type: bool, default: true}
    count:  {type: long, min: 0, max: 100}
    size:   {type: double, min: -1, max: 10.5, nullable: true}
    late:   {type: duration, nullable: true}
    tags:   {type: array, of: string, max_items: 2, nullable: true}
    device:
      type: object
      nullable: true
      from: Device
      fields:
        os: {type: category, levels: [a, b], from: System}
        screen: {type: object, fields: {width: {type: long, nullable: true}}}
"""
CONTRACT = Contract.from_yaml(
    f"""
name: many
question: Is it so?
events:
  topic: many.asked
  id: id
  entity: who
  host: host
  time: at
  fields:{FIELDS}
labels:
  topic: many.answered
  entity: who
  fields: {{who: {{type: string}}, truth: {{type: bool}}}}
  target: truth
  horizon: 24h
features: {{count: count}}
train: {{window: 30d, holdout: 20%, retrain_every: 2h}}
gate:  {{auc: ">= 0.60"}}
serve: {{fresh: 3h, expired: 24h}}
""",
    "many.yaml",
)
HEADER = "id,Owner,host,at,flag,count,size,late,tags,Device.System,Device.screen.width"
RECORD: dict[str, Any] = {
    "id": "a1",
    "Owner": "w",
    "host": "h",
    "at": "2026-11-20T09:00:00.000001Z",
    "flag": False,
    "count": 7,
    "size": 2.5,
    "late": "PT90S",
    "tags": ["x", 'y"z'],
    "Device": {"System": "a", "screen": {"width": 3}},
}
VALUES: dict[str, Value] = {
    "id": "a1",
    "who": "w",
    "host": "h",
    "at": 1795165200000001,
    "flag": False,
    "count": 7,
    "size": 2.5,
    "late": 90_000_000,
    "tags": ["x", 'y"z'],
    "device.os": "a",
    "device.screen.width": 3,
}


def optional(kind: object) -> list[object]:
    return ["null", kind]


def a_field(name: str, kind: object) -> dict[str, object]:
    return {"name": name, "type": kind}


SCREEN = {"type": "record", "name": "Screen", "fields": [a_field("width", optional("int"))]}
SYSTEM = {"type": "enum", "name": "System", "symbols": ["a", "b", "c"]}
DEVICE = {
    "type": "record",
    "name": "Device",
    "fields": [a_field("System", SYSTEM), a_field("screen", SCREEN)],
}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Event",
    "namespace": "many",
    "fields": [
        a_field("id", optional("string")),
        a_field("Owner", "string"),
        a_field("host", "string"),
        a_field("at", {"type": "long", "logicalType": "timestamp-micros"}),
        a_field("flag", "boolean"),
        a_field("count", "long"),
        a_field("size", optional("double")),
        a_field("late", optional("string")),
        a_field("tags", optional({"type": "array", "items": "string"})),
        a_field("Device", optional(DEVICE)),
        a_field("Spare", optional("Device")),
    ],
}


def source(decoder: str, schema: str | None = None) -> Events:
    return replace(CONTRACT.events, decoder=decoder, schema=schema)


def a_cell(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


def as_csv(record: Mapping[str, Any]) -> bytes:
    cells = []
    for path in HEADER.split(","):
        value: Any = record
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        cells.append(a_cell(value))
    return ",".join(cells).encode()


def as_avro(record: Mapping[str, Any]) -> bytes:
    at = record.get("at")
    plain = {**record, "at": VALUES["at"] if at == RECORD["at"] else at}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(_bare(SCHEMA)), plain)
    return out.getvalue()


def _bare(schema: Any) -> Any:
    return json.loads(json.dumps(schema).replace(', "logicalType": "timestamp-micros"', ""))


Write = Callable[[Mapping[str, Any]], bytes]
FORMATS: dict[str, tuple[Events, Write]] = {
    "json": (source("json"), orjson.dumps),
    "csv": (source("csv", HEADER + "\n"), as_csv),
    "avro": (source("avro", json.dumps(SCHEMA)), as_avro),
}
DECODE = {name: decoder(found) for name, (found, _) in FORMATS.items()}
every_format = pytest.mark.parametrize("kind", FORMATS)


def decoded(kind: str, **changes: Any) -> Decoded | Rejected | Skipped:
    return DECODE[kind](FORMATS[kind][1]({**RECORD, **changes}))


def test_every_decoder_is_tested_here() -> None:
    assert set(FORMATS) == set(DECODERS)


@every_format
def test_a_record_is_the_same_values_in_every_format(kind: str) -> None:
    assert decoded(kind) == Decoded(VALUES)


@every_format
def test_a_nullable_object_that_is_not_there_leaves_its_values_null(kind: str) -> None:
    found = decoded(kind, Device=None, tags=None, size=None, late=None)
    absent = dict.fromkeys(("device.os", "device.screen.width", "tags", "size", "late"))
    assert found == Decoded({**VALUES, **absent})


@every_format
@pytest.mark.parametrize("raw", [None, b""])
def test_an_empty_value_is_skipped(kind: str, raw: bytes | None) -> None:
    assert DECODE[kind](raw) == Skipped()


AN_INSTANT = "at: expected an RFC 3339 instant with a zone, 2000 to 2099"
EACH = ("json", "csv", "avro")
A_SPAN = "late: expected an ISO 8601 duration of days to seconds, at most a hundred years"
OTHER_LEVEL: dict[str, Any] = {"Device": {"System": "c", "screen": {"width": 1}}}
NO_SCREEN: dict[str, Any] = {"Device": {"System": "a", "screen": None}}
# What a format cannot even write is left out of its column: text in an Avro long, a null in a CSV cell.
WRONG: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "an id null": ({"id": None}, "id: expected a value", EACH),
    "an id empty": ({"id": ""}, "id: expected a text that is not empty", ("json", "avro")),
    "an id empty in a cell": ({"id": ""}, "id: expected a value", ("csv",)),
    "an id too long": ({"id": "x" * 9}, "id: expected at most 8 characters", EACH),
    "an entity empty": ({"Owner": ""}, "who: expected a text that is not empty", ("json", "avro")),
    "a NUL": ({"host": "a\0b"}, "host: expected a text without NUL and lone surrogates", EACH),
    "zero time": ({"at": 0}, AN_INSTANT, EACH),
    "a negative time": ({"at": -1}, AN_INSTANT, EACH),
    "seconds": ({"at": 1795165200}, AN_INSTANT, EACH),
    "milliseconds": ({"at": 1795165200000}, AN_INSTANT, EACH),
    "year 2100": ({"at": LATEST}, AN_INSTANT, ("avro",)),
    "beyond the calendar": ({"at": 2**62}, AN_INSTANT, EACH),
    "without a zone": ({"at": "2026-11-20T09:00:00"}, AN_INSTANT, ("json", "csv")),
    "out of range": ({"count": 101}, "count: expected a whole number from 0 to 100", EACH),
    "a number as text": ({"count": "seven"}, "count: expected a whole number of 64 bits", ("json", "csv")),
    "1.0 as long": ({"count": 1.0}, "count: expected a whole number of 64 bits", ("json", "csv")),
    "a leading zero": ({"count": "07"}, "count: expected a whole number of 64 bits", ("json", "csv")),
    "yes as bool": ({"flag": "yes"}, "flag: expected true or false", ("json", "csv")),
    "1 as bool": ({"flag": 1}, "flag: expected true or false", ("json", "csv")),
    "NaN": ({"size": float("nan")}, "size: expected a number from -1.0 to 10.5", ("avro",)),
    "NaN as text": ({"size": "NaN"}, "size: expected a number", ("json", "csv")),
    "Infinity": ({"size": float("inf")}, "size: expected a number from -1.0 to 10.5", ("avro",)),
    "an unknown level": (OTHER_LEVEL, "device.os: expected one of its levels", EACH),
    "too many items": ({"tags": ["a", "b", "c"]}, "tags: expected at most 2 items", EACH),
    "an item that is no text": ({"tags": [1]}, "tags: expected items that are each a text", ("json", "csv")),
    "no array": ({"tags": "x"}, "tags: expected an array", ("json", "csv")),
    "no object": ({"Device": 3}, "device: expected an object", ("json",)),
    "an inner object null": (NO_SCREEN, "device.screen: expected a value", ("json",)),
    "no duration": ({"late": "90 s"}, A_SPAN, EACH),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [(kind, changes, reason) for changes, reason, kinds in WRONG.values() for kind in kinds],
    ids=[f"{kind}: {name}" for name, (_, _, kinds) in WRONG.items() for kind in kinds],
)
def test_a_mistake_is_answered_alike_by_name(kind: str, changes: dict[str, Any], reason: str) -> None:
    assert decoded(kind, **changes) == Rejected(reason)


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_a_default_is_taken_where_the_value_is_absent(kind: str) -> None:
    record = {key: value for key, value in RECORD.items() if key != "flag"}
    assert DECODE[kind](FORMATS[kind][1](record)) == Decoded({**VALUES, "flag": True})


# JSON


def test_unknown_keys_have_dotted_names_at_every_depth() -> None:
    device = {"System": "a", "more": 1, "screen": {"width": 3, "os": {}}}
    assert decoded("json", Device=device, who=1) == Decoded(
        VALUES, ("who", "device.more", "device.screen.os")
    )


@pytest.mark.parametrize(
    "twice", ['{"System": "a", "System": "a"}', '{"System": "a", "screen": {"width": 1, "width": 1}}']
)
def test_a_key_that_comes_twice_is_refused_at_every_depth(twice: str) -> None:
    raw = orjson.dumps({**RECORD, "Device": "@"}).replace(b'"@"', twice.encode())
    assert DECODE["json"](raw) == Rejected("message: expected each key once")


def test_a_thousand_lists_within_an_unknown_key_are_passed_over_and_more_are_refused() -> None:
    raw = orjson.dumps({**RECORD, "x": "@"})
    deep = raw.replace(b'"@"', b"[" * 900 + b'"a"' + b"]" * 900)
    assert DECODE["json"](deep) == Decoded(VALUES, ("x",))
    deeper = raw.replace(b'"@"', b"[" * 100_000 + b"]" * 100_000)
    assert DECODE["json"](deeper) == Rejected("message: expected less nesting")


# CSV

LINE = as_csv(RECORD)


@pytest.mark.parametrize("line", [LINE + b"\n", LINE + b"\r\n"])
def test_a_line_may_end_as_lines_do(line: bytes) -> None:
    assert DECODE["csv"](line) == Decoded(VALUES)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a1,w", "message: expected 11 columns"),
        (LINE + b",", "message: expected 11 columns"),
        (LINE + b"\n" + LINE, "message: expected one CSV record"),
        (b'"a1,w,h', "message: expected one CSV record"),
        (LINE.replace(b"a1", b'a"1'), "message: expected one CSV record"),
        (LINE.replace(b"a1", b'"a"1'), "message: expected one CSV record"),
        (LINE.replace(b"a1", b"\xff"), "message: expected UTF-8"),
        (b"\xef\xbb\xbf" + LINE, "message: expected no byte order mark"),
        (LINE.replace(b",7,", b"," + b"1" * 5000 + b","), "count: expected a whole number of 64 bits"),
        (LINE.replace(b",2.5,", b",1e999,"), "size: expected a number from -1.0 to 10.5"),
        (HEADER.encode(), "at: expected an RFC 3339 instant with a zone, 2000 to 2099"),
    ],
)
def test_a_line_that_is_no_record_is_rejected(line: bytes, reason: str) -> None:
    assert DECODE["csv"](line) == Rejected(reason)


def test_a_quoted_cell_may_hold_anything() -> None:
    found = decoded("csv", host='a,"b"\r\nc')
    assert found == Decoded({**VALUES, "host": 'a,"b"\r\nc'})


def test_columns_that_the_contract_does_not_name_are_left_out() -> None:
    wider = decoder(source("csv", f"x,{HEADER}"))
    assert wider(b"anything," + LINE) == Decoded(VALUES)


# Avro

DATUM = as_avro(RECORD)


def test_confluents_five_bytes_are_passed_over() -> None:
    assert DECODE["avro"](b"\0\0\0\0\x07" + DATUM) == Decoded(VALUES)


def test_a_datum_may_begin_with_a_zero_of_its_own() -> None:
    assert as_avro({**RECORD, "id": None})[:1] == b"\0"
    assert decoded("avro", id=None) == Rejected("id: expected a value")


@pytest.mark.parametrize(
    "raw",
    [
        DATUM[:-1],
        DATUM + b"x",
        b"\0",
        b"\0\0\0\0\x07",
        b"\xff" * 40,
        DATUM.replace(b"\x04a1", b"\x03a1"),
        DATUM.replace(b"a1", b"\xff\xff"),
        orjson.dumps(RECORD),
    ],
)
def test_bytes_that_are_no_whole_datum_are_rejected(raw: bytes) -> None:
    assert DECODE["avro"](raw) == Rejected("message: expected an Avro record of its schema, whole and alone")


def test_instants_may_be_milliseconds_or_texts() -> None:
    for kind, value in (
        ({"type": "long", "logicalType": "timestamp-millis"}, 1795165200000),
        ("string", "2026-11-20T09:00:00Z"),
    ):
        schema = {
            **SCHEMA,
            "fields": [a_field("at", kind) if f["name"] == "at" else f for f in SCHEMA["fields"]],
        }
        out = io.BytesIO()
        plain = json.loads(json.dumps(schema).replace(', "logicalType": "timestamp-millis"', ""))
        fastavro.schemaless_writer(out, fastavro.parse_schema(plain), {**RECORD, "at": value})
        found = decoder(source("avro", json.dumps(schema)))(out.getvalue())
        assert found == Decoded({**VALUES, "at": 1795165200000000})


# schema files

LOOP = {"type": "record", "name": "Loop", "fields": [a_field("next", optional("Loop"))]}

NOTHINGS = {"type": "array", "items": "null"}


def altered(*extra: dict[str, object], without: str = "") -> str:
    return json.dumps({**SCHEMA, "fields": [*(f for f in SCHEMA["fields"] if f["name"] != without), *extra]})


BAD_SCHEMAS: dict[str, tuple[str, str | None, str]] = {
    "json with one": ("json", HEADER, "no schema file"),
    "csv without one": ("csv", None, "names every column"),
    "two lines": ("csv", HEADER + "\nx,y\n", "one CSV line"),
    "a column twice": ("csv", HEADER + ",id", "each once"),
    "a column without a name": ("csv", HEADER + ",", "names every column"),
    "a required column missing": ("csv", HEADER.replace("Owner", "Ovner"), "a column Owner.*Ovner"),
    "avro without one": ("avro", None, "an Avro schema"),
    "no JSON": ("avro", "{", "an Avro schema"),
    "no record": ("avro", '"string"', "an Avro schema"),
    "100,000 deep": ("avro", "[" * 100_000, "an Avro schema"),
    "an unknown type": ("avro", altered(a_field("x", "strin")), "an Avro schema"),
    "a field missing": ("avro", altered(without="count"), "count: no such field.*int or long"),
    "another type": ("avro", altered(a_field("count", "string"), without="count"), "count: string"),
    "a time without a meaning": ("avro", altered(a_field("at", "long"), without="at"), "timestamp-micros"),
    "a union": ("avro", altered(a_field("count", ["int", "string"]), without="count"), "union"),
    "within itself": ("avro", altered(a_field("x", LOOP)), "not within itself"),
    "items without bytes": ("avro", altered(a_field("x", NOTHINGS)), "take no bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "schema", "said"), BAD_SCHEMAS.values(), ids=BAD_SCHEMAS)
def test_a_schema_file_that_does_not_fit_is_refused_with_what_was_expected(
    kind: str, schema: str | None, said: str
) -> None:
    with pytest.raises(BadConfig, match=f"(?s)schema.*{said}"):
        check_schema(source(kind, schema))


@pytest.mark.parametrize("kind", ["csv", "avro"])
def test_two_fields_of_one_path_are_refused(kind: str) -> None:
    parts = tuple(
        replace(part, source="Device.System") if part.name == "count" else part
        for part in CONTRACT.events.parts
    )
    with pytest.raises(BadConfig, match=r"Device\.System.*each path once"):
        check_schema(replace(source(kind, {"csv": HEADER, "avro": json.dumps(SCHEMA)}[kind]), parts=parts))


@every_format
@given(st.binary(max_size=80))
def test_no_bytes_make_a_decoder_raise(kind: str, raw: bytes) -> None:
    assert isinstance(DECODE[kind](raw), Decoded | Rejected | Skipped)


@every_format
@given(st.data())
def test_a_record_with_bytes_changed_has_one_answer(kind: str, data: st.DataObject) -> None:
    raw = bytearray(FORMATS[kind][1](RECORD))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    found = DECODE[kind](bytes(raw))
    if isinstance(found, Decoded):
        assert set(found.values) == set(VALUES)
    elif isinstance(found, Rejected):
        assert found.reason.split(":")[0] in {"message", "device", "device.screen", *VALUES}
