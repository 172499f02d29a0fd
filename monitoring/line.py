"""The line between the sites as its marks tell: how long it is silent, how far the clocks differ. Pure.

Real time throughout. A mark's sequence is the on-prem second in which it was made; a line that drains
brings old ones. A difference of the clocks that stands still is taken off: a monitor whose clock jumped is
no silent line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hotpath.clock import SECOND, Micros
from monitoring.sites import Marks
from monitoring.windows import Rules


@dataclass(frozen=True)
class Line:
    """`heard`: when (steady s) the newest mark came; `lag`: how old it was then; `count` since last said."""

    rules: Rules
    heard: float
    marks: Marks = field(default_factory=Marks)
    lag: Micros = 0
    count: int = 0

    def with_mark(self, sequence: int, stamped: Micros, received: Micros, elapsed: float) -> Line:
        """One more mark. `stamped` by the on-prem broker, `received` by the monitor's wall clock."""
        marks = self.marks.with_mark(stamped, received, self.rules)
        lag = received - sequence * SECOND
        return replace(self, heard=elapsed, marks=marks, lag=lag, count=self.count + 1)

    def silence_s(self, elapsed: float) -> float:
        """Real seconds since the newest mark that crossed was made."""
        apart = self.marks.difference(self.rules)
        apart = 0 if apart is None or abs(apart) <= self.rules.limit else apart
        return elapsed - self.heard + max(0, self.lag - apart) / SECOND

    def difference_s(self) -> float | None:
        """The site's clock less the monitor's; None while it is not known."""
        apart = self.marks.difference(self.rules)
        return None if apart is None else -apart / SECOND
