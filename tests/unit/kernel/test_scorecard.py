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


def busy(rows: int = 4_000) -> Counts:
    """One row an entity beside all rows, of which those of no lean to a higher score."""
    chance = np.random.default_rng(0)
    yes = chance.random(9 * rows) < 0.3
    every = Counts.of(yes, 1 / (1 + np.exp(-chance.normal(1.5 * yes))))
    return counts(rows).beside(every)


def card(rows: int = 4_000, seed: int = 0, found: Counts | None = None) -> dict[str, Any]:
    """As the trainer writes it, and JSON brings it."""
    found = found or counts(rows, seed)
    kept = promises(found, LISTED)
    written = {
        "confidence": 0.95,
        "entity": "card_id",
        "promises": [as_json(p, "1") for p in kept],
        "curves": {"1": curve(found, kept)},
    }
    return dict(json.loads(json.dumps(written, allow_nan=False)))


def number_card(rows: int, seed: int = 0) -> tuple[np.ndarray, dict[str, Any]]:
    off = np.abs(np.random.default_rng(seed).normal(0, 2, rows))
    kept = [vars(found) for found in intervals(off, LISTED)]
    told = {"intervals": kept, "errors": ranks(off), "confidence": 0.95, "unit": "minutes"}
    return off, json.loads(json.dumps(told))


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
        "At most 1 % of all card_id that turn out no (one question each) are declined, with 95 % confidence: "
        "decline from"
    )
    assert "The price: " in first
    assert "of those that turn out yes are not declined. That settles" in first
    assert first.endswith(" % of all card_id.")
    assert third.startswith("At most 5 % of all card_id that turn out yes (one question each) are accepted, ")
    _, told = number_card(500)
    assert sentences(told)[0].startswith("An estimate is off by at most ")
    assert " minutes for at least 90 % of all entities (one question each), with 95 %" in sentences(told)[0]


def test_any_coverage_is_said_in_the_unit_of_the_number() -> None:
    _, told = number_card(500)
    assert " minutes for at least 80 % " in said(asked(told, "coverage", 0.8), card=told)


def test_what_all_rows_do_not_bear_out_is_no_promise_whether_listed_or_asked_later() -> None:
    told = card(found=busy())
    listed = promises(busy(), LISTED)
    assert [p.threshold is None for p in listed] == [True, True, False]
    assert [asked(told, p.on, p.tolerance) for p in listed] == listed
    later = asked(told, FP, 0.03)
    assert isinstance(later, Promise)
    assert later.threshold is None
    assert "over all 25," in said(later, card=told)
    assert "curves" in told
    del told["curves"]["1"]["every"]  # as an older trainer wrote it
    older = asked(told, FP, 0.03)
    assert isinstance(older, Promise)
    assert older.threshold is not None


def test_a_coverage_that_all_rows_do_not_bear_out_is_no_promise() -> None:
    off = np.arange(1_000.0)
    told = json.loads(json.dumps({"errors": ranks(off, np.concatenate([off, np.full(30, 1e6)]))}))
    found = asked(told, "coverage", 0.9)
    assert isinstance(found, Interval)
    assert found.within is None
    assert "of all 1,030 rows only" in found.why
    (listed,) = intervals(off, LISTED, np.concatenate([off, np.full(30, 1e6)]))
    assert (listed.within, listed.rows) == (None, 1_000)
    half = asked(told, "coverage", 0.5)
    assert isinstance(half, Interval)
    assert half.within is not None


def test_what_cannot_be_promised_says_why() -> None:
    found = asked(card(rows=100), FP, 0.001)
    assert said(found).startswith(
        "It cannot be promised with 95 % confidence that at most 0.1 % of all entities that turn out no (one"
    )
    assert "it takes at least 2995 such rows" in said(found)
    assert "cannot be promised: 20 independent rows are too few: it takes 299" in said(
        asked(number_card(20)[1], "coverage", 0.99)
    )


def test_of_a_class_a_sentence_names_it() -> None:
    assert "of all entities that turn out something other than b (one question each) are called b" in said(
        asked(card(), FP, 0.05), "b"
    )


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


def test_a_number_that_is_asked_for_a_rate_says_that_it_has_intervals() -> None:
    _, told = number_card(500)
    with pytest.raises(BadInput, match="coverage") as refused:
        asked(told, FP, 0.1)
    assert "anew" not in str(refused.value)


@pytest.mark.parametrize(("used", "apart"), [(0.5, False), (0.7, False), (0.6, True), (None, False)])
def test_a_card_says_where_decisions_follow_none_of_its_promises(used: float | None, apart: bool) -> None:
    kept = Promise("false_positive_rate", 0.1, 0.95, 9, 0.5, rate=0, bound=0, other=0, low=0, high=1)
    known = as_json(kept, "1")
    card = {"threshold": used, "promises": [known], "pairs": [{"decline_at": 0.7, "accept_below": 0.2}]}
    assert (len(sentences(card)) == 2) is apart
