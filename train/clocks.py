"""What a window knows of wrong clocks: hosts' bad intervals, and how late an event's stamp may be. Pure.

The ledger of `hotpath.hosts` at the start of a run, as that run's folder keeps it, so that a window can be
built again as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.handoffs import BadInterval
from hotpath.hosts import newest
from hotpath.kafka import Entry

WRONG = "host's clock was wrong"
FUTURE = "event later than its own arrival"
REASONS = (WRONG, FUTURE)
"""Why a row is left out for its clock, in the order in which they are looked at."""


def for_clocks(left_out: Mapping[str, int]) -> int:
    """Of the events that a window left out, by reason, those left out for a clock."""
    return sum(left_out.get(reason, 0) for reason in REASONS)


@dataclass(frozen=True)
class Clocks:
    """An event of a host in a bad interval, or later than its arrival by more than `tolerance`, is no row."""

    tolerance: Micros
    intervals: tuple[BadInterval, ...] = ()

    @classmethod
    def standing(cls, entries: Iterable[Entry], pipeline: str, tolerance: Micros) -> Clocks:
        """From the records that stand on `hotpath.hosts`, oldest first: each host's newest entry counts."""
        bad = [interval for host in newest(entries, pipeline).values() for interval in host.bad()]
        return cls(tolerance, tuple(sorted(bad, key=lambda b: (b.host, b.since))))

    def within(self, start: Micros, end: Micros) -> Clocks:
        """Only the intervals that touch the arrivals after `start`, up to and with `end`."""
        touched = (b for b in self.intervals if b.since <= end and (b.until is None or b.until > start))
        return Clocks(self.tolerance, tuple(touched))

    def to_bytes(self) -> bytes:
        """The content of hosts.json."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Clocks:
        """Raises BadArtifact where `data` is no such file."""
        try:
            raw = json.loads(data)
            return cls(int(raw["tolerance"]), tuple(BadInterval(**b) for b in raw["intervals"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadArtifact("a run's hosts", data, "what the trainer wrote") from error


NOTHING = Clocks(tolerance=0)
"""What is known where nobody has looked."""
