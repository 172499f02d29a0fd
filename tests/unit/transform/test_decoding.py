"""Every record lands in exactly one dataset, whatever its neighbours are."""

from __future__ import annotations

import random
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import SECOND, Micros, Segment, Timeline
from hotpath.contract.load import load
from hotpath.handoffs import Score
from hotpath.lake import PLACE, REJECTED, UNIT, Import
from hotpath.settings import PROJECT
from tests import samples
from tests.contract.samples import small
from tests.unit.kernel import lakes
from tests.unit.kernel.lakes import kafka
from transform.arrival import Arrivals
from transform.decoding import Decoding, Landed
from transform.streams import SCORES, streams

CONTRACT = load(PROJECT / "config/pipelines/flights.yaml")
EVENTS, LABELS, SCORED = (s.topic for s in streams(CONTRACT))
STAMP: Micros = 1_800_000_000 * SECOND
SCORE = Score(
    "p", "flights", "f1", {"a": 1}, [1.5, None], 0.5, "accept", 0.4, "b", 3, "f", STAMP, STAMP, ["stale"]
)

GOOD = st.integers(0, 999).map(lambda n: (EVENTS, samples.raw(samples.event(n))))
LABEL = st.integers(0, 999).map(lambda n: (LABELS, samples.raw(samples.label(n))))
BAD = st.tuples(st.sampled_from([EVENTS, LABELS, SCORED]), st.binary(min_size=1, max_size=40))
EMPTY = st.tuples(st.sampled_from([EVENTS, LABELS, SCORED]), st.sampled_from([None, b""]))
RECORDS = st.lists(st.one_of(GOOD, LABEL, BAD, EMPTY, st.just((SCORED, SCORE.to_bytes()))), max_size=30)


def land(*records: tuple[str, bytes | None], arrivals: Arrivals | None = None) -> Landed:
    """Decode records that stand at offsets 0, 1, … of partition 0 of their topics."""
    rows = [(topic, 0, n, STAMP, None, value) for n, (topic, value) in enumerate(records)]
    return Decoding(streams(CONTRACT), arrivals or Arrivals(Timeline(), ()), STAMP + SECOND).land(kafka(rows))


def places(landed: Landed) -> Counter[tuple[str, int]]:
    return Counter(
        place
        for table in landed.tables.values()
        for place in zip(table["topic"].to_pylist(), table["offset"].to_pylist(), strict=True)
    )


@given(RECORDS)
def test_every_record_is_in_one_dataset_once_or_counted_as_empty(
    records: list[tuple[str, bytes | None]],
) -> None:
    landed = land(*records)
    wanted = Counter((topic, n) for n, (topic, value) in enumerate(records) if value)
    assert places(landed) == wanted
    assert landed.counts["skipped"] == sum(not value for _, value in records)
    kinds = ("events", "labels", "scores", "rejected", "skipped")
    assert sum(landed.counts[k] for k in kinds) == len(records)


@given(RECORDS, st.randoms())
def test_a_bad_neighbour_changes_nothing_in_a_good_records_row(
    records: list[tuple[str, bytes | None]], chance: random.Random
) -> None:
    mixed = [*records, (EVENTS, samples.raw(samples.event(5)))]
    chance.shuffle(mixed)
    (alone,) = land((EVENTS, samples.raw(samples.event(5)))).tables.values()
    rows = next(t for (d, _), t in land(*mixed).tables.items() if d == "events").drop_columns(["offset"])
    assert alone.drop_columns(["offset"]).to_pylist()[0] in rows.to_pylist()


def test_a_rejected_record_keeps_its_bytes_its_reason_and_its_place() -> None:
    raw = samples.raw(samples.event(1, distance="far"))
    (table,) = land((EVENTS, raw)).tables.values()
    assert table.schema == REJECTED
    (row,) = table.to_pylist()
    assert (row["raw"], row["topic"], row["partition"], row["offset"]) == (raw, EVENTS, 0, 0)
    assert row["reason"].startswith("distance:")
    assert "far" not in row["reason"]


ASKED = small("  time: at\n", "  time: at\n  consent: flag\n")


def test_a_record_without_consent_keeps_its_place_and_nothing_else() -> None:
    values = [{**lakes.EVENT, "flag": consent} for consent in (True, False)]
    landed = consenting(*map(orjson.dumps, values))
    assert landed.counts["events"] == 1
    assert rejected(landed) == [("consent: expected true", b"", 1)]
    assert landed.counts["rejected.events"] == 1


