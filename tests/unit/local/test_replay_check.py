"""Answers held against the bundle that they name."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from hotpath.clock import HOUR, MINUTE, SECOND, Micros
from hotpath.contract.fitted import NOTHING
from hotpath.contract.load import load
from hotpath.contract.types import Value
from hotpath.local.answers import Answered, Transaction
from hotpath.local.replay_check import counted, mixed, two_bundles
from hotpath.settings import PROJECT
from serve.answer import answer
from serve.decide import Cuts
from serve.generation import Generation, Scored, composed

NOW: Micros = 1_795_200_000 * SECOND
CONTRACT = load(PROJECT / "config" / "pipelines" / "flights.yaml")
MINUTES = [f.name for f in CONTRACT.features].index("minutes_to_departure")
REQUEST = {
    "flight_id": "f",
    "departs_at": "2026-11-20T20:00:00.000000Z",
    "carrier": "UA",
    "origin": "EWR",
    "dest": "ORD",
    "distance": 719.0,
}


def generation(bundle: str, threshold: float = 0.5, scale: float = 10_000) -> Generation:
    """A model whose score depends on the time of the question alone."""
    return composed(
        CONTRACT,
        NOTHING,
        lambda vector: Scored(float(cast("float", vector[MINUTES] or 0)) / scale, ()),
        sequence=0,
        bundle=bundle,
        trained_at=NOW - HOUR,
        cuts=Cuts(threshold, threshold),
    )


KNOWN = {"one": generation("one"), "two": generation("two", scale=20_000)}


LOGGED: dict[str, tuple[Value, ...]] = {}
"""What the score records of these transactions hold."""


def transaction(bundle: str = "one", sequence: int = 1, asked_at: Micros = NOW) -> Transaction:
    given, threshold = answer(KNOWN[bundle], dict(REQUEST), asked_at, "id"), KNOWN[bundle].threshold
    LOGGED[f"{bundle} {asked_at}"] = given.features
    named = bundle, sequence, asked_at, 3600.0, f"{bundle} {asked_at}"
    said = Answered(given.score, given.decision, threshold, *named)
    return Transaction(asked_at, 1000, REQUEST, said, None, ())


def altered(**said: object) -> Transaction:
    found = transaction()
    assert found.answered is not None
    return replace(found, answered=replace(found.answered, **said))  # type: ignore[arg-type]


def test_an_answer_of_the_bundle_that_it_names_is_not_mixed() -> None:
    assert not mixed(transaction(), KNOWN.get, LOGGED)


def test_a_question_without_a_time_is_asked_at_the_scorers_now() -> None:
    """The same question a minute later has another score."""
    first, later = transaction(), transaction(asked_at=NOW + MINUTE)
    assert first.answered is not None
    assert later.answered is not None
    assert first.answered.score != later.answered.score
    assert not mixed(later, KNOWN.get, LOGGED)


@pytest.mark.parametrize(
    "said",
    [
        {"bundle": "two"},  # the score is the first's
        {"bundle": "unknown"},
        {"threshold": 0.4},
        {"decision": "decline"},
        {"decision": "abstain"},
        {"score": None},
        {"asked_at": NOW + MINUTE},
    ],
)
def test_an_answer_that_is_not_the_named_bundles_is_mixed(said: dict[str, object]) -> None:
    assert mixed(altered(**said), KNOWN.get, LOGGED)


def test_what_rests_on_tiles_is_taken_from_the_log_and_nothing_else_is() -> None:
    """Minutes to departure come from the event; the late share of an hour from the tiles."""
    late = [f.name for f in CONTRACT.features].index("late_share_1h")
    found = transaction()
    assert found.answered is not None
    logged = list(LOGGED[found.answered.prediction_id])
    logged[late] = 0.75
    assert not mixed(found, KNOWN.get, {found.answered.prediction_id: tuple(logged)})
    logged[MINUTES] = 1e6
    assert not mixed(found, KNOWN.get, {found.answered.prediction_id: tuple(logged)})
    assert not mixed(found, KNOWN.get, {}), "of an answer whose record has not landed it cannot be said"


def test_a_score_may_differ_by_less_than_the_tolerance() -> None:
    score = answer(KNOWN["one"], dict(REQUEST), NOW, "id").score or 0.0
    assert not mixed(altered(score=score + 1e-13), KNOWN.get, LOGGED)
    assert mixed(altered(score=score + 1e-11), KNOWN.get, LOGGED)


def test_a_sequence_that_names_two_bundles_is_mixed() -> None:
    assert two_bundles([transaction("one", 1), transaction("two", 2), transaction("two", 1)]) == 1


def test_the_report_parts_swap_windows_from_the_rest() -> None:
    """Answers each second, 1 ms; the swap at 10 s took 5 ms; one failed; one took 2 s while training."""
    found = [transaction(asked_at=NOW + n * SECOND) for n in range(10)]
    found += [transaction("two", 2, NOW + n * SECOND) for n in range(10, 20)]
    found[10] = replace(found[10], latency_us=5000)
    found[15] = replace(found[15], latency_us=2 * SECOND, busy=("train.job 180%",))
    found[18] = replace(found[18], answered=None, error="ReadTimeout")
    report = counted(found, KNOWN.get, LOGGED)
    assert (report.total, report.failed, report.mixed, report.over_1s) == (20, 1, 0, 1)
    assert report.latency_us_in_swaps.p999 == 5000
    assert report.latency_us.p50 == 1000
    assert report.latency_us.p999 == 2 * SECOND
    assert report.over_1s_while == ["train.job 180%"]
