"""A verdict: when it begins, what it does in the band, when it ends. Instants in the tests are seconds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import SECOND
from monitoring.verdicts import Change, Rule, State, step

Values = Iterable[float | None]
RULE = Rule(warn=10, page=60, for_s=3, stale_s=5)


def changes(rule: Rule, values: Values) -> list[Change]:
    """A value a second, from 0 on."""
    state, found = State(seen=0), []
    for second, value in enumerate(values):
        state, change = step(state, value, second * SECOND, rule)
        found += [change] if change else []
    return found


def told(rule: Rule, values: Values) -> list[tuple[float, str, str]]:
    return [(c.at / SECOND, c.kind, c.level) for c in changes(rule, values)]


def test_a_value_beyond_for_long_enough_begins_and_is_said_since_it_was_first_beyond() -> None:
    #   s  0  1   2   3   4   5
    (change,) = changes(RULE, [0, 11, 12, 13, 14, 15])
    assert (change.kind, change.level, change.at, change.since) == ("begin", "warn", 4 * SECOND, SECOND)
    assert (change.value, change.threshold) == (14, 10)


def test_a_short_excursion_says_nothing() -> None:
    assert told(RULE, [0, 11, 12, 9, 11, 12, 9, 11, 12, 9]) == []


def test_in_the_band_what_was_said_stands() -> None:
    assert told(RULE, [11, 11, 11, 11, 9.5, 9.5, 9.5, 9.5, 9.5]) == [(3, "begin", "warn")]


def test_it_ends_once_it_was_inside_by_the_band_for_long_enough() -> None:
    found = changes(RULE, [11, 11, 11, 11, 9, 9, 9, 9])
    assert [(c.at / SECOND, c.kind) for c in found] == [(3, "begin"), (7, "end")]
    assert found[1].since == found[0].since == 0, "an end says since when it had lasted"


def test_worse_raises_and_better_lowers_the_level() -> None:
    values = [70] * 4 + [20] * 4 + [1] * 4
    assert told(RULE, values) == [(3, "begin", "page"), (7, "change", "warn"), (11, "end", "clear")]


def test_below_is_the_mirror_of_above() -> None:
    rule = Rule(warn=0.5, page=0.4, worse="below", for_s=0, band=0.1)
    values = [0.6, 0.45, 0.35, 0.43, 0.45, 0.54, 0.55]
    assert told(rule, values) == [
        (1, "begin", "warn"),
        (2, "change", "page"),
        (4, "change", "warn"),
        (6, "end", "clear"),
    ]


def test_a_threshold_of_zero_counts_things() -> None:
    assert told(Rule(warn=0), [0, 1, 1, 0]) == [(1, "begin", "warn"), (3, "end", "clear")]


def test_a_subject_that_falls_silent_keeps_its_level_for_a_while_and_then_loses_it() -> None:
    assert told(RULE, [20] * 4 + [None] * 6) == [(3, "begin", "warn"), (8, "end", "clear")]


def test_silence_is_an_alarm_of_its_own_where_it_is_asked_for() -> None:
    rule = Rule(warn=10, stale_s=5, silent=True)
    found = changes(rule, [20, None, None, None, None, None, None, 1])
    assert [(c.at / SECOND, c.kind, c.was, c.level) for c in found] == [
        (0, "begin", "clear", "warn"),
        (5, "change", "warn", "silent"),
        (7, "end", "silent", "clear"),
    ]
    assert found[1].since == 0, "silent since it was last heard"


rules = st.builds(
    Rule,
    warn=st.sampled_from([None, 0.0, 10.0]),
    page=st.sampled_from([None, 60.0]),
    for_s=st.sampled_from([0.0, 2.0, 5.0]),
    stale_s=st.just(4.0),
    silent=st.booleans(),
)
values = st.lists(st.none() | st.floats(-5, 100), max_size=60)


@given(rules, values)
def test_begin_and_end_alternate_and_changes_lie_between(rule: Rule, seen: list[float | None]) -> None:
    found = changes(rule, seen)
    assert all(a.level == b.was for a, b in pairwise(found))
    assert all(c.was != c.level for c in found)
    standing = False
    for change in found:
        assert (change.kind == "begin") == (not standing)
        standing = change.kind != "end"


@given(rules, values)
def test_a_page_implies_that_every_value_was_beyond_it_for_the_time(
    rule: Rule, seen: list[float | None]
) -> None:
    for change in changes(rule, seen):
        if change.level == "page" and change.was != "page" and rule.page is not None:
            span = seen[change.since // SECOND : change.at // SECOND + 1]
            assert change.at - change.since >= rule.for_s * SECOND
            assert all(v > rule.page for v in span if v is not None)


@given(st.floats(5, 60), st.lists(st.floats(0, 1), min_size=1), st.sampled_from(["above", "below"]))
def test_nothing_flaps_inside_the_band(threshold: float, places: list[float], worse: str) -> None:
    rule = Rule(warn=threshold, worse="above" if worse == "above" else "below")
    inside, width = (-1 if worse == "above" else 1), threshold * rule.band
    band = [threshold + inside * width * place * 0.999 for place in places]
    beyond = threshold - inside * threshold
    assert told(rule, [beyond, *band]) == [(0, "begin", "warn")]
    assert told(rule, [threshold + inside * threshold, *band]) == []


@pytest.mark.parametrize("silent", [True, False])
def test_no_data_at_all_is_no_alarm_before_its_time(silent: bool) -> None:
    assert told(Rule(warn=1, stale_s=10, silent=silent), [None] * 10) == []
