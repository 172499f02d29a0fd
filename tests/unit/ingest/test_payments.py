"""The generated payments: the same whatever the pieces, and each setting does what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.times import instant
from hotpath.contract.types import Type
from hotpath.errors import BadConfig
from hotpath.settings import PROJECT
from hotpath.settings import load as load_settings
from ingest.fraud import AT_ONCE, alive
from ingest.payments import Payments
from ingest.purchase import HOSTS
from ingest.records import Due
from ingest.shops import COUNTRIES
from ingest.traffic import LONGEST_WAIT, SHORTEST_WAIT, Traffic

BEGINS: Micros = 20_000 * DAY + 9 * HOUR
SHIPPED = Traffic(**load_settings().sources.payments.model_dump())
CONTRACT: Contract = load(PROJECT / "config" / "pipelines" / "payments.yaml")
spans = st.integers(-2 * DAY, 2 * DAY)


def payments(traffic: Traffic = SHIPPED) -> Payments:
    return Payments(traffic, BEGINS, CONTRACT.events, CONTRACT.labels)


def events(records: list[Due]) -> list[dict[str, Any]]:
    return [orjson.loads(r.value) for r in records if r.topic == CONTRACT.events.topic]


def labels(records: list[Due]) -> list[dict[str, Any]]:
    return [orjson.loads(r.value) for r in records if r.topic == CONTRACT.labels.topic]


def at(event: dict[str, Any]) -> Micros:
    """What a record says its time is."""
    found = instant(event["event_time"])
    assert found is not None
    return found


@settings(max_examples=15)
@given(st.integers(0, 2**32), spans, st.lists(st.integers(1, 9 * HOUR), min_size=1, max_size=5))
def test_a_seed_makes_the_same_records_in_whatever_pieces(
    seed: int, since: Micros, steps: list[Micros]
) -> None:
    traffic = replace(SHIPPED, seed=seed, twice=0.1)
    start = end = BEGINS + since
    pieces: list[Due] = []
    for step in steps:
        pieces += payments(traffic).due(end, end + step)
        end += step
    assert pieces == payments(traffic).due(start, end)


def test_another_seed_makes_other_payments() -> None:
    one, other = (payments(replace(SHIPPED, seed=seed)).due(BEGINS, BEGINS + HOUR) for seed in (1, 2))
    assert not {r.id for r in one} & {r.id for r in other}


def test_every_record_is_what_the_contract_asks_for() -> None:
    decode = {s.topic: decoder(s) for s in (CONTRACT.events, CONTRACT.labels)}
    found = [decode[r.topic](r.value) for r in payments().due(BEGINS, BEGINS + DAY)]
    assert {type(record) for record in found} == {Decoded}
    assert {record.unknown for record in found if isinstance(record, Decoded)} == {()}


def test_records_come_in_order_each_id_once_a_topic_but_for_copies() -> None:
    found = payments(replace(SHIPPED, twice=0.1)).due(BEGINS, BEGINS + DAY)
    assert [r.order for r in found] == sorted(r.order for r in found)
    assert len({(r.topic, r.id, r.copy) for r in found}) == len(found)


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(1, 6_000))
def test_a_day_holds_as_many_payments_as_it_should(seed: int, a_day: int) -> None:
    source = payments(replace(SHIPPED, seed=seed, a_day=a_day, twice=0, bad_hosts={}))
    midnight = BEGINS // DAY * DAY
    made = map(at, events(source.due(midnight, midnight + DAY + MINUTE)))
    assert sum(midnight <= time < midnight + DAY for time in made) == a_day


@settings(max_examples=3)
@given(st.integers(0, 2**16))
def test_shares_are_as_set(seed: int) -> None:
    """Of a week's 30,240 payments: within 0.015, six deviations."""
    traffic = replace(SHIPPED, seed=seed, frauds=0.2, nulls=0.1, twice=0.1, no_consent=0.1)
    found = payments(traffic).due(BEGINS, BEGINS + 7 * DAY)
    told, asked = labels(found), events(found)
    once = {e["payment_id"]: e for e in asked}.values()
    share = {
        "frauds": sum(e["fraud"] for e in told) / len(told),
        "nulls": sum(e["card_age_days"] is None for e in once) / len(once),
        "twice": len(asked) / len(once) - 1,
        "no_consent": sum(not e["consent"] for e in once) / len(once),
    }
    expected = {"frauds": 0.2, "nulls": 0.1, "twice": 0.1, "no_consent": 0.1}
    assert share == pytest.approx(expected, abs=0.015)


