"""Each suspicion of the table is said where there is cause, and not where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hotpath.contract.model import Contract
from hotpath.people.evidence import Evidence, evidence
from hotpath.people.spread import deciles
from hotpath.people.starter import contract_text
from hotpath.people.suspicion import SUSPICIONS, suspicious
from tests.contract.samples import CONTRACT
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
    "gate out of reach": (lambda: asked(gate='{latency_us: "<= 0"}'), "gate.latency_us"),
    "floor above gate": (lambda: asked(gate='{auc: ">= 0.6"}', floor=floor(0.61)), "floor.auc"),
    "tolerance out of reach": (
        lambda: asked(train=LEAST, scorecard="{false_negative_rate: [0.01, 0.1]}"),
        "scorecard.false_negative_rate",
    ),
    "short window": (lambda: asked(train="{window: 1h, holdout: 20%, retrain_every: 2h}"), "train.window"),
}
LEAST = "{window: 30d, holdout: 20%, retrain_every: 2h, max_rows: 1000}"
"""At the most 200 rows in a holdout: with no error among them a rate may still be 1.5 % (95 % sure)."""


def floor(bound: float) -> str:
    return f'{{auc: ">= {bound}", window: 2h, windows: 3, labels: 50}}'


def asked(**sections: str) -> Evidence:
    """The rides' contract, without a sample, with sections as they are spelt here."""
    text = contract_text(drafted())
    for name, said in sections.items():
        text = re.sub(rf"^{name}:.*\n(?:[ #].*\n)*", "", text, flags=re.MULTILINE) + f"{name}: {said}\n"
    return Evidence(Contract.from_yaml(text, "rides.yaml"))


def said_of(found: Evidence, name: str) -> list[str]:
    return [finding.says for finding in suspicious(found) if finding.suspicion == name]


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


def test_a_floor_at_the_gates_bound_and_one_of_another_metric_are_not_suspected() -> None:
    assert not said_of(asked(gate='{auc: ">= 0.6"}', floor=floor(0.6)), "floor above gate")
    assert not said_of(asked(gate='{f1: ">= 0.2"}', floor=floor(0.9)), "floor above gate")


def test_only_the_tolerances_that_no_holdout_carries_are_named() -> None:
    found = asked(train=LEAST, scorecard="{false_positive_rate: [0.01, 0.014, 0.015, 0.1]}")
    says = said_of(found, "tolerance out of reach")
    assert [said.partition(":")[0] for said in says] == ["0.01", "0.014"]
    assert "has 200 rows at the most" in says[0]
    assert "may still be 0.0149" in says[0]


def test_a_tolerance_of_next_to_nothing_is_named_too() -> None:
    found = asked(scorecard="{false_positive_rate: [1e-17]}")
    assert len(said_of(found, "tolerance out of reach")) == 1


def test_a_coverage_that_no_holdout_carries_is_named() -> None:
    contract = small_costs("coverage: [0.9, 0.99]", "max_rows: 1000")
    (said,) = said_of(Evidence(contract), "tolerance out of reach")
    assert said.startswith("0.99: ")


def test_a_window_below_the_labels_horizon_is_named_with_both() -> None:
    found = asked(train="{window: 2h, holdout: 20%, retrain_every: 2h}")
    (said,) = said_of(found, "short window")
    assert "labels.horizon" in said


@pytest.mark.parametrize("bound", ['{auc: ">= 1.0"}', '{log_loss: "<= 0"}', '{brier: "<= 0"}'])
def test_a_gate_that_only_perfection_passes_is_named(bound: str) -> None:
    assert said_of(asked(gate=bound), "gate out of reach")


def small_costs(scorecard: str, train: str) -> Contract:
    """The small contract of a number, with a scorecard."""
    text = CONTRACT
    for old, new in (
        ("truth: {type: bool}", "truth: {type: double}"),
        ('{auc: ">= 0.60"}', '{rmse: "<= 9"}'),
        ("retrain_every: 2h}", f"retrain_every: 2h, {train}}}"),
        ("serve:", f"scorecard: {{{scorecard}}}\nserve:"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    return Contract.from_yaml(text, "small.yaml")
