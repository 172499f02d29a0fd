"""Ledger entries as they stand on `hotpath.hosts`: what a host's entry says, and when it is news. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hotpath.clock import Micros
from hotpath.handoffs import HostClock
from monitoring.clocks import Host


@dataclass(frozen=True)
class Named:
    """A host named `at` (domain): wrong by `offset` (µs, negative is ahead) from `since` on."""

    host: str
    since: Micros
    until: Micros | None
    offset: Micros
    at: Micros


def entry(pipeline: str, name: str, host: Host, before: HostClock | None, at: Micros) -> HostClock:
    """A host's entry: the version before where it says the same of the clock, else the next, said `at`."""
    intervals: list[list[int | None]] = [[s.since, s.until, s.offset] for s in host.spans]
    version, said_at = (before.version, before.at) if before else (0, at)
    if before is None or (before.state, before.intervals) != (host.state, intervals):
        version, said_at = version + 1, at
    met = host.met
    return HostClock(
        pipeline, name, version, host.state, host.offset, met.first, met.last, met.count, intervals, said_at
    )
