"""Each suspicion of the table is said where there is cause, and not where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hotpath.contract.model import Contract
from hotpath.people.evidence import Evidence, evidence
from hotpath.people.spread import deciles
from hotpath.people.starter import contract_text
from hotpath.people.suspicion import SUSPICIONS, suspicious
from tests.unit.people.rides import COUNTED, START, contract, drafted, shown, spelt

CANCELLED = [answer["cancelled"] for answer in drafted().answers]
HOURS = 3_600_000_000
HOST_OF_TWO_LEVELS = (
    "app_host: {type: string, max_length: 16",
    "app_host: {type: category, max_levels: 2, max_length: 16",
)


def edited(*changes: tuple[str, str]) -> Evidence:
    """The rides under a contract whose text was changed."""
    text = contract_text(drafted())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return replace(shown(), contract=Contract.from_yaml(text, "rides.yaml"))


def leaked_by_nulls(number: int) -> float | None:
    return 1.5 if CANCELLED[number] else None


CAUSES: dict[str, tuple[Callable[[], Evidence], str]] = {
    "refused rows": (lambda: shown(seats=lambda n: "two" if n == 7 else 2), "seats"),
    "leak by name": (lambda: edited(("  surge: surge", "  when_cancelled: surge")), "when_cancelled"),
    "leak by strength": (lambda: shown(surge=lambda n: 1.5 + CANCELLED[n]), "surge"),
    "leak by nulls": (lambda: shown(surge=leaked_by_nulls), "surge"),
    "constant feature": (lambda: shown(seats=lambda _: 2), "seats"),
    "always null": (lambda: shown(surge=lambda _: None), "surge"),
    "identifier": (lambda: edited(("  seats: seats", "  seats: hash_bucket(ride_id, 1000000)")), "seats"),
    "no unit": (lambda: shown(), "seats"),
    "too many levels": (lambda: edited(HOST_OF_TWO_LEVELS), "app_host"),
    "never null": (lambda: shown(surge=lambda n: 1.0 + n / 500), "surge"),
    "time to event is past": (lambda: shown(pickupAt=lambda _: spelt(START)), "minutes_to_pickup_at"),
    "duplicated id": (lambda: shown(rideId=lambda n: f"r-{n // 2}"), "ride_id"),
    "shuffled time": (lambda: shown(asked_at=lambda n: spelt(START + n * 77 % 200 * HOURS)), "asked_at"),
    "no label": (lambda: shown(rideId=lambda n: f"r-{n + 150}"), "ride_id"),
    "one class": (lambda: one_class(), "cancelled"),
    "changed unit": (lambda: in_metres(), "trip_km"),
}


def one_class() -> Evidence:
    found = shown()
    return replace(found, answers=[row for row in found.answers if row["cancelled"]])


def in_metres() -> Evidence:
    """A thousand times smaller, which the range takes."""
    good = shown()
    old = deciles([float(str(row["trip_km"])) for row in good.rows])
    return replace(shown(trip_km=lambda n: 0.001 * n / 7), spreads={"trip_km": old})


@pytest.mark.parametrize("name", [s.name for s in SUSPICIONS])
def test_a_cause_is_said_with_its_place(name: str) -> None:
    cause, where = CAUSES[name]
    assert (name, where) in {(f.suspicion, f.where) for f in suspicious(cause())}


def test_good_rides_are_suspected_of_missing_units_alone() -> None:
    assert {f.suspicion for f in suspicious(shown())} == {"no unit"}


def test_without_a_sample_only_the_contract_is_looked_at() -> None:
    assert {f.suspicion for f in suspicious(Evidence(contract()))} == {"no unit"}


def test_a_refused_line_is_counted_with_its_reason() -> None:
    found: Any = evidence(contract(), [b"{", b"{"], [])
    assert found.refused.total() == 2


def test_a_feature_that_reads_tiles_is_not_judged_by_a_sample_or_by_its_name() -> None:
    named = (COUNTED[0], COUNTED[1].replace("share:", "cancelled_share:"))
    assert suspicious(edited(named)) == suspicious(edited())
