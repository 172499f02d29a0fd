"""Ledger entries as they stand on `hotpath.hosts`: what a host's entry says, and when it is news. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hotpath.clock import Micros
from hotpath.errors import BadInput
from hotpath.handoffs import HostClock
from hotpath.kafka import Entry
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


def key(pipeline: str, host: str) -> bytes:
    """The record's key on the compacted topic."""
    return f"{pipeline}/{host}".encode()


def newest(entries: Iterable[Entry], pipeline: str) -> dict[str, HostClock]:
    """The newest record of each host of a pipeline. Raises BadInput on one that is no entry."""
    found: dict[str, HostClock] = {}
    for record in entries:
        if record.value is not None and (record.key or b"").startswith(key(pipeline, "")):
            told = HostClock.from_bytes(record.value)
            if told.pipeline != pipeline:
                raise BadInput("pipeline of a host's entry", told.pipeline, f"{pipeline}, as its key says")
            found[told.host] = told
    return found