@given(st.floats(0.1, 3), st.floats(0, 1), st.floats(2, 20))
@settings(max_examples=10)
def test_labels_come_in_time_or_late_as_set(label_h: float, late: float, late_by_h: float) -> None:
    traffic = replace(
        SHIPPED, label_h=label_h, late_labels=late, late_by_h=late_by_h + 2 * label_h, bad_hosts={}
    )
    found = payments(traffic).due(BEGINS, BEGINS + 3 * DAY)
    asked = {e["payment_id"]: at(e) for e in events(found)}
    waits = [
        (at(e) - asked[e["payment_id"]]) / HOUR
        for e in labels(found)
        if e["payment_id"] in asked and asked[e["payment_id"]] < BEGINS + DAY
    ]
    in_time = [wait for wait in waits if wait <= LONGEST_WAIT * label_h]
    assert all(SHORTEST_WAIT * label_h - 1e-6 <= wait for wait in waits)
    assert all(wait <= LONGEST_WAIT * label_h + traffic.late_by_h for wait in waits)
    assert 1 - len(in_time) / len(waits) == pytest.approx(late, abs=0.06)


def test_every_label_has_its_event_and_every_event_its_label() -> None:
    source = payments()
    found = source.due(source.history_from, BEGINS)
    asked, told = ({e["payment_id"] for e in of(found)} for of in (events, labels))
    assert told < asked
    later = source.due(BEGINS, BEGINS + SHIPPED.longest_wait + MINUTE)
    assert asked <= told | {e["payment_id"] for e in labels(later)}


def test_the_history_is_small_and_begins_when_it_should() -> None:
    source = payments()
    history = source.due(source.history_from - DAY, BEGINS)
    assert source.history_from == BEGINS - 3 * DAY
    assert history[0].at >= source.history_from
    assert 10_000 < len(events(history)) <= 40_000


def test_a_bad_host_claims_another_time_from_the_replays_start_on() -> None:
    """honest | BEGINS | till-3 an hour ahead, till-4 a minute behind, all others honest"""
    source = payments(replace(SHIPPED, bad_hosts={"till-3": 3600, "till-4": -60}))

    def off(since: Micros, until: Micros) -> dict[str, set[int]]:
        """Whole minutes from claim to arrival, by host: 0 of an honest one."""
        found: dict[str, set[int]] = {}
        for record in source.due(since, until):
            if record.topic == CONTRACT.events.topic:
                event = orjson.loads(record.value)
                found.setdefault(event["terminal"], set()).add((record.at - at(event)) // MINUTE)
        return found

    hosts = {f"till-{n}" for n in range(1, HOSTS + 1)}
    assert off(BEGINS - DAY, BEGINS) == {host: {0} for host in hosts}
    bad = {"till-3": {-60}, "till-4": {1}}
    assert off(BEGINS + MINUTE, BEGINS + DAY) == {host: bad.get(host, {0}) for host in hosts}


@given(st.integers(0, 1000), st.floats(1, 200))
def test_no_pattern_of_fraud_outlives_its_time(day: int, drift_h: float) -> None:
    traffic, life = replace(SHIPPED, drift_h=drift_h), int(drift_h * HOUR)
    ages = (0, life // AT_ONCE, life + SECOND)
    now, soon, later = (set(alive(traffic, BEGINS + day * DAY + age)) for age in ages)
    assert len(now) == AT_ONCE
    assert not now & later
    assert len(now & soon) >= AT_ONCE - 2


def test_the_contracts_table_knows_every_country_but_one() -> None:
    (table,) = CONTRACT.tables
    assert {c.code for c in COUNTRIES} - set(table.keys) == {"XK"}


@pytest.mark.parametrize("which", ["events", "labels"])
def test_a_field_that_no_payment_has_is_refused(which: str) -> None:
    source = getattr(CONTRACT, which)
    more = replace(source, parts=(*source.parts, Field("shoe_size", Type.LONG)))
    both = {"events": CONTRACT.events, "labels": CONTRACT.labels, which: more}
    with pytest.raises(BadConfig, match=rf"{which}\.fields\.shoe_size"):
        Payments(SHIPPED, BEGINS, **both)
