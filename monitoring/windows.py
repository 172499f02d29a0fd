"""What the rows of one host that arrived in one window show of its clock: a summary that merges. Pure.

Windows tumble by `arrived_at`, the on-prem broker's clock. A host's figure is the smallest `arrived_at -
event_time` of a window: the quickest record's way is short, so what is left is the clock's error. One event
ten years ahead is the smallest of all and says nothing of a clock; so an event far later than its own
arrival (`wild`) counts only where most of the window's events are like it.

    >>> a, b = Seen.of([30, 20]), Seen.of([25, -10**9], wild=100)
    >>> (a + b).figure, Seen.of([-10**9, -10**9 + 5, 7], wild=100).figure
    (20, -999999995)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import Micros

WILD_LIMITS = 10
"""An event later than its own arrival by more limits than this may be a slip of a producer, no clock."""
KEPT = 2


@dataclass(frozen=True)
class Rules:
    """All in domain µs: the jitter of the way is real time, so a replay's rate multiplies window and limit.

    `confirm`: windows that must agree before a host is named, or cleared.
    """

    window: Micros
    limit: Micros
    confirm: int

    @property
    def grace(self) -> Micros:
        """How long past its end a window waits for partitions that lag."""
        return self.window // 2

    @property
    def wild(self) -> Micros:
        """Beyond this an event that is later than its arrival is wild."""
        return WILD_LIMITS * self.limit

    @property
    def tolerance(self) -> Micros:
        """An event may be this much later than its arrival: a second at the usual limit of five.

        An honest clock is off by milliseconds; the broker's stamp has whole ones, which a replay magnifies.
        """
        return self.limit // 5

    def ends(self, window: int) -> Micros:
        """First instant after a window."""
        return (window + 1) * self.window


@dataclass(frozen=True)
class Seen:
    """One host in one window: `least` difference of those that are not wild, the two `wildest`.

    `ahead` counts events later than their own arrival by more than the tolerance, wild or not.
    """

    count: int = 0
    least: Micros | None = None
    wild: int = 0
    wildest: tuple[Micros, ...] = ()
    ahead: int = 0

    @classmethod
    def of(cls, differences: Sequence[Micros], wild: Micros = 2**62, tolerance: Micros = 0) -> Seen:
        """The summary of some `arrived_at - event_time`."""
        tame = [d for d in differences if d >= -wild]
        far = [d for d in differences if d < -wild]
        ahead = sum(d < -tolerance for d in differences)
        return cls(len(differences), min(tame, default=None), len(far), tuple(nsmallest(KEPT, far)), ahead)

    def __add__(self, other: Seen) -> Seen:
        both = [least for least in (self.least, other.least) if least is not None]
        wildest = tuple(nsmallest(KEPT, (*self.wildest, *other.wildest)))
        return Seen(
            self.count + other.count,
            min(both, default=None),
            self.wild + other.wild,
            wildest,
            self.ahead + other.ahead,
        )

    @property
    def figure(self) -> Micros | None:
        """The host's figure; None where fewer than two events say too little."""
        if self.count < KEPT:
            return None
        return self.least if self.wild * 2 <= self.count else self.wildest[KEPT - 1]


Window = Mapping[str, Seen]
"""By host."""


@dataclass(frozen=True)
class Met:
    """When rows of a host arrived, first and last, and how many; `live`: the first that was not imported."""

    first: Micros
    last: Micros
    count: int
    live: Micros | None

    def __add__(self, other: Met) -> Met:
        lives = [live for live in (self.live, other.live) if live is not None]
        return Met(
            min(self.first, other.first),
            max(self.last, other.last),
            self.count + other.count,
            min(lives, default=None),
        )


@dataclass(frozen=True)
class Observed:
    """Rows that landed together: live ones by window and host, every host met, the newest live arrival."""

    windows: Mapping[int, Window] = field(default_factory=dict)
    met: Mapping[str, Met] = field(default_factory=dict)
    newest: Micros | None = None

    @property
    def ahead(self) -> int:
        """Events later than their own arrival."""
        return sum(seen.ahead for window in self.windows.values() for seen in window.values())


def grouped(rows: pa.Table, rules: Rules) -> Observed:
    """The summaries of rows with the columns host, time, arrived_at (µs or timestamps) and imported.

    Imported rows only make their hosts known: no clock of today stamped them.
    """
    arrived, told = (pc.cast(rows[name], pa.int64()) for name in ("arrived_at", "time"))
    live = pc.invert(rows["imported"])
    table = pa.table({"host": rows["host"], "arrived": arrived, "told": told, "live": live})
    fresh = table.filter(live)
    newest = pc.max(fresh["arrived"]).as_py()
    return Observed(_windows(fresh, rules), dict(_met(table)), newest)


def _met(table: pa.Table) -> Iterator[tuple[str, Met]]:
    table = table.set_column(3, "live", pc.if_else(table["live"], table["arrived"], None))
    asked = [("arrived", "min"), ("arrived", "max"), ("arrived", "count"), ("live", "min")]
    found = table.group_by("host").aggregate(asked)
    names = ["host", "arrived_min", "arrived_max", "arrived_count", "live_min"]
    for host, first, last, count, live in _rows(found, names):
        yield host, Met(first, last, count, live)


def _windows(fresh: pa.Table, rules: Rules) -> dict[int, dict[str, Seen]]:
    difference = pc.subtract(fresh["arrived"], fresh["told"])
    wild = pc.less(difference, -rules.wild)
    table = pa.table(
        {
            "host": fresh["host"],
            "window": pc.divide(fresh["arrived"], rules.window),
            "difference": difference,
            "tame": pc.if_else(wild, None, difference),
            "wild": pc.cast(wild, pa.int64()),
            "ahead": pc.cast(pc.less(difference, -rules.tolerance), pa.int64()),
        }
    )
    asked = [("difference", "count"), ("tame", "min"), ("wild", "sum"), ("ahead", "sum")]
    found = table.group_by(["host", "window"]).aggregate(asked)
    wildest = _wildest(table.filter(wild))
    windows: dict[int, dict[str, Seen]] = {}
    names = ["host", "window", "difference_count", "tame_min", "wild_sum", "ahead_sum"]
    for host, window, count, least, strange, ahead in _rows(found, names):
        seen = Seen(count, least, strange, wildest.get((host, window), ()), ahead)
        windows.setdefault(window, {})[host] = seen
    return windows


def _wildest(wild: pa.Table) -> dict[tuple[object, object], tuple[Micros, ...]]:
    found = wild.group_by(["host", "window"]).aggregate([("difference", "list")])
    rows = _rows(found, ["host", "window", "difference_list"])
    return {(host, window): tuple(nsmallest(KEPT, differences)) for host, window, differences in rows}


# Whole columns rather than a mapping a row: this runs for every batch that lands.
def _rows(table: pa.Table, names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)
