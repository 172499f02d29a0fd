"""Section 4 of the design: segments, a replay, the seam with the present.

real     0 ----- 100 -------- 200 ---- 300 ------------
rate     standing | 60         standing | 60 ... present
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hotpath.clock import HOUR, SECOND, Clock, Micros, Segment, Timeline, parse
from hotpath.errors import BadConfig
from hotpath.local import timekeeper

REAL = 1_000_000 * SECOND
STEPS = st.lists(
    st.tuples(st.integers(0, 5000 * SECOND), st.sampled_from([0.0, 1.0, 2.5, 60.0])), min_size=1, max_size=8
)


def line_of(steps: list[tuple[Micros, float]]) -> Timeline:
    """Segments that follow each other as runs of a demonstration do: each begins where time stands."""
    timeline, real, behind = Timeline(), REAL, 36 * HOUR
    for wait, rate in steps:
        real += wait
        virtual = timeline.virtual(real) if timeline.segments else real - behind
        timeline = timeline.then(Segment(real, virtual, rate))
    return timeline


@given(STEPS, st.lists(st.integers(-SECOND, 60_000 * SECOND), min_size=2, max_size=30))
def test_virtual_time_never_goes_back_and_never_passes_the_present(
    steps: list[tuple[Micros, float]], offsets: list[Micros]
) -> None:
    timeline = line_of(steps)
    seen = [timeline.virtual(REAL + o) for o in sorted(offsets)]
    assert seen == sorted(seen)
    assert all(v <= max(REAL + o, REAL) for v, o in zip(seen, sorted(offsets), strict=True))


@given(STEPS, st.integers(0, 60_000 * SECOND))
def test_the_real_instant_of_a_virtual_one_is_the_first_at_which_it_is_reached(
    steps: list[tuple[Micros, float]], offset: Micros
) -> None:
    timeline = line_of(steps)
    virtual = timeline.virtual(REAL + offset)
    assume(timeline.virtual(REAL - 1) < virtual)
    real = timeline.real(virtual)
    assert timeline.virtual(real) >= virtual
    assert timeline.virtual(real - 1) < virtual or real == timeline.segments[0].real


def test_a_replay_at_sixty_times_meets_the_present_and_is_the_present_from_then_on() -> None:
    line = Timeline((Segment(REAL, REAL - 59 * SECOND, 60),))
    assert line.virtual(REAL) == REAL - 59 * SECOND
    assert line.virtual(REAL + SECOND) == REAL + SECOND
    assert line.virtual(REAL + HOUR) == REAL + HOUR


def test_without_a_file_the_domains_time_is_the_machines() -> None:
    clock = Clock()
    before = clock.real()
    assert before <= clock.now() <= clock.real()


def test_a_segment_that_would_set_time_back_is_refused() -> None:
    line = Timeline((Segment(REAL, 500, 1),))
    with pytest.raises(BadConfig, match="never goes back"):
        line.then(Segment(REAL + 100, 599, 1))
    with pytest.raises(BadConfig, match="not before the last"):
        line.then(Segment(REAL - 1, 10**15, 1))


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_a_segment_that_no_time_could_follow_is_refused(rate: float) -> None:
    with pytest.raises(BadConfig, match="a rate of 0 or more"):
        Timeline().then(Segment(REAL, 500, rate))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "nonsense",
        '{"real": 1e999, "virtual": 1, "rate": 1}',
        '{"real": 1, "virtual": "x", "rate": 1}',
        "[1]",
    ],
)
def test_a_damaged_clock_file_is_named(text: str) -> None:
    with pytest.raises(BadConfig, match="a line"):
        parse(text)


class Hand(Clock):
    """A clock whose machine time is moved by hand."""

    at: Micros = REAL

    def real(self) -> Micros:
        return self.at


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(tmp_path / "clock.jsonl")


def test_a_demonstration_replays_stops_continues_and_meets_the_present(hand: Hand) -> None:
    # history is imported while time stands
    timekeeper.begin(hand, REAL - HOUR)
    hand.at += 30 * SECOND
    assert hand.now() == REAL - HOUR
    # then it runs sixty times as fast
    timekeeper.run(hand)
    hand.at += 10 * SECOND
    assert hand.now() == REAL - HOUR + 600 * SECOND
    # the run ends here, and goes on an hour later: nothing of that hour is replayed as passed
    stopped = hand.at
    hand.at += HOUR
    timekeeper.resume(hand, stopped)
    outlived = 60 * timekeeper.OUTLIVED
    assert hand.now() == REAL - HOUR + 600 * SECOND + outlived
    timekeeper.run(hand)
    assert not timekeeper.keep(hand)
    # until it meets the present, and stays with it
    hand.at += HOUR
    assert hand.now() == hand.real()
    assert timekeeper.keep(hand)
    assert not timekeeper.keep(hand)
    assert hand.timeline().rate == 1
    # another process that reads the same file sees the same time
    other = Hand(hand._file)
    other.at = hand.at
    assert other.now() == hand.now()


def test_beginning_twice_changes_nothing(hand: Hand) -> None:
    timekeeper.begin(hand, REAL - HOUR)
    hand.at += SECOND
    timekeeper.begin(hand, REAL - 2 * HOUR)
    assert hand.now() == REAL - HOUR
