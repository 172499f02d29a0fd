"""`hotpath scorecard`: answers in the unit of the target, and what to ask of which kind of model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hotpath.bundle import Bundle
from hotpath.cli import scorecard as command
from hotpath.contract.parts import Scorecard
from hotpath.errors import BadInput
from hotpath.scorecard import intervals, ranks


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest model estimates minutes, and is off by up to 500."""
    off = np.arange(500.0)
    kept = [vars(found) for found in intervals(off, Scorecard(coverage=(0.9,)))]
    said = {"kind": "number", "unit": "minutes", "entity": "trip", "intervals": kept, "errors": ranks(off)}
    bundle = Bundle("b1", {"scorecard.json": json.dumps(said).encode()}, {})
    monkeypatch.setattr(command, "_bundle", lambda *_: bundle)


@pytest.mark.usefixtures("minutes")
@pytest.mark.parametrize(("coverage", "least"), [(None, 90), (0.8, 80)])
def test_an_interval_is_said_in_the_targets_unit_listed_or_asked_for(
    coverage: float | None, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    command.scorecard("trips", coverage=coverage)
    head, line = capsys.readouterr().out.splitlines()
    assert head == "trips, bundle b1:"
    assert f" minutes for at least {least} % of all trip (one question each), with 95 %" in line


@pytest.mark.usefixtures("minutes")
def test_a_rate_of_a_number_is_refused_and_points_to_its_coverage() -> None:
    with pytest.raises(BadInput, match="coverage"):
        command.scorecard("trips", false_positive_rate=0.01)


@pytest.mark.usefixtures("minutes")
@pytest.mark.parametrize("asked", [{"confidence": 0.99}, {"of": "late"}])
def test_what_says_how_to_answer_is_refused_where_nothing_is_asked(asked: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="tolerance"):
        command.scorecard("trips", **asked)


@pytest.mark.usefixtures("minutes")
@pytest.mark.parametrize("confidence", [0.01, 1.0, 7.0])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(BadInput, match="confidence"):
        command.scorecard("trips", coverage=0.8, confidence=confidence)
