"""The board: what is measured now of every monitor, and what its verdicts are.

Owns the newest points and every verdict's state, behind one lock (a thread feeds it, others look). Knows no
Kafka, no file and no alarm's destination. What it cannot read or does not know it counts, never fails on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hotpath.clock import DAY, SECOND, Micros
from hotpath.errors import BadInput
from hotpath.points import BY_NAME, Point
from monitoring.monitor import Monitor
from monitoring.series import KEEP, SeriesStore, measured
from monitoring.verdicts import Change, Level, Rule, State, step

Subject = tuple[str, str]
"""A monitor's name and a subject."""


@dataclass(frozen=True)
class Alarm:
    """A verdict that changed: the monitor, whom it is about, and how."""

    monitor: Monitor
    subject: str
    change: Change


@dataclass(frozen=True)
class Standing:
    """How one subject of a monitor stands now."""

    value: float | None
    level: Level
    since: Micros


class Board:
    """Fed with points, asked for numbers and verdicts; every instant comes from the caller's one clock."""

    def __init__(self, monitors: Iterable[Monitor]) -> None:
        self.monitors = tuple(monitors)
        self.unreadable = 0
        self.unknown = 0
        self._series = SeriesStore()
        self._states: dict[Subject, State] = {}
        self._lock = threading.Lock()

    @property
    def refused(self) -> int:
        """Points that there was no room for."""
        return self._series.refused

    def read(self, line: bytes | None, now: Micros) -> None:
        """A record of `hotpath.points`, heard at `now`."""
        try:
            self.add(Point.parse((line or b"").decode()), now)
        except (BadInput, UnicodeDecodeError):
            self.unreadable += 1

    def add(self, point: Point, now: Micros) -> None:
        """A point, heard at `now`."""
        if point.measurement not in BY_NAME:
            self.unknown += 1
            return
        with self._lock:
            self._series.add(point, now)

    def measured(self, monitor: Monitor, now: Micros) -> dict[str, float]:
        """The number of every subject that has one."""
        with self._lock:
            return self._measured(monitor, now)

    def look(self, now: Micros) -> list[Alarm]:
        """Judge everything anew; what changed since the last look."""
        with self._lock:
            self._series.forget(now)
            return [a for monitor in self.monitors if monitor.judged for a in self._judged(monitor, now)]

    def standing(self, monitor: Monitor, now: Micros) -> dict[str, Standing]:
        """Every subject's number and level, of those that have a number or a level."""
        with self._lock:
            values = self._measured(monitor, now)
            states = {s: state for (name, s), state in self._states.items() if name == monitor.name}
        return {
            subject: _standing(values.get(subject), states.get(subject))
            for subject in sorted(values.keys() | states.keys())
        }

    def history(self, monitor: Monitor, now: Micros, step_s: float) -> dict[str, dict[Micros, float]]:
        """By subject the measure of each step of what is kept, by the step's end."""
        width = int(step_s * SECOND)
        with self._lock:
            heard = self._series.samples(monitor, now - KEEP)
        found = {subject: _stepped(monitor, samples, width) for subject, samples in sorted(heard.items())}
        # A step that is not over, or that begins before what is kept, does not count all of its points.
        whole = range(now - KEEP + width, now + 1)
        return {s: {at: v for at, v in values.items() if at in whole} for s, values in found.items()}

    def remembered(self) -> Mapping[Subject, State]:
        """Every verdict that is not clear: what must survive a restart, so that each one ends some day."""
        with self._lock:
            return {key: state for key, state in self._states.items() if state.level != "clear"}

    def remember(self, states: Mapping[Subject, State], now: Micros) -> None:
        """Go on from what an earlier process remembered; silence begins to count now."""
        known = {m.name for m in self.monitors if m.judged}
        with self._lock:
            self._states |= {
                key: replace(state, seen=now) for key, state in states.items() if key[0] in known
            }

    def _measured(self, monitor: Monitor, now: Micros) -> dict[str, float]:
        heard = self._series.samples(monitor, now - int(monitor.over_s * SECOND))
        found = {subject: measured(monitor.measure, samples, now) for subject, samples in heard.items()}
        return {subject: value for subject, value in found.items() if value is not None}

    def _judged(self, monitor: Monitor, now: Micros) -> list[Alarm]:
        values, rule = self._measured(monitor, now), rule_of(monitor)
        known = {subject for name, subject in self._states if name == monitor.name}
        changes = (
            (s, self._stepped(monitor, s, values.get(s), now, rule)) for s in sorted(known | values.keys())
        )
        return [Alarm(monitor, subject, change) for subject, change in changes if change is not None]

    def _stepped(
        self, monitor: Monitor, subject: str, value: float | None, now: Micros, rule: Rule
    ) -> Change | None:
        key = (monitor.name, subject)
        was = self._states.get(key, State(seen=now))
        # Whoever is away for a day was taken away on purpose: its silence ends.
        gone = value is None and now - was.seen >= DAY
        state, change = step(was, value, now, replace(rule, silent=False) if gone else rule)
        self._states[key] = state
        if value is None and state.level == "clear" and now - state.seen >= rule.stale_s * SECOND:
            del self._states[key]
        return change


def rule_of(monitor: Monitor) -> Rule:
    """As much of a monitor as a verdict goes by."""
    return Rule(
        warn=monitor.warn,
        page=monitor.page,
        worse=monitor.worse,
        for_s=monitor.for_s,
        band=monitor.band,
        stale_s=monitor.stale_s,
        silent=monitor.silent is not None,
    )


def _standing(value: float | None, state: State | None) -> Standing:
    if state is None:
        return Standing(value, "clear", 0)
    return Standing(value, state.level, state.since if state.level != "clear" else 0)


def _stepped(monitor: Monitor, samples: list[tuple[Micros, float, float]], width: int) -> dict[Micros, float]:
    steps: dict[Micros, list[tuple[Micros, float, float]]] = {}
    for sample in samples:
        steps.setdefault(sample[0] // width * width + width, []).append(sample)
    # A step's rate is what it counted by its width: every point counts back to the one before it.
    found = {
        end: sum(v for _, v, _ in s) * SECOND / width
        if monitor.measure == "rate"
        else measured(monitor.measure, s, end)
        for end, s in steps.items()
    }
    return {end: value for end, value in found.items() if value is not None}
