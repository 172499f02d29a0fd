"""Three clocks vote; the line's lag is no clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import HOUR, SECOND, Micros
from monitoring.line import Line
from monitoring.sites import Marks, Wrong, vote
from tests.unit.monitoring.clocks import RULES, START

LIMIT = RULES.limit


@pytest.mark.parametrize(
    ("median", "monitor", "said"),
    [
        (0, 0, "nobody"),
        (LIMIT, -LIMIT, "nobody"),
        (0, None, "nobody"),
        (None, 0, "nobody"),
        (HOUR, 0, "hosts"),
        (0, HOUR, "monitor"),
        (HOUR, -HOUR, "onprem"),
        (HOUR, HOUR, "unknown"),
        (HOUR, None, "unknown"),
        (None, HOUR, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_two_clocks_that_agree_outvote_the_third(
    median: Micros | None, monitor: Micros | None, said: Wrong
) -> None:
    assert vote(median, monitor, LIMIT) == said


def marked(delays_s: list[float], marks: Marks | None = None, first: int = 0) -> Marks:
    """A mark a second, received so much later."""
    found = marks or Marks()
    for number, delay in enumerate(delays_s, start=first):
        stamped = START + number * SECOND
        found = found.with_mark(stamped, stamped + int(delay * SECOND), RULES)
    return found


def test_marks_that_cross_at_once_show_two_clocks_that_agree() -> None:
    assert marked([0.2, 0.1, 0.7]).difference(RULES) == SECOND // 10


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_monitor_whose_clock_jumps_is_known_within_three_windows(jump_s: float) -> None:
    before = marked([0.1] * 45)
    after = marked([0.1 + jump_s] * 90, before, first=45)
    assert after.difference(RULES) == int((0.1 + jump_s) * SECOND)


#   a mark a second while the line is cut for 30 minutes; all of them are received at once when it is mended
def test_a_line_that_drains_is_lag_and_no_clock() -> None:
    found = marked([0.1] * 60)
    for second in range(1800):
        found = marked([1800.0 - second], found, first=60 + second)
        difference = found.difference(RULES)
        assert difference is None or abs(difference) <= LIMIT
    assert marked([0.1] * 5, found, first=1860).difference(RULES) == SECOND // 10


@given(st.lists(st.floats(0, 4.9), min_size=1, max_size=200))
def test_no_jitter_within_the_limit_accuses_the_monitor(delays: list[float]) -> None:
    difference = marked(delays).difference(RULES)
    assert difference is None or abs(difference) <= LIMIT


def said(line: Line, seconds: range, late_s: float = 0.3, clock_s: float = 0.0) -> Line:
    """A mark a second, received so much later by a monitor whose clock is so far ahead."""
    for second in seconds:
        stamped = second * SECOND
        received = stamped + int((late_s + clock_s) * SECOND)
        line = line.with_mark(second, stamped, received, second + late_s)
    return line


def test_the_silence_is_the_age_of_the_newest_mark() -> None:
    line = said(Line(RULES, heard=1000.0), range(1000, 1020))
    assert line.silence_s(1019.3) == pytest.approx(0.3)
    assert line.silence_s(1079.3) == pytest.approx(60.3)


def test_a_line_that_drains_was_silent_until_new_marks_come() -> None:
    line = said(Line(RULES, heard=1000.0), range(1000, 1010))
    assert line.with_mark(1010, 1010 * SECOND, 1900 * SECOND, 1900.0).silence_s(1900.0) == pytest.approx(890)


def test_a_monitor_whose_clock_jumped_is_no_silent_line() -> None:
    line = said(Line(RULES, heard=900.0), range(900, 1020), clock_s=3600.0)
    assert line.silence_s(1019.3) < 1.0
    assert line.difference_s() == pytest.approx(-3600.3)


def test_a_line_that_never_spoke_is_silent_since_the_watch_began() -> None:
    assert Line(RULES, heard=10.0).silence_s(25.0) == 15.0
    assert Line(RULES, heard=10.0).difference_s() is None
