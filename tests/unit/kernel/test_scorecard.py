"""A scorecard as it travels: listed promises, any tolerance asked later, thresholds, sentences."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.parts import Decide, Scorecard
from hotpath.errors import BadArtifact, BadInput
from hotpath.promises import Counts, Interval, Promise, interval, promise
from hotpath.scorecard import (
    as_json,
    asked,
    curve,
    decided,
    intervals,
    pairs,
    promises,
    ranks,
    said,
    sentences,
)

FP, FN = "false_positive_rate", "false_negative_rate"
LISTED = Scorecard(false_positive_rate=(0.01, 0.05), false_negative_rate=(0.05,), coverage=(0.9,))


def counts(rows: int = 4_000, seed: int = 0, apart: float = 2.0) -> Counts:
    chance = np.random.default_rng(seed)
    yes = chance.random(rows) < 0.3
    return Counts.of(yes, 1 / (1 + np.exp(-chance.normal(apart * yes - 1))))


def card(rows: int = 4_000, seed: int = 0) -> dict[str, Any]:
    """As the trainer writes it, and JSON brings it."""
    found = counts(rows, seed)
    kept = promises(found, LISTED)
    written = {
        "confidence": 0.95,
        "promises": [as_json(p, "1") for p in kept],
        "curves": {"1": curve(found, kept)},
    }
    return dict(json.loads(json.dumps(written, allow_nan=False)))


def number_card(rows: int, seed: int = 0) -> tuple[np.ndarray, dict[str, Any]]:
    off = np.abs(np.random.default_rng(seed).normal(0, 2, rows))
    kept = [vars(found) for found in intervals(off, LISTED)]
    return off, json.loads(json.dumps({"intervals": kept, "errors": ranks(off), "confidence": 0.95}))


def test_a_listed_tolerance_asked_again_is_what_it_was() -> None:
    listed = promises(counts(), LISTED)
    assert [asked(card(), p.on, p.tolerance) for p in listed] == listed


@given(
    st.sampled_from([FP, FN]), st.floats(0.001, 0.5), st.sampled_from([0.8, 0.95, 0.99]), st.integers(0, 3)
)
def test_any_other_tolerance_is_answered_and_never_more_permissively_than_from_the_rows(
    on: Any, tolerance: float, confidence: float, seed: int
) -> None:
    exact = promise(counts(seed=seed), on, tolerance, confidence)
    found = asked(card(seed=seed), on, tolerance, confidence)
    assert isinstance(found, Promise)
    assert found.covered <= exact.covered
    assert exact.covered - found.covered < 0.03
    assert found.threshold is None or (found.bound or 1.0) <= tolerance


@given(st.floats(0.5, 0.995), st.sampled_from([0.8, 0.95, 0.99]), st.integers(1, 900))
def test_any_coverage_of_a_number_is_answered_and_never_more_narrowly(
    coverage: float, confidence: float, rows: int
) -> None:
    off, told = number_card(rows)
    exact, found = interval(off, coverage, confidence), asked(told, "coverage", coverage, confidence)
    assert isinstance(found, Interval)
    if exact.within is None or found.within is None:
        assert found.within is exact.within
    else:
        assert exact.within <= found.within <= 1.2 * exact.within + 0.1


def test_a_curve_is_short_enough_to_travel() -> None:
    found = curve(counts(200_000))
    assert len(found["points"]) <= 500  # type: ignore[arg-type]


def test_decisions_are_made_by_the_thresholds_of_both_tolerances() -> None:
    found = decided(counts(apart=1.0), Decide(0.05, 0.05), 0.95)
    above, below = (promise(counts(apart=1.0), on, 0.05, 0.95).threshold for on in (FP, FN))  # type: ignore[arg-type]
    assert (found.threshold, found.accept_below, found.promised) == (above, below, True)
    assert below is not None
    assert above is not None
    assert below < above


def test_where_one_threshold_serves_both_nothing_is_abstained_from() -> None:
    found = decided(counts(apart=6.0), Decide(0.1, 0.1), 0.95)
    assert found.threshold == found.accept_below == promise(counts(apart=6.0), FP, 0.1, 0.95).threshold  # type: ignore[arg-type]


@pytest.mark.parametrize("decide", [Decide(0.05, None), Decide(None, 0.05)])
def test_of_one_tolerance_both_thresholds_are_the_same(decide: Decide) -> None:
    found = decided(counts(), decide, 0.95)
    assert found.threshold == found.accept_below
    assert found.threshold is not None


def test_what_cannot_be_promised_is_never_declined_or_never_accepted() -> None:
    found = decided(counts(rows=150), Decide(0.001, 0.2), 0.95)
    assert (found.threshold, found.promised) == (None, False)
    assert found.accept_below is not None


def test_each_two_tolerances_make_a_pair() -> None:
    found = pairs(counts(apart=1.0), LISTED)
    assert [(a, b) for a, b, _ in found] == [(0.01, 0.05), (0.05, 0.05)]
    assert all(p.accepted + p.abstained + p.declined == pytest.approx(1) for _, _, p in found)
    assert found[0][2].declined < found[1][2].declined


def test_promises_are_said_as_sentences() -> None:
    first, _, third = sentences(card())
    assert first.startswith(
        "At most 1 % of all that turn out no are declined, with 95 % confidence: decline from"
    )
    assert "The price: " in first
    assert "of those that turn out yes are not declined. That settles" in first
    assert third.startswith("At most 5 % of all that turn out yes are accepted, with 95 % confidence: accept")
    _, told = number_card(500)
    assert sentences(told)[0].startswith("An estimate is off by at most ")


def test_what_cannot_be_promised_says_why() -> None:
    found = asked(card(rows=100), FP, 0.001)
    assert said(found).startswith(
        "It cannot be promised with 95 % confidence that at most 0.1 % of all that turn"
    )
    assert "it takes at least 2995 such rows" in said(found)
    assert "cannot be promised: 20 independent rows are too few: it takes 299" in said(
        asked(number_card(20)[1], "coverage", 0.99)
    )


def test_of_a_class_a_sentence_names_it() -> None:
    assert "turn out something other than b are called b" in said(asked(card(), FP, 0.05), "b")


@pytest.mark.parametrize(
    ("question", "value"),
    [((FP, 1.5), 1.5), ((FP, 0.1, 1.0), 1.0), (("recall", 0.1), "recall"), ((FP, 0.1, 0.9, "z"), "z")],
)
def test_a_question_that_is_none_is_refused(question: tuple[Any, ...], value: object) -> None:
    with pytest.raises(BadInput) as refused:
        asked(card(), *question)
    assert refused.value.value == value


def test_a_scorecard_of_before_promises_says_so() -> None:
    with pytest.raises(BadArtifact):
        asked({"kind": "binary", "metrics": {}}, FP, 0.1)
    with pytest.raises(BadInput):
        asked(card(), "coverage", 0.9)
