"""The shift by whole local days: it keeps wall times, whatever daylight saving does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import DAY, HOUR, MINUTE, SECOND
from hotpath.errors import BadConfig
from ingest.plan import BEHIND, FIRST, NEW_YORK, Plan, plan, resumed

instants = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(lambda d: int(d.timestamp()) * SECOND)


def wall(at: int) -> datetime:
    """New York's wall time."""
    return datetime.fromtimestamp(at // SECOND, NEW_YORK).replace(tzinfo=None)


@given(instants)
def test_a_replay_starts_at_the_latest_four_o_clock_that_is_twelve_hours_past(now: int) -> None:
    start = plan(now).starts_at
    assert wall(start).time() == FIRST.time()
    assert start <= now - BEHIND
    assert now - BEHIND - start < 25 * HOUR, "a later one would do: a day has 25 hours at most"


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        ("2026-11-20 20:59:59", "2026-11-19 09:00"),  # 04:00 is 11:59:59 past: yesterday's then
        ("2026-11-20 21:00", "2026-11-20 09:00"),
        # Clocks go forward on 2027-03-14: 04:00 is 08:00 UTC, the day before 09:00.
        ("2027-03-14 19:59:59", "2027-03-13 09:00"),
        ("2027-03-14 20:00", "2027-03-14 08:00"),
        # Back on 2026-11-01: 04:00 is 09:00 UTC, the day before 08:00.
        ("2026-11-01 20:59:59", "2026-10-31 08:00"),
        ("2026-11-01 21:00", "2026-11-01 09:00"),
    ],
)
def test_the_start_at_the_edges_of_a_day(now: str, starts: str, at: Callable[[str], int]) -> None:
    assert plan(at(now)).starts_at == at(starts)


@given(instants, st.datetimes(datetime(2013, 6, 8), datetime(2013, 12, 31)))
def test_a_wall_time_of_the_data_stays_on_the_shifted_date(now: int, recorded: datetime) -> None:
    found = plan(now)
    recorded = recorded.replace(second=0, microsecond=0)
    meant = recorded + timedelta(days=found.shift_days)
    skipped = wall(found.instant(recorded)) != meant
    assert not skipped or (meant.month == 3 and meant.hour == 2), "only the hour that spring skips can move"


def test_a_time_in_the_hour_that_spring_skips_comes_an_hour_later() -> None:
    """2027-03-14 has no 02:30 in New York."""
    spring = Plan(starts_at=0, shift_days=(date(2027, 3, 14) - date(2013, 7, 20)).days)
    assert wall(spring.instant(datetime(2013, 7, 20, 2, 30))) == datetime(2027, 3, 14, 3, 30)


def test_of_the_hour_that_autumn_repeats_the_first_is_meant() -> None:
    """2026-11-01 has 01:30 twice in New York, first in summer time."""
    autumn = Plan(starts_at=0, shift_days=(date(2026, 11, 1) - date(2013, 7, 20)).days)
    first = autumn.instant(datetime(2013, 7, 20, 1, 30))
    assert autumn.instant(datetime(2013, 7, 20, 2, 30)) - first == 2 * HOUR
    assert first - autumn.instant(datetime(2013, 7, 20, 0, 30)) == HOUR


@given(instants)
def test_the_history_is_thirty_one_local_days(now: int) -> None:
    found = plan(now)
    assert wall(found.starts_at) - wall(found.history_from) == timedelta(days=31)
    assert abs(found.starts_at - found.history_from - 31 * DAY) <= HOUR


@given(instants)
def test_a_restart_finds_the_same_plan(now: int) -> None:
    assert resumed(plan(now).starts_at) == plan(now)


def test_a_start_at_another_hour_is_refused(winter: Plan) -> None:
    with pytest.raises(BadConfig, match="start of the replay"):
        resumed(winter.starts_at + MINUTE)


def test_the_days_of_the_data_that_a_span_touches(winter: Plan) -> None:
    """04:00 on the ninth to 04:00 on the tenth, New York."""
    days = list(winter.data_days(winter.starts_at, winter.starts_at + DAY))
    assert days == [date(2013, 7, 9), date(2013, 7, 10)]
