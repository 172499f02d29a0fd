"""A generated fleet of hosts whose clocks are known: what they said, when it arrived, when it landed.

Events come at random instants, their way to the on-prem broker takes 20 ms to 3 s (log-uniform). A cut
between some hosts and the broker makes a backlog that drains in order; an outage of the mirror lets whole
files land late. `drive` feeds what landed, batch by batch, to the very core that monitoring runs. A seed
names a fleet whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hotpath.clock import DAY, SECOND, Micros
from monitoring.ledger import Ledger
from monitoring.sites import Marks, Wrong
from monitoring.windows import Rules, grouped

Instants = NDArray[np.int64]
Shift = Callable[[Instants], Instants]
"""What a host's clock says too much (µs) at true instants; negative is behind."""

RULES = Rules(window=30 * SECOND, limit=5 * SECOND, confirm=2)
START: Micros = 1_780_000_000_000_000
QUICKEST_S, SLOWEST_S = 0.02, 3.0
TEN_YEARS: Micros = 3652 * DAY
CUT_DRAINS, OUTAGE_DRAINS = 0.1, 0.05
"""Seconds that a second of backlog takes to drain."""


def right(at: Instants) -> Instants:
    """An honest clock."""
    return np.zeros_like(at)


def step(by: Micros, since: Micros, until: Micros = 2**62) -> Shift:
    """A clock that is wrong by `by` from one instant to another."""
    return lambda at: np.where((at >= since) & (at < until), by, 0)


def drift(ppm: float, since: Micros) -> Shift:
    """A clock that runs too fast from `since` on."""
    return lambda at: (np.maximum(at - since, 0) * ppm / 1e6).astype(np.int64)


@dataclass(frozen=True)
class Machine:
    """One host: its clock, when it joins, the share of its events that say ten years ahead."""

    name: str
    shift: Shift = right
    joins: Micros = START
    wild: float = 0.0
    cut: tuple[Micros, Micros] | None = None


