"""What the clock watch measures, as points: `clock` a host and window, `clocks` the ledger, `line` the line.

The ledger's point comes at once where something has changed, for an alarm hangs on it, and now and then
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from hotpath.clock import SECOND, Micros
from hotpath.points import Points
from monitoring.clocks import Hosts, Judged
from monitoring.line import Line
from monitoring.sites import Wrong

LINE_S = 1.0
LEDGER_S = 10.0


@dataclass
class Voice:
    """Says the points of one pipeline; `new` hosts and events `ahead` are counted until they are said."""

    points: Points
    pipeline: str
    new: int = 0
    ahead: int = 0
    shown: tuple[int, Wrong] = (0, "unknown")
    line_at: float = -inf
    ledger_at: float = -inf

    def landed(self, new: int, ahead: int) -> None:
        """New hosts, and events later than their own arrival, among rows that have landed."""
        self.new, self.ahead = self.new + new, self.ahead + ahead

    def window(self, judged: Judged, hosts: Hosts) -> None:
        """A window that was closed, host by host."""
        for name, seen in judged.seen.items():
            fields = {
                "count": seen.count,
                "offset_s": _seconds(judged.offsets.get(name)),
                "bad": int(hosts[name].wrong),
                "ahead": seen.ahead,
            }
            self.points.say("clock", fields, {"pipeline": self.pipeline, "host": name})

    def ledger(self, last: Judged | None, flagged: int, wrong: Wrong, elapsed: float) -> None:
        """The ledger as a whole; `last` is the newest closed window."""
        changed = (flagged, wrong) != self.shown or self.new or self.ahead
        if not changed and elapsed - self.ledger_at < LEDGER_S:
            return
        fields = {
            "hosts": len(last.seen) if last else 0,
            "flagged": flagged,
            "new": self.new,
            "ahead": self.ahead,
            "median_s": _seconds(last.median if last else None),
            "monitor_wrong": int(wrong == "monitor"),
            "onprem_wrong": int(wrong == "onprem"),
        }
        self.points.say("clocks", fields, {"pipeline": self.pipeline})
        self.new = self.ahead = 0
        self.shown, self.ledger_at = (flagged, wrong), elapsed

    def line(self, line: Line, elapsed: float) -> Line:
        """The line's point once a second; the line, its marks counted anew where they were said."""
        if elapsed - self.line_at < LINE_S:
            return line
        fields = {
            "silence_s": line.silence_s(elapsed),
            "marks": line.count,
            "difference_s": line.difference_s(),
        }
        self.points.say("line", fields, {"site": "onprem"})
        self.line_at = elapsed
        return replace(line, count=0)


def _seconds(micros: Micros | None) -> float | None:
    return None if micros is None else micros / SECOND
