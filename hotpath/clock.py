"""The one place that knows the time.

`Clock.now()` is the domain's time and may be replayed; `Clock.elapsed()` is real and never scaled
(deadlines, latencies, retries). A replay is a `Timeline`: append-only segments kept in one file,
one JSON object a line. No other module reads a clock.

    >>> line = Timeline((Segment(real=100, virtual=10, rate=0), Segment(real=200, virtual=10, rate=2)))
    >>> line.virtual(150), line.virtual(205), line.virtual(10_000)
    (10, 20, 10000)
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_right
from dataclasses import asdict, dataclass
from math import ceil, inf
from pathlib import Path

from hotpath.errors import BadConfig

Micros = int
"""An instant (µs since 1970 UTC) or a span (µs)."""

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR


@dataclass(frozen=True)
class Segment:
    """From the real instant `real` on, virtual time runs from `virtual` at `rate` virtual s per real s."""

    real: Micros
    virtual: Micros
    rate: float

    def at(self, real: Micros) -> Micros:
        """Virtual instant at `real`. A replay that has caught up with the present is the present."""
        return min(self.virtual + int((real - self.real) * self.rate), max(real, self.virtual))


@dataclass(frozen=True)
class Timeline:
    """A monotone map from real to virtual instants; empty means that virtual is real."""

    segments: tuple[Segment, ...] = ()

    def virtual(self, real: Micros) -> Micros:
        """Virtual instant of a real one; before the first segment time stands at its start."""
        if not self.segments:
            return real
        index = bisect_right(self.segments, real, key=lambda s: s.real) - 1
        return self.segments[index].at(real) if index >= 0 else self.segments[0].virtual

    def real(self, virtual: Micros) -> Micros:
        """First real instant at which `virtual` is reached (the present's, where it lies beyond the line)."""
        if not self.segments:
            return virtual
        for segment, until in zip(self.segments, [*(s.real for s in self.segments[1:]), None], strict=True):
            if virtual <= segment.virtual:
                return segment.real
            if segment.rate > 0:
                found = segment.real + ceil((virtual - segment.virtual) / segment.rate)
                found = max(found, virtual) if segment.at(found) < virtual else found
                if until is None or found < until:
                    return found
        return self.segments[-1].real

    def then(self, segment: Segment) -> Timeline:
        """This line with one more segment. Raises BadConfig where time would go back."""
        if not 0 <= segment.rate < inf:
            raise BadConfig("clock segment", segment, "a rate of 0 or more")
        if self.segments:
            if segment.real < self.segments[-1].real:
                raise BadConfig("clock segment", segment, "a real start not before the last segment's")
            if segment.virtual < self.virtual(segment.real):
                raise BadConfig("clock segment", segment, "virtual time that never goes back")
        return Timeline((*self.segments, segment))

    @property
    def rate(self) -> float:
        """Virtual seconds per real second of the newest segment (1 where there is none)."""
        return self.segments[-1].rate if self.segments else 1.0


def parse(lines: str, source: str = "clock file") -> Timeline:
    """The timeline of a clock file's text. Raises BadConfig on a line that is no segment."""
    timeline = Timeline()
    for line in lines.splitlines():
        try:
            raw = json.loads(line)
            segment = Segment(int(raw["real"]), int(raw["virtual"]), float(raw["rate"]))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise BadConfig(source, line, '{"real": µs, "virtual": µs, "rate": number} a line') from error
        timeline = timeline.then(segment)
    return timeline


class Clock:
    """The machine's clock seen through a clock file; without a file, the machine's clock itself."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._timeline = Timeline()

    def real(self) -> Micros:
        """The machine's wall clock."""
        return time.time_ns() // 1000

    def now(self) -> Micros:
        """The domain's time, replayed where a clock file says so."""
        return self.timeline().virtual(self.real())

    def elapsed(self) -> float:
        """Real seconds since an arbitrary start, never set back."""
        return time.monotonic()

    def timeline(self) -> Timeline:
        """The file's segments as they stand now (read again only when the file has changed)."""
        if self._file is None:
            return self._timeline
        try:
            stat = os.stat(self._file)
        except FileNotFoundError:
            return self._timeline
        if (seen := (stat.st_mtime_ns, stat.st_size)) != self._seen:
            self._timeline = parse(self._file.read_text(), str(self._file))
            self._seen = seen
        return self._timeline

    def append(self, segment: Segment) -> None:
        """Add a segment to the file (one write, so that a reader sees all of it or nothing)."""
        if self._file is None:
            raise BadConfig("clock file", None, "a path to append to", "set clock.file")
        self.timeline().then(segment)
        with self._file.open("ab", buffering=0) as out:
            out.write((json.dumps(asdict(segment)) + "\n").encode())
            os.fsync(out.fileno())


def wait(seconds: float) -> None:
    """Let real time pass: the pause between two looks at a condition."""
    time.sleep(seconds)
