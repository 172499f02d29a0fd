"""The newest points of every series, in memory and bounded.

Owns what is kept and how a window of it becomes one number; knows no monitors' names, thresholds or topics.
An instant here is when the point was *heard*, by the monitoring process' own steady clock: a producer whose
clock is hours off must not blind the board.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hotpath.clock import DAY, MINUTE, SECOND, Micros
from hotpath.points import Point
from monitoring.monitor import Measure, Monitor

KEEP: Micros = 15 * MINUTE
"""How long a point is kept; the newest one of a series for a day."""
MOST_POINTS = 2_000
"""Of a series."""
MOST_SERIES = 20_000
"""Of all measurements: a producer that puts an id into a tag must not fill the memory."""
MOST_OF_ONE = 12_000
"""Of one measurement: a host's name is any producer's to invent, and must leave room for all the others."""

Sample = tuple[Micros, float, float]
"""When it was heard, the field, and the field that a share divides by (0 for other measures)."""


@dataclass
class Series:
    """The points of one measurement with one set of tags, oldest first."""

    tags: Mapping[str, str]
    points: deque[tuple[Micros, Mapping[str, float]]] = field(
        default_factory=lambda: deque(maxlen=MOST_POINTS)
    )


@dataclass
class SeriesStore:
    """All series by measurement. `refused` counts the points of series that there was no room for."""

    refused: int = 0
    _all: dict[str, dict[tuple[tuple[str, str], ...], Series]] = field(default_factory=dict)
    _count: int = 0

    def add(self, point: Point, heard: Micros) -> None:
        """Keep a point and let go of its series' old ones."""
        kept = self._all.setdefault(point.measurement, {})
        key = tuple(sorted(point.tags.items()))
        if key not in kept:
            if self._count >= MOST_SERIES or len(kept) >= MOST_OF_ONE:
                self.refused += 1
                return
            kept[key] = Series(point.tags)
            self._count += 1
        points = kept[key].points
        points.append((heard, {k: float(v) for k, v in point.fields.items() if v is not None}))
        while len(points) > 1 and points[0][0] < heard - KEEP:
            points.popleft()

    def forget(self, now: Micros) -> None:
        """Let go of series that said nothing for a day."""
        for measurement, kept in self._all.items():
            self._all[measurement] = {k: s for k, s in kept.items() if s.points[-1][0] >= now - DAY}
        self._count = sum(map(len, self._all.values()))

    def samples(self, monitor: Monitor, since: Micros) -> dict[str, list[Sample]]:
        """What a monitor reads, by subject, heard from `since` on, in order."""
        found: dict[str, list[Sample]] = {}
        for series in self._all.get(monitor.reads.measurement, {}).values():
            subject = monitor.reads.subject(series.tags)
            if subject is not None and (heard := list(_heard(series, monitor, since))):
                found.setdefault(subject, []).extend(heard)
        return {subject: sorted(samples) for subject, samples in found.items()}


def _heard(series: Series, monitor: Monitor, since: Micros) -> Iterator[Sample]:
    name, per = monitor.reads.field, monitor.reads.per
    newest: list[Sample] = []
    for at, fields in reversed(series.points):
        if at < since:
            break
        if name in fields:
            newest.append((at, fields[name], fields.get(per, 0.0) if per else 0.0))
    return reversed(newest)


def measured(measure: Measure, samples: Sequence[Sample], now: Micros) -> float | None:
    """One number for a window's samples, oldest first; None where there is none to say."""
    values = [value for _, value, _ in samples]
    if not values:
        return None
    match measure:
        case "last":
            return values[-1]
        case "max":
            return max(values)
        case "min":
            return min(values)
        case "mean":
            return sum(values) / len(values)
        case "sum":
            return sum(values)
        case "rate":  # what the first point counted lies before it
            span = (now - samples[0][0]) / SECOND
            return sum(values[1:]) / span if len(values) > 1 and span > 0 else None
        case "share":
            per = sum(of for _, _, of in samples)
            return sum(values) / per if per > 0 else None
