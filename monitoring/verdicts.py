"""When a value becomes an alarm, and when it stops being one: a pure step with hysteresis.

Owns the rule, for one monitor and one subject; knows no points, no clock and no alarm. Time is an argument.

    value   ──────────╮        ╭─╮      above the threshold
    - - - - - - - - - -╳- - - -╳- ╳- -  threshold
                      │╰──────╯   │     in the band: whatever was said stands
    - - - - - - - - - │- - - - - -╳- -  threshold less its band
    level   clear     for_s: begin      for_s inside: end

    >>> rule = Rule(warn=10, page=60, for_s=0)
    >>> state, change = step(State(seen=0), 12.0, 1_000_000, rule)
    >>> change.kind, change.level, change.threshold
    ('begin', 'warn', 10)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from hotpath.clock import SECOND, Micros

Level = Literal["clear", "warn", "page", "silent"]
Kind = Literal["begin", "change", "end"]


@dataclass(frozen=True)
class Rule:
    """What a verdict goes by: as much of a monitor as a step needs."""

    warn: float | None = None
    page: float | None = None
    worse: Literal["above", "below"] = "above"
    for_s: float = 0.0
    band: float = 0.1
    stale_s: float = 60.0
    silent: bool = False

    def beyond(self, value: float, threshold: float) -> bool:
        """Whether a value is worse than the threshold."""
        return value > threshold if self.worse == "above" else value < threshold

    def back(self, value: float, threshold: float) -> bool:
        """Whether a value is inside again, by the band. A threshold of 0 has none: 0 of a count is inside."""
        width = abs(threshold) * self.band
        return value <= threshold - width if self.worse == "above" else value >= threshold + width


@dataclass(frozen=True)
class Latch:
    """Whether one threshold holds, since when, and since when the values have spoken against it."""

    on: bool = False
    since: Micros = 0
    turning: Micros | None = None


@dataclass(frozen=True)
class State:
    """All that is known of one monitor and one subject; `seen`: when it last had a value."""

    seen: Micros
    level: Level = "clear"
    since: Micros = 0
    value: float | None = None
    warn: Latch = field(default_factory=Latch)
    page: Latch = field(default_factory=Latch)


@dataclass(frozen=True)
class Change:
    """A level that began, ended or gave way to another. `since`: when it came to what is said here.

    For an end it is when the level that ended had begun.
    """

    kind: Kind
    was: Level
    level: Level
    since: Micros
    at: Micros
    value: float | None
    threshold: float | None


def step(state: State, value: float | None, now: Micros, rule: Rule) -> tuple[State, Change | None]:
    """The state after a look at `now`, and what changed. A value of None: there is none."""
    if value is not None:
        warn = _turned(state.warn, value, now, rule.warn, rule)
        page = _turned(state.page, value, now, rule.page, rule)
        level: Level = "page" if page.on else "warn" if warn.on else "clear"
        since = page.since if page.on else warn.since if warn.on else now
        return _moved(State(now, state.level, state.since, value, warn, page), level, since, now, rule)
    if now - state.seen < rule.stale_s * SECOND:
        return state, None
    level = "silent" if rule.silent else "clear"
    return _moved(replace(state, value=None, warn=Latch(), page=Latch()), level, state.seen, now, rule)


def _turned(latch: Latch, value: float, now: Micros, threshold: float | None, rule: Rule) -> Latch:
    if threshold is None:
        return Latch()
    against = rule.back(value, threshold) if latch.on else rule.beyond(value, threshold)
    if not against:
        return replace(latch, turning=None)
    turning = now if latch.turning is None else latch.turning
    if now - turning < rule.for_s * SECOND:
        return replace(latch, turning=turning)
    return Latch(not latch.on, turning)


def _moved(state: State, level: Level, since: Micros, now: Micros, rule: Rule) -> tuple[State, Change | None]:
    if level == state.level:
        return state, None
    kind: Kind = "begin" if state.level == "clear" else "end" if level == "clear" else "change"
    began = state.since if level == "clear" else since
    change = Change(kind, state.level, level, began, now, state.value, _threshold(state.level, level, rule))
    return replace(state, level=level, since=since), change


def _threshold(was: Level, level: Level, rule: Rule) -> float | None:
    told = was if level == "clear" else level
    return rule.page if told == "page" else rule.warn if told == "warn" else None
