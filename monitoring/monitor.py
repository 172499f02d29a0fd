"""What a monitor is, and what an operator may want otherwise of one; the table is monitoring/monitors.py.

Owns the shape of an entry, its units and the check of settings; knows no points, no InfluxDB and no alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as defaulted
from typing import Literal, Protocol

from hotpath.contract.strict_yaml import nearest
from hotpath.errors import BadConfig

Row = Literal["arrow", "quality", "clocks", "scorer", "machines"]
Measure = Literal["last", "max", "min", "mean", "sum", "rate", "share"]
Unit = Literal["s", "us", "%", "share", "1/s", "count", "score"]
Severity = Literal["warn", "page"]

ROWS: Mapping[Row, str] = {
    "arrow": "The arrow at a glance",
    "quality": "Model quality and age",
    "clocks": "Host clocks",
    "scorer": "Scorer",
    "machines": "Machines",
}
"""Rows of the dashboard and of the console, in reading order."""

MEASURES: Mapping[Measure, str] = {
    "last": "the newest value",
    "max": "the largest value",
    "min": "the smallest value",
    "mean": "the mean",
    "sum": "the sum",
    "rate": "the sum of what came after the first point, a second",
    "share": "the sum divided by the sum of another field",
}
"""How the points of a subject in the newest `over_s` become one number."""

NOBODY = "all"
"""The subject of a monitor whose points carry no tag that tells subjects apart."""


@dataclass(frozen=True)
class Reads:
    """The field of a measurement that a monitor reads.

    `by`: the tags that name a subject. `only`: values that tags must have. `per`: with the measure `share`,
    the field to divide by.
    """

    measurement: str
    field: str
    by: tuple[str, ...] = ()
    only: Mapping[str, str] = defaulted(default_factory=dict)
    per: str | None = None

    def subject(self, tags: Mapping[str, str]) -> str | None:
        """Whom a point with these tags speaks of; None where it is not this monitor's."""
        if any(tags.get(tag) != value for tag, value in self.only.items()):
            return None
        return "/".join(tags.get(tag, "") for tag in self.by) or NOBODY


@dataclass(frozen=True)
class Monitor:
    """One entry of the table. Both thresholds None: a panel and a cell, no alarm.

    A verdict begins once the value was beyond a threshold for `for_s`, and ends once it was back inside by
    `band` (a share of the threshold) for `for_s`. Without a value for `stale_s` the level ends, and with
    `silent` "no data" begins, at that severity.
    """

    name: str
    title: str
    row: Row
    reads: Reads
    measure: Measure
    unit: Unit
    doc: str
    todo: str = ""
    worse: Literal["above", "below"] = "above"
    warn: float | None = None
    page: float | None = None
    for_s: float = 0.0
    over_s: float = 60.0
    band: float = 0.1
    stale_s: float = 60.0
    silent: Severity | None = None

    @property
    def judged(self) -> bool:
        """Whether it can raise an alarm at all."""
        return not (self.warn is None and self.page is None and self.silent is None)

    def worst(self, values: Iterable[float]) -> float | None:
        """The one number of all subjects that a cell shows: rates add up, of the rest the worst."""
        known = list(values)
        if not known:
            return None
        if self.measure == "rate":
            return sum(known)
        return max(known) if self.worse == "above" else min(known)


class Wanted(Protocol):
    """As much of `hotpath.settings.Threshold` as is needed."""

    @property
    def warn(self) -> float | None: ...
    @property
    def page(self) -> float | None: ...
    @property
    def for_s(self) -> float | None: ...


def overridden(monitors: tuple[Monitor, ...], wanted: Mapping[str, Wanted]) -> tuple[Monitor, ...]:
    """The table with an operator's thresholds in it.

    Raises BadConfig on an unknown name, and where a page would begin before its warning.
    """
    names = [m.name for m in monitors]
    for name in wanted:
        if name not in names:
            raise BadConfig(f"monitors.{name}", name, f"a monitor of docs/monitors.md{nearest(name, names)}")
    return tuple(_with(m, wanted[m.name]) if m.name in wanted else m for m in monitors)


def _with(monitor: Monitor, wanted: Wanted) -> Monitor:
    changed = replace(
        monitor,
        warn=monitor.warn if wanted.warn is None else wanted.warn,
        page=monitor.page if wanted.page is None else wanted.page,
        for_s=monitor.for_s if wanted.for_s is None else wanted.for_s,
    )
    if not ordered(changed):
        raise BadConfig(
            f"monitors.{monitor.name}",
            f"warn {changed.warn:g}, page {changed.page:g}",
            f"a page that is further {monitor.worse} than the warning",
            f"set both, or see docs/monitors.md for {monitor.name}",
        )
    return changed


def ordered(monitor: Monitor) -> bool:
    """Whether the page lies beyond the warning."""
    if monitor.warn is None or monitor.page is None:
        return True
    return monitor.page > monitor.warn if monitor.worse == "above" else monitor.page < monitor.warn


def shown(value: float | None, unit: Unit) -> str:
    """A value as people read it.

    >>> shown(0.5, "s"), shown(7200, "s"), shown(2500, "us"), shown(0.031, "share"), shown(None, "s")
    ('0.5 s', '2 h', '2.5 ms', '3.1 %', 'no data')
    """
    if value is None:
        return "no data"
    match unit:
        case "share":
            return f"{value * 100:.4g} %"
        case "s":
            return _scaled(value, ((3600, "h"), (60, "min"), (1, "s")))
        case "us":
            return _scaled(value, ((1e6, "s"), (1e3, "ms"), (1, "µs")))
        case "score":
            return f"{value:.3f}"
        case "count":
            return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
    return f"{value:.4g} {unit}"


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    size, name = next((u for u in units if abs(value) >= u[0]), units[-1])
    return f"{value / size:.4g} {name}"
