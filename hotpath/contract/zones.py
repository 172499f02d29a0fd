"""Time zones as plain tables of offsets, taken from the tzdata package: one set of rules for every rendering.

The machine's own files, the JVM's and the package's differ (in 2026 on the clocks of Vancouver and
Winnipeg), so nothing but the pinned package is asked. Only UTC and names like Area/City are known.

    >>> zone("America/New_York").at(1373356800_000_000) // 3_600_000_000
    -4
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

from hotpath.clock import DAY, SECOND, Micros
from hotpath.contract.types import EARLIEST, EPOCH, LATEST
from hotpath.errors import Bug

CHUNK_BITS = 39
CHUNK: Micros = 1 << CHUNK_BITS
"""6.4 days: less than lies between two changes of any zone, and an instant's chunk is one shift away."""


@dataclass(frozen=True)
class Zone:
    """From `starts[n]` on (µs since 1970 UTC, ascending) local time is UTC plus `offsets[n]` (µs)."""

    starts: tuple[Micros, ...]
    offsets: tuple[Micros, ...]

    def at(self, instant: Micros) -> Micros:
        """Offset at an instant from 2000 to 2099."""
        return self.offsets[bisect_right(self.starts, instant) - 1]

    @cached_property
    def chunks(self) -> tuple[tuple[Micros, ...], tuple[Micros, ...]]:
        """The same by chunks of 2^CHUNK_BITS µs from 2000 on: where chunk n's change is, and offsets.

        Before the change offset n holds, from it on offset n + 1; without a change it is the chunk's end.
        """
        changes = self.starts[1:]
        if any(then - change < CHUNK for change, then in pairwise(changes)):
            raise Bug("time zone", changes, f"no two changes within {CHUNK} µs", "make CHUNK_BITS smaller")
        found = {(change - EARLIEST) // CHUNK: change for change in changes}
        begins = range(EARLIEST, LATEST + CHUNK, CHUNK)
        ends = (found.get(n, begin + CHUNK) for n, begin in enumerate(begins))
        return tuple(ends), tuple(self.at(begin) for begin in (*begins, begins[-1] + CHUNK))


@cache
def known_zones() -> frozenset[str]:
    """Names such as America/New_York, and UTC."""
    names = files("tzdata").joinpath("zones").read_text().split()
    return frozenset(n for n in names if n == "UTC" or ("/" in n and not n.startswith("Etc/")))


@cache
def zone(name: str) -> Zone:
    """The table of a known zone from 2000 to 2099 (30 ms, then remembered)."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        rules = ZoneInfo.from_file(data, key=name)
    days = ((day, _offset(rules, day)) for day in range(EARLIEST, LATEST + DAY, DAY))
    changes = [_change(rules, day, then) for (day, old), (then, new) in pairwise(days) if old != new]
    starts = (EARLIEST, *changes)
    return Zone(starts, tuple(_offset(rules, start) for start in starts))


def _change(rules: ZoneInfo, before: Micros, after: Micros) -> Micros:
    """The second at which the offset of `before` ends (no zone changes twice within a day)."""
    low, high, old = before // SECOND, after // SECOND, _offset(rules, before)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(rules, middle * SECOND) == old else (low, middle)
    return high * SECOND


def _offset(rules: ZoneInfo, instant: Micros) -> Micros:
    local = (EPOCH + timedelta(microseconds=instant)).astimezone(rules)
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