@dataclass(frozen=True)
class Fleet:
    """All hosts, and the time that they are watched. `outage`: of the mirror."""

    machines: Sequence[Machine]
    until: Micros
    outage: tuple[Micros, Micros] | None = None
    per_s: float = 0.5
    batch: Micros = 10 * SECOND

    def events(self, seed: int) -> Events:
        """Everything that the fleet says."""
        draw = np.random.default_rng(seed)
        said = [self._said(machine, draw) for machine in self.machines]
        host = np.repeat(np.arange(len(said)), [len(asked) for asked, _, _ in said])
        asked, told, arrived = (np.concatenate(column) for column in zip(*said, strict=True))
        landed = self._landed(arrived)
        order = np.lexsort((arrived, landed))
        return Events(self, host[order], asked[order], told[order], arrived[order], landed[order])

    def _said(self, machine: Machine, draw: np.random.Generator) -> tuple[Instants, Instants, Instants]:
        """Asked (true time), told (the host's), arrived, in order."""
        count = draw.poisson((self.until - machine.joins) / SECOND * self.per_s)
        asked = np.sort(draw.integers(machine.joins, self.until, count))
        way = np.exp(draw.uniform(np.log(QUICKEST_S), np.log(SLOWEST_S), count)) * SECOND
        told = asked + machine.shift(asked) + (draw.random(count) < machine.wild) * TEN_YEARS
        arrived = asked + way.astype(np.int64)
        if machine.cut is not None:
            arrived = np.where(
                asked >= machine.cut[0],
                np.maximum(arrived, _drained(asked, machine.cut, CUT_DRAINS)),
                arrived,
            )
        return asked, told, arrived

    def _landed(self, arrived: Instants) -> Instants:
        landed = arrived
        if self.outage is not None:
            late = np.maximum(arrived, _drained(arrived, self.outage, OUTAGE_DRAINS))
            landed = np.where(arrived >= self.outage[0], late, arrived)
        return (landed // self.batch + 1) * self.batch


@dataclass(frozen=True)
class Events:
    """Columns of all events, in the order in which they land."""

    fleet: Fleet
    host: Instants
    asked: Instants
    told: Instants
    arrived: Instants
    landed: Instants

    def table(self, first: int = 0, last: int | None = None) -> pa.Table:
        """Rows as the watch reads them."""
        names = pa.array([machine.name for machine in self.fleet.machines])
        rows = slice(first, last)
        return pa.table(
            {
                "host": pa.DictionaryArray.from_arrays(pa.array(self.host[rows]), names).cast(pa.string()),
                "time": pa.array(self.told[rows]),
                "arrived_at": pa.array(self.arrived[rows]),
                "imported": pa.array(np.zeros(len(self.host[rows]), dtype=bool)),
            }
        )

    def batches(self) -> Iterator[tuple[Micros, pa.Table]]:
        """(landed, rows) of each batch."""
        instants, first = np.unique(self.landed, return_index=True)
        for at, begin, end in zip(instants, first, [*first[1:], len(self.landed)], strict=True):
            yield int(at), self.table(int(begin), int(end))

    def wrong(self, limit: Micros) -> NDArray[np.bool_]:
        """Which events were stamped by a clock that was wrong beyond the limit."""
        found = np.zeros(len(self.host), dtype=bool)
        for number, machine in enumerate(self.fleet.machines):
            mine = self.host == number
            found[mine] = np.abs(machine.shift(self.asked[mine])) > limit
        return found


@dataclass
class Seen:
    """What the ledger came to: when a host was first named, its size's worst error; each vote's first."""

    ledger: Ledger = field(default_factory=Ledger)
    named: dict[str, Micros] = field(default_factory=dict)
    offset: dict[str, Micros] = field(default_factory=dict)
    error: dict[str, Micros] = field(default_factory=dict)
    votes: dict[Wrong, Micros] = field(default_factory=dict)


Monitor = Callable[[Micros], Micros | None]
"""How far the monitor's clock is ahead of the on-prem broker's, as the marks tell at an instant."""


def vouched(_at: Micros) -> Micros:
    """Marks that vouch for the on-prem clock."""
    return SECOND // 20


@dataclass
class Marked:
    """A monitor whose clock jumps by `by` at an instant: a mark a second, 200 ms on its way."""

    at: Micros
    by: Micros
    rules: Rules = RULES
    marks: Marks = field(default_factory=Marks)
    second: int = START // SECOND

    def __call__(self, now: Micros) -> Micros | None:
        """The difference by the marks that have crossed."""
        while self.second * SECOND < now:
            stamped = self.second * SECOND
            received = stamped + SECOND // 5 + (self.by if stamped >= self.at else 0)
            self.marks = self.marks.with_mark(stamped, received, self.rules)
            self.second += 1
        return self.marks.difference(self.rules)


def drive(events: Events, rules: Rules = RULES, monitor: Monitor = vouched) -> Seen:
    """The ledger of all that landed, batch after batch."""
    seen = Seen()
    shifts: Mapping[str, Shift] = {machine.name: machine.shift for machine in events.fleet.machines}
    for landed, rows in events.batches():
        ledger = seen.ledger.seen(grouped(rows, rules), rules)
        seen.ledger, closed = ledger.settled(monitor(landed), rules)
        for judged in closed:
            seen.votes.setdefault(judged.wrong, landed)
        for name, host in seen.ledger.hosts.items() if closed else ():
            if host.wrong and host.beyond:
                # What the last window that was judged could know of the clock, not what it is by now.
                at = closed[-1].window * rules.window + np.array([0, rules.window])
                error = int(np.min(np.abs(host.spans[-1].offset + shifts[name](at))))
                seen.named.setdefault(name, landed)
                seen.offset.setdefault(name, host.spans[-1].offset)
                seen.error[name] = max(seen.error.get(name, 0), error)
    return seen


def crossed(events: Events, name: str, limit: Micros) -> Micros:
    """The true instant of a host's first event that was wrong beyond the limit."""
    number = next(n for n, machine in enumerate(events.fleet.machines) if machine.name == name)
    return int(np.min(events.asked[(events.host == number) & events.wrong(limit)]))


def outside(events: Events, seen: Seen, limit: Micros) -> int:
    """Events of a wrong clock that no interval covers: what a trainer would still learn from."""
    left = events.wrong(limit)
    for number, machine in enumerate(events.fleet.machines):
        host = seen.ledger.hosts.get(machine.name)
        for span in host.spans if host else ():
            until = 2**62 if span.until is None else span.until
            left &= ~((events.host == number) & (events.arrived >= span.since) & (events.arrived < until))
    return int(left.sum())


def _drained(at: Instants, away: tuple[Micros, Micros], pace: float) -> Instants:
    """When what was queued at `at` gets through: in order, from the end of `away` on."""
    return (away[1] + (at - away[0]) * pace).astype(np.int64)