def test_of_a_record_that_does_not_decode_consent_is_not_known_and_its_bytes_are_not_kept() -> None:
    landed = consenting(orjson.dumps({**lakes.EVENT, "count": "many"}), b"{torn", None)
    assert rejected(landed) == [
        ("count: expected a whole number of 64 bits", b"", 0),
        ("message: expected JSON", b"", 1),
    ]
    assert landed.counts["skipped"] == 1


def consenting(*values: bytes | None) -> Landed:
    """Events of a contract whose consent is its field `flag`."""
    rows = [(ASKED.events.topic, 0, n, STAMP, None, value) for n, value in enumerate(values)]
    return Decoding(streams(ASKED), Arrivals(Timeline(), ()), STAMP + SECOND).land(kafka(rows))


def rejected(landed: Landed) -> list[tuple[str, bytes, int]]:
    (table,) = (table for (dataset, _), table in landed.tables.items() if dataset == "rejected")
    return [(row["reason"], row["raw"], row["offset"]) for row in table.to_pylist()]


def test_arrays_durations_and_units_reach_the_lakes_columns() -> None:
    count = "count:  {type: long, min: 0, max: 100}"
    more = (
        "tags: {type: array, of: long}",
        "took: {type: duration, nullable: true}",
        "inner: {type: object, fields: {a: {type: bool}}}",
    )
    contract = small(count, "\n    ".join((count, *more)))
    raw = orjson.dumps({**lakes.EVENT, "tags": [1, 2], "took": "PT1S", "inner": {"a": True}})
    rows = [(contract.events.topic, 0, 0, STAMP, None, raw)]
    (table,) = Decoding(streams(contract), Arrivals(Timeline(), ()), STAMP).land(kafka(rows)).tables.values()
    (row,) = table.to_pylist()
    assert (row["tags"], row["took"], row["inner.a"]) == ([1, 2], 1_000_000, True)
    assert table.schema.field("size").metadata == {UNIT: b"km"}
    assert table.schema.field("count").metadata == {UNIT: b""}


def test_an_unknown_field_is_kept_out_and_counted() -> None:
    landed = land((EVENTS, samples.raw(samples.event(1, surprise=1))))
    assert landed.counts["unknown_fields"] == 1
    (table,) = landed.tables.values()
    assert "surprise" not in table.column_names


def test_a_score_record_lands_whole() -> None:
    ((key, table),) = land((SCORED, SCORE.to_bytes())).tables.items()
    assert key[0] == "scores"
    assert table.schema == SCORES
    (row,) = table.to_pylist()
    assert orjson.loads(row["request"]) == {"a": 1}
    assert (row["score"], row["sequence"], orjson.loads(row["degraded"])) == (0.5, 3, ["stale"])


@pytest.mark.parametrize(
    "changed",
    [
        {"sequence": 2**63},
        {"asked_at": 2**64 - 1},
        {"score": 2**60 + 1},
        {"threshold": 2**63},
        {"request": {"x": 0}},
    ],
)
def test_a_score_record_with_numbers_that_no_column_holds_costs_its_neighbours_nothing(
    changed: dict[str, object],
) -> None:
    said = orjson.dumps({**orjson.loads(SCORE.to_bytes()), **changed})
    deep = said.replace(b'{"x":0}', b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}")
    landed = land((SCORED, deep), (SCORED, SCORE.to_bytes()))
    assert places(landed) == {(SCORED, 0): 1, (SCORED, 1): 1}


def test_the_last_columns_are_the_records_place() -> None:
    (table,) = land((EVENTS, samples.raw(samples.event(1)))).tables.values()
    assert table.column_names[-len(PLACE) :] == [name for name, _ in PLACE]


# arrival: 100 is the start of an import's offsets, 109 its last


IMPORTED = Arrivals(
    Timeline((Segment(STAMP - 100 * SECOND, 500 * SECOND, 60),)), (Import("h", {EVENTS: {0: (100, 109)}}),)
)


def arrived(offset: int, header: bytes | None) -> tuple[Micros, bool]:
    return IMPORTED.of(EVENTS, 0, offset, STAMP, header)


def test_imported_history_arrived_when_its_header_says() -> None:
    assert arrived(100, b"777") == (777, True)
    assert arrived(109, b"777") == (777, True)


def test_a_forged_header_outside_an_import_is_not_believed() -> None:
    for offset in (99, 110):
        assert arrived(offset, b"777") == (6500 * SECOND, False)


def test_a_header_that_is_no_instant_or_lies_in_the_future_is_not_believed() -> None:
    for value in (b"", b"-5", b"soon", None, b"9" * 18, b"9" * 30, b"9" * 5000):
        assert arrived(100, value) == (6500 * SECOND, False)


def test_a_live_record_arrived_at_its_brokers_stamp_seen_through_the_clock() -> None:
    assert arrived(5, None) == (6500 * SECOND, False)
