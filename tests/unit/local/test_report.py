"""The report's arithmetic: multisets, quantiles, conditions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.local.report import (
    Answers,
    HostFlagged,
    Models,
    Records,
    Report,
    Written,
    quantile,
    tally,
    told,
    unmet,
)

FINE = Report(
    seconds_to_first_answer=200,
    events=Records(produced=120_000, landed=120_000),
    labels=Records(produced=10, landed=10),
    models=Models(went_live=3),
    answers=Answers(total=10_000),
    freshness_s={"p50": 1, "p95": 2},
    quality={"holdout_auc": 0.7, "live_auc": 0.7, "live_auc_brute_force": 0.7, "label_coverage": 0.5},
    hosts_flagged=(HostFlagged("ewr-9", 10_800.0, 60.0), HostFlagged("jfk-9", -3600.0, 60.0)),
    rows_left_out=1,
    points=Written(10, 0),
)


def places(n: int) -> Counter[tuple[int, int]]:
    return Counter((0, offset) for offset in range(n))


def test_everything_acknowledged_and_landed_once() -> None:
    found = tally(Counter(["a", "b"]), Counter(["a", "b"]), Counter(), places(2))
    assert found == Records(produced=2, landed=2)


def test_an_id_that_no_reader_sees_is_lost() -> None:
    assert tally(Counter(["a", "b"]), Counter(["a"]), Counter(), places(1)).lost == 1


def test_an_id_that_was_rejected_is_not_lost() -> None:
    found = tally(Counter(["a", "b"]), Counter(["a"]), Counter(["b"]), places(1))
    assert (found.lost, found.rejected) == (0, 1)


def test_an_id_seen_more_often_than_sent_is_duplicated() -> None:
    assert tally(Counter(["a"]), Counter(["a", "a"]), Counter(), places(2)).duplicated == 1


def test_an_offset_seen_twice_is_duplicated_whatever_its_id() -> None:
    assert tally(Counter(), Counter(["a", "a"]), Counter(), Counter({(0, 1): 2})).duplicated == 1


def test_an_id_that_its_producer_sent_twice_may_be_seen_twice() -> None:
    assert tally(Counter(["a", "a"]), Counter(["a", "a"]), Counter(), places(2)) == Records(2, 2)


def test_an_event_put_in_by_hand_is_landed_and_not_duplicated() -> None:
    assert tally(Counter(["a"]), Counter(["a", "by hand"]), Counter(), places(2)) == Records(1, 2)


@given(st.lists(st.floats(0, 1e9), min_size=1), st.sampled_from([0.5, 0.95, 0.99, 0.999, 1.0]))
def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed(
    values: list[float], share: float
) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert sum(v <= found for v in ordered) >= share * len(ordered) - 1e-9
    assert sum(v < found for v in ordered) < share * len(ordered)


def test_a_run_that_meets_everything_has_nothing_unmet() -> None:
    assert unmet(FINE) == []


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (replace(FINE, events=replace(FINE.events, lost=1)), "events lost"),
        (replace(FINE, labels=replace(FINE.labels, lost=1)), "labels lost"),
        (replace(FINE, events=replace(FINE.events, duplicated=1)), "events duplicated"),
        (replace(FINE, labels=replace(FINE.labels, duplicated=1)), "labels duplicated"),
        (replace(FINE, events=replace(FINE.events, landed=100_000)), "events landed"),
        (replace(FINE, answers=Answers(total=0)), "answers were given"),
        (replace(FINE, answers=Answers(total=9, failed=1)), "answers failed"),
        (replace(FINE, answers=Answers(total=9, mixed=1)), "answers mixed"),
        (replace(FINE, answers=Answers(total=1000, over_1s=1)), "answers over 1 s"),
        (replace(FINE, models=Models(went_live=2)), "three models"),
        (replace(FINE, quality={**FINE.quality, "holdout_auc": 0.64}), "holdout AUC"),
        (replace(FINE, hosts_flagged=FINE.hosts_flagged[:1]), "the hosts named"),
        (
            replace(FINE, hosts_flagged=(*FINE.hosts_flagged, HostFlagged("jfk-1", 9.0, 1.0))),
            "the hosts named",
        ),
        (replace(FINE, rows_left_out=0), "rows left out"),
        (replace(FINE, quality={**FINE.quality, "live_auc": 0.7 + 2e-9}), "live AUC"),
        (replace(FINE, quality={**FINE.quality, "live_auc": None}), "live AUC"),
        (replace(FINE, points=Written(10, 1)), "points lost"),
        (replace(FINE, seconds_to_first_answer=241), "first answer"),
        (replace(FINE, seconds_to_first_answer=None), "first answer"),
    ],
)
def test_each_condition_that_does_not_hold_is_named(broken: Report, named: str) -> None:
    assert any(line.startswith(named) for line in unmet(broken))


def test_the_named_hosts_are_told_with_size_and_direction() -> None:
    (line,) = (line for line in told(FINE) if line.startswith("clocks"))
    assert "ewr-9 10800 s behind (named after 60 s), jfk-9 3600 s ahead" in line
