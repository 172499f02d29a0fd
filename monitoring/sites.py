"""Three clocks vote: the hosts', the on-prem broker's and the monitor's own. Pure.

Hosts against on-prem is the peers' median; on-prem against the monitor is what the marks tell: the smallest
time from a mark's stamp to its receipt. Two clocks that agree outvote the third. A line that was cut and
drains brings old marks, each a little less old than the one before: that is lag, and no clock. So a
difference is believed only where it stands still.

    >>> vote(0, 0, 5), vote(0, 99, 5), vote(99, 0, 5), vote(99, -99, 5), vote(99, None, 5)
    ('nobody', 'monitor', 'hosts', 'onprem', 'unknown')
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hotpath.clock import Micros
from monitoring.windows import Rules

Wrong = Literal["nobody", "hosts", "onprem", "monitor", "unknown"]
"""Whose clock is wrong. `hosts`: most of them. `unknown`: too little, or three clocks and three times."""


def vote(median: Micros | None, monitor: Micros | None, limit: Micros) -> Wrong:
    """`median`: how far the hosts are behind on-prem; `monitor`: how far the monitor is ahead of on-prem."""
    hosts_agree = median is not None and abs(median) <= limit
    if monitor is None:
        return "nobody" if hosts_agree else "unknown"
    if abs(monitor) <= limit:
        return "nobody" if hosts_agree or median is None else "hosts"
    if hosts_agree:
        return "monitor"
    return "onprem" if median is not None and abs(monitor + median) <= limit else "unknown"


@dataclass(frozen=True)
class Marks:
    """The marks that crossed, by windows of their stamps: smallest delay of the newest, and of earlier ones.

    A clock that is set back simply begins another window.
    """

    window: int | None = None
    least: Micros = 0
    closed: tuple[Micros, ...] = ()

    def with_mark(self, stamped: Micros, received: Micros, rules: Rules) -> Marks:
        """One more mark; both instants in the domain's time."""
        window, delay = stamped // rules.window, received - stamped
        if window == self.window:
            return replace(self, least=min(self.least, delay))
        closed = self.closed if self.window is None else (*self.closed, self.least)
        return Marks(window, delay, closed[-rules.confirm :])

    def difference(self, rules: Rules) -> Micros | None:
        """How far the monitor's clock is ahead of the on-prem broker's (and the line's way); None: not known.

        Within the limit the newest window tells; beyond it, windows that are over and agree.
        """
        if self.window is not None and abs(self.least) <= rules.limit:
            return self.least
        steady = len(self.closed) == rules.confirm and max(self.closed) - min(self.closed) <= rules.limit
        return self.closed[-1] if steady and all(abs(d) > rules.limit for d in self.closed) else None
