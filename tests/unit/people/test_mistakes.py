"""The common mistakes, made on the rides: each is noticed, and one that is not fails the test."""

from __future__ import annotations

import re
from dataclasses import replace

from hotpath.contract.model import Contract
from hotpath.people.evidence import Evidence
from hotpath.people.mistakes import MISTAKES, caught
from hotpath.people.results import Kind, mistakes
from hotpath.people.spread import deciles
from hotpath.people.starter import contract_text
from tests.unit.people.rides import drafted, shown


def accepted(found: Evidence) -> Evidence:
    """With the spreads that `--accept` would have written."""
    return replace(found, spreads={name: deciles(values) for name, values in found.numbers().items()})


def test_every_mistake_is_made_and_noticed() -> None:
    results = list(mistakes(caught(accepted(shown()))))
    assert len(results) >= len(MISTAKES)
    assert all(result.passed for result in results), results
    assert {result.kind for result in results} == {Kind.MISTAKE}


def test_a_unit_is_mistaken_for_what_it_easily_is() -> None:
    assert any(each.mistake == "km sent as m" for each in caught(accepted(shown())))


def test_a_mistake_that_nobody_notices_fails() -> None:
    """A number that is nearly always zero, in a range without an end."""
    bounded = "(trip_km: {type: double, )min: 0, max: [0-9]+, "
    text = re.sub(bounded, r"\1", contract_text(drafted()))
    rides = shown(trip_km=lambda n: 0.5 if n < 3 else 0.0)
    found = accepted(replace(rides, contract=Contract.from_yaml(text, "rides.yaml")))
    lost = [result for result in mistakes(caught(found)) if not result.passed]
    assert [result.name for result in lost] == ["km sent as m (trip_km)"]
    assert "narrow" in lost[0].says
