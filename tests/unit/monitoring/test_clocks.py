"""Who is named, from when to when, and who never is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotpath.clock import HOUR, SECOND, Micros
from hotpath.errors import BadArtifact
from monitoring.clocks import MOST_SPANS, Host, Span, State
from monitoring.ledger import Ledger, Memory
from monitoring.windows import Met, Seen
from tests.unit.monitoring.clocks import (
    RULES,
    SOUND,
    START,
    TEN_YEARS,
    Row,
    fed,
    honest,
    observed,
    story,
    window,
    wrong,
)

W = RULES.window


def test_a_host_three_hours_behind_is_named_after_two_windows_and_by_how_much() -> None:
    one = story([honest("bad"), honest(bad=3 * 3600)])
    assert wrong(one) == {}
    two = story([honest("bad"), honest(bad=3 * 3600), honest(bad=3 * 3600)])
    assert {name: host.state for name, host in wrong(two).items()} == {"bad": "behind"}
    assert two.hosts["bad"].offset == pytest.approx(3 * HOUR, abs=SECOND // 2)


@pytest.mark.parametrize(("late_s", "state"), [(-20.0, "ahead"), (-3600.0, "ahead"), (6.0, "behind")])
def test_the_sign_says_ahead_or_behind(late_s: float, state: State) -> None:
    (bad,) = wrong(story([honest("bad"), honest(bad=late_s), honest(bad=late_s)])).values()
    assert bad.state == state
    assert bad.offset == pytest.approx(late_s * SECOND, abs=SECOND // 2)


#   w0     w1 good | w2 wrong  w3 wrong  w4 wrong | w5 good  w6 good
#          since ------------- named ---------------------- until  cleared
def test_the_bad_interval_runs_from_the_last_good_window_to_the_end_of_the_first_good_one() -> None:
    told = [honest("bad")] * 2 + [honest(bad=-60.0)] * 3
    named = story(told)
    since, until = START + W, START + 6 * W
    assert [(s.since, s.until) for s in named.hosts["bad"].spans] == [(since, None)]
    half = story([*told, honest("bad")])
    assert half.hosts["bad"].wrong
    cleared = story([*told, honest("bad"), honest("bad")])
    assert [(s.since, s.until) for s in cleared.hosts["bad"].spans] == [(since, until)]
    assert cleared.hosts["bad"].state == "good"


def test_a_host_near_the_limit_stays_named_until_it_is_well_within() -> None:
    told = [honest("bad")] + [honest(bad=6.0)] * 2
    assert wrong(story([*told, honest(bad=4.0), honest(bad=4.0), honest(bad=4.0)]))
    assert not wrong(story([*told, honest(bad=2.0), honest(bad=2.0)]))


def test_a_new_host_with_a_wrong_clock_is_bad_from_its_first_event_on() -> None:
    ledger = story([honest(), honest(bad=-900.0), honest(bad=-900.0)])
    assert ledger.hosts["bad"].spans[0].since == START + W + SECOND


def test_a_backlog_that_drains_names_nobody() -> None:
    late = [1500.0, 1100.0, 700.0, 300.0, 0.05]
    assert not wrong(story([honest("cut")] + [honest(cut=s) for s in late] + [honest("cut")]))


def test_a_host_that_said_one_thing_in_a_window_is_not_judged() -> None:
    quiet = [row for number in range(4) for row in window(number, {"bad": 900.0}, events=1)]
    loud = [row for number in range(5) for row in window(number, honest())]
    ledger = fed([sorted(quiet + loud, key=lambda row: row[1])])
    assert (ledger.hosts["bad"].state, ledger.hosts["bad"].offset) == ("new", None)


def test_one_event_ten_years_ahead_says_nothing_of_a_clock() -> None:
    told = [[*window(n, honest()), ("h0", START + n * W + 7 * SECOND, -TEN_YEARS)] for n in range(5)]
    ledger = fed(told)
    assert not wrong(ledger)
    assert sum(observed(rows).ahead for rows in told) == 5


def test_a_wrong_clock_is_named_also_where_it_says_ten_years_ahead_now_and_then() -> None:
    told = [
        [*window(n, honest(bad=-7200.0)), ("bad", START + n * W + 7 * SECOND, -TEN_YEARS)] for n in range(4)
    ]
    (bad,) = wrong(fed(told)).values()
    assert bad.offset == pytest.approx(-2 * HOUR, abs=SECOND // 2)


def test_a_drift_is_named_at_the_limit_and_followed() -> None:
    drift = [honest(bad=4.0 + 0.15 * n) for n in range(30)]
    (bad,) = wrong(story(drift)).values()
    assert bad.spans[0].offset == pytest.approx(int(8.35 * SECOND), abs=SECOND // 2)
    assert len(bad.spans) == 1


@pytest.mark.parametrize("others", [2, 3])
def test_without_three_peers_only_marks_that_vouch_for_the_on_prem_clock_can_judge(others: int) -> None:
    told = [{**{f"h{n}": 0.05 for n in range(others)}, "bad": 900.0}] * 3
    assert bool(wrong(story(told))) == (others == 3)
    assert set(wrong(story(told, SOUND))) == {"bad"}


def most_wrong(count: int = 5) -> list[dict[str, float]]:
    """Six honest hosts of which `count` step three hours back at once."""
    bad = {f"h{n}": 3 * 3600.0 for n in range(count)}
    return [honest()] * 2 + [honest(**bad)] * 4


def test_where_most_hosts_are_wrong_the_on_prem_clock_decides() -> None:
    assert set(wrong(story(most_wrong(), SOUND))) == {f"h{n}" for n in range(5)}


def test_where_most_hosts_are_wrong_and_no_mark_vouches_nobody_is_named() -> None:
    assert not wrong(story(most_wrong()))


def test_half_of_the_hosts_wrong_cost_no_honest_host_its_name() -> None:
    assert set(wrong(story(most_wrong(3), SOUND))) == {"h0", "h1", "h2"}
    five = [honest()] + [{"a": 0.0, "b": 0.0, "c": 0.0, "d": 9000.0, "e": 9000.0}] * 3
    assert set(wrong(story(five))) == {"d", "e"}


def test_an_on_prem_clock_that_is_wrong_makes_no_host_wrong() -> None:
    told = [honest()] + [{name: late + 3600.0 for name, late in honest().items()}] * 4
    assert not wrong(story(told, monitor=-HOUR))


def test_hosts_that_wander_together_take_no_honest_host_with_them() -> None:
    """Four of seven drift past the limit: the three that agree with on-prem are never named."""
    drifting = ("a", "b", "c", "d")
    told = [{**{f"h{n}": 0.05 for n in range(3)}, **dict.fromkeys(drifting, 0.1 * n)} for n in range(60)]
    assert set(wrong(story(told, SOUND))) == set(drifting)


def test_hosts_of_an_import_are_known_and_not_judged() -> None:
    ledger = Ledger().seen(observed(window(0, {"old": 900.0}), imported=True), RULES)
    assert (ledger.hosts["old"].state, ledger.open) == ("good", {})
    assert ledger.seen(observed(window(1, {"young": 0.0})), RULES).hosts["young"].state == "new"


def test_a_bad_clock_of_today_does_not_reach_into_the_imported_history() -> None:
    history = Ledger().seen(observed([("bad", START - 1000 * W, 0)], imported=True), RULES)
    found = fed([window(n, honest(bad=900.0)) for n in range(4)], ledger=history)
    assert found.hosts["bad"].spans[0].since == START + SECOND


def test_rows_for_a_window_that_is_closed_are_counted_and_not_judged() -> None:
    ledger = story([honest()] * 3)
    later = fed([window(0, {"h0": 9000.0})], ledger=ledger)
    assert later.hosts["h0"].late == 5
    assert later.closed == ledger.closed


def test_marks_judge_for_a_moment_what_no_row_has_closed() -> None:
    told = [window(n, honest(bad=900.0)) for n in range(2)]
    ledger = fed(told)
    assert not wrong(ledger)
    seen = ledger.view(START + 3 * W, None, RULES)
    assert [name for name, host in seen.items() if host.wrong] == ["bad"]
    assert ledger.view(START + 3 * W - 1, None, RULES)["bad"].state != "behind"


def test_a_memory_of_another_format_or_of_none_is_refused() -> None:
    for harmed in (b"{}", b"[", b'{"format": 0}', b"null"):
        with pytest.raises(BadArtifact):
            Memory.from_bytes(harmed, "clocks.json")


def test_under_other_rules_the_hosts_stay_and_what_arrived_before_is_not_judged() -> None:
    """A replay that met the present: its last arrivals still have sixty times the jitter."""
    magnified = replace(RULES, window=60 * W, limit=60 * RULES.limit)
    memory = Memory(magnified, fed([window(0, honest())]))
    other = memory.under(RULES, START + 3 * W)
    assert other.ledger.hosts == memory.ledger.hosts
    found = fed([window(n, honest(h0=60.0)) for n in range(1, 8)], ledger=other.ledger)
    assert found.hosts["h0"].late == 3 * 5
    assert found.hosts["h0"].spans[0].since == START + SECOND
    assert memory.under(magnified, START + 3 * W) is memory


# -- laws

differences = st.one_of(st.integers(-20 * SECOND, 20 * SECOND), st.just(-TEN_YEARS), st.just(-2 * HOUR))


@given(st.lists(differences, max_size=8), st.lists(differences, max_size=8))
def test_summaries_merge(one: list[Micros], other: list[Micros]) -> None:
    both = [Seen.of(part, RULES.wild, RULES.tolerance) for part in (one, other)]
    assert both[0] + both[1] == Seen.of(one + other, RULES.wild, RULES.tolerance)


rows = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(START, START + 8 * W), differences), max_size=120
).map(lambda found: sorted(found, key=lambda row: row[1]))


@given(rows)
def test_the_grouping_is_what_brute_force_gives(told: list[Row]) -> None:
    found = observed(told).windows
    keys = {(at // W, host) for host, at, _ in told}
    assert {(n, host) for n, hosts in found.items() for host in hosts} == keys
    for number, host in keys:
        late = [late for name, at, late in told if name == host and at // W == number]
        assert found[number][host] == Seen.of(late, RULES.wild, RULES.tolerance)


def cut(told: Sequence[Row], places: Sequence[int]) -> list[Sequence[Row]]:
    ends = sorted({min(p, len(told)) for p in places} | {len(told)})
    return [told[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]


stepping = st.tuples(
    st.lists(st.sampled_from([0.05, 0.05, 0.05, 2.0, 900.0, -900.0, -20.0]), min_size=24, max_size=24),
    st.lists(st.integers(0, 240), max_size=12),
)


@settings(max_examples=40)
@example(([900.0] * 24, list(range(240))))
@given(stepping)
def test_the_ledger_does_not_depend_on_how_arrivals_are_cut_into_batches(
    told: tuple[list[float], list[int]],
) -> None:
    """Eight windows, three hosts of any clock among six honest ones."""
    late, places = told
    drawn = [honest(x=late[n], y=late[8 + n], z=late[16 + n]) for n in range(8)]
    all_rows = sorted((row for n, w in enumerate(drawn) for row in window(n, w)), key=lambda row: row[1])
    assert fed(cut(all_rows, places)) == fed([all_rows])


@settings(max_examples=40)
@given(stepping)
def test_a_restart_between_any_two_batches_gives_the_same_ledger(told: tuple[list[float], list[int]]) -> None:
    late, places = told
    all_rows = [row for n in range(8) for row in window(n, honest(x=late[n], y=late[8 + n], z=late[16 + n]))]
    memory = Memory(RULES)
    for batch in cut(all_rows, places):
        memory = replace(memory, ledger=fed([batch], ledger=memory.ledger), cursor=memory.cursor + 1)
        memory = Memory.from_bytes(memory.to_bytes(), "clocks.json")
    assert memory.ledger == fed(cut(all_rows, places))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.integers(0, 6 * W),
            st.integers(0, RULES.limit - 1),
        ),
        max_size=250,
    ),
    st.lists(st.integers(0, 250), max_size=6),
    st.sampled_from([None, SOUND, -HOUR, HOUR]),
)
def test_honest_hosts_are_never_named_whatever_their_delays_and_batches(
    said: list[tuple[int, int, int]], places: list[int], monitor: Micros | None
) -> None:
    told = sorted(((f"h{host}", START + at, late) for host, at, late in said), key=lambda row: row[1])
    assert not any(host.spans for host in fed(cut(told, places), monitor).hosts.values())


@given(stepping)
def test_intervals_of_a_host_follow_one_another(told: tuple[list[float], list[int]]) -> None:
    late, _ = told
    spans: tuple[Span, ...] = story([honest(x=s) for s in late]).hosts["x"].spans
    for before, after in pairwise(spans):
        assert before.until is not None
        assert before.since < before.until <= after.since


def test_a_host_that_is_wrong_again_and_again_keeps_an_entry_that_fits_into_a_record() -> None:
    host, bad = Host(Met(0, 0, 1, 0)), 10 * RULES.limit
    for number in range(4 * (MOST_SPANS + 3)):
        host = host.judged(0 if number % 4 < 2 else bad, number, RULES)
    assert len(host.spans) == MOST_SPANS
    assert host.spans[0] == Span(W, 17 * W, bad)
    assert host.spans[-1].until is None
