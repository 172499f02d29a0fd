"""Where in the present the recorded days of 2013 are played: a shift by whole local calendar days.

Pure. Wall times are New York's, as in the data, and stay what they were: a departure at 07:15 is at 07:15
on the shifted date too, whatever daylight saving does between the two years, so that the hour of the
day keeps its meaning. Spans (delays, flying times) are added to the shifted instant.

    >>> plan(1_795_176_000_000_000)  # 2026-11-20 12:00 UTC, so 07:00 in New York
    Plan(starts_at=1795078800000000, shift_days=4882)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hotpath.clock import HOUR, SECOND, Micros
from hotpath.errors import BadConfig

NEW_YORK = ZoneInfo("America/New_York")
FIRST = datetime(2013, 7, 9, 4)
"""Wall time of the data that the replay starts with."""
HISTORY = timedelta(days=31)
"""Wall time before `FIRST` that is imported."""
BEHIND: Micros = 12 * HOUR
"""The replay starts at least this long before the present."""


@dataclass(frozen=True)
class Plan:
    """The replay's first instant, and the whole days between a date of the data and its replay."""

    starts_at: Micros
    shift_days: int

    @property
    def history_from(self) -> Micros:
        """First instant of the imported history."""
        return self.instant(FIRST - HISTORY)

    def shifted(self, wall: datetime) -> datetime:
        """The replay's wall time of a wall time of the data."""
        return wall + timedelta(days=self.shift_days)

    def instant(self, wall: datetime) -> Micros:
        """When a wall time of the data is replayed (one that the shifted day skips: an hour later)."""
        return _instant(self.shifted(wall))

    def data_days(self, since: Micros, until: Micros) -> Iterator[date]:
        """The dates of the data whose replay touches `since` to `until`, in order."""
        day, last = (_wall(at).date() - timedelta(days=self.shift_days) for at in (since, until))
        while day <= last:
            yield day
            day += timedelta(days=1)


def plan(now: Micros) -> Plan:
    """The plan of a replay that begins now: from the latest 04:00 in New York that is `BEHIND` past."""
    latest = _wall(now - BEHIND)
    first_day = latest.date() if latest.time() >= FIRST.time() else latest.date() - timedelta(days=1)
    return _starting(first_day)


def resumed(starts_at: Micros) -> Plan:
    """The plan that began at `starts_at`. Raises BadConfig where no plan begins then."""
    found = _starting(_wall(starts_at).date())
    if found.starts_at != starts_at:
        raise BadConfig(
            "start of the replay", starts_at, f"{FIRST.time()} in New York", "run with FRESH=1 to begin anew"
        )
    return found


def _starting(day: date) -> Plan:
    return Plan(_instant(datetime.combine(day, FIRST.time())), (day - FIRST.date()).days)


def _instant(wall: datetime) -> Micros:
    # fold=0: of an hour that comes twice the first, an hour that is skipped an hour later (PEP 495).
    return int(wall.replace(tzinfo=NEW_YORK).timestamp()) * SECOND


def _wall(at: Micros) -> datetime:
    return datetime.fromtimestamp(at // SECOND, NEW_YORK).replace(tzinfo=None)
