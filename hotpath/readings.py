"""Readings straight from packed tiles: what `hotpath.tiles.window` says of them, at a request's pace.

Composed once a layout, called for each row: only those tiles are decoded that a window holds, and what two
readings share is merged once. `merged` rests on the row's last ended tile alone, so that it can be kept;
`values` finishes it for the row's instant. Equal to `tiles.window` on every value that `tiles.unpacked`
takes (a property test holds this); of any other bytes it is only sure that nothing raises but BadArtifact.

    windows = Windows.of(layout, readings)
    count, through, batch = windows.head(raw)
    windows.values(windows.merged(raw, count, layout.aggregate.ended(at)), at)
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hotpath.clock import Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.model import Contract
from hotpath.contract.statistics import BY_NAME, Part
from hotpath.contract.tree import Reading
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from hotpath.tiles import HEADER, MAGIC, VERSION, Reader

Head = tuple[int, Micros, int]
"""What a packed value says of itself: its tiles, through, batch."""
Merged = Sequence[int | None]
"""The parts of every window that a layout's readings need."""
Firsts = Sequence[int]
"""Where each span's window begins among the tiles; spans grow, so it falls."""
Take = Callable[[bytes, int, Firsts, int], list[int | None]]
"""A packed value, its tiles, the windows' begins and their common end -> one part's merged values."""
Finish = Callable[[Micros, Merged], Value]

_HEAD = struct.Struct("<4sIqq")
"""`tiles.HEADER` with magic, version and number of parts in one."""
_NUMBER = struct.Struct("<I").unpack_from
_NUMBER_BYTES = 4
_WIDTHS = dict.fromkeys(Part, 8) | {Part.COUNT: 4, Part.SQUARES: 16}
"""Bytes a tile."""


@dataclass(frozen=True, eq=False)
class Windows:
    """One layout's readings, composed; the attributes that a row needs are plain ones.

    `name`: the aggregate's, `key`: the event's field that holds a row's key, `id`: the layout's, `prefix`:
    what stands before a key in a record's key. `names` in the order of `values`, `spans` in tiles, growing,
    `width` in bytes a tile, `marks`: how a value begins, with parts and without. `defaults` and `nulls`: all
    readings where tiles cannot be had, and of a row without a key. `nothing`: parts of windows without tiles.
    `timed`: a reading rests on the row's own instant, not on tiles alone.
    """

    layout: Layout
    name: str
    key: str
    id: str
    prefix: str
    tile: Micros
    delay: Micros
    names: tuple[str, ...]
    spans: tuple[int, ...]
    width: int
    marks: tuple[bytes, bytes]
    takes: tuple[Take, ...]
    nothing: Merged
    finishes: tuple[Finish, ...]
    defaults: tuple[Value, ...]
    nulls: tuple[Value, ...]
    timed: bool

    @classmethod
    def of(cls, layout: Layout, readings: Sequence[Reading]) -> Windows:
        """What these readings need, composed."""
        aggregate, tile = layout.aggregate, layout.aggregate.tile
        spans = sorted({r.span // tile for r in readings})
        wanted: dict[Part, set[int]] = {}
        for reading in readings:
            for part in BY_NAME[reading.statistic].parts:
                wanted.setdefault(part, set()).add(spans.index(reading.span // tile))
        slots = [(part, span) for part, found in wanted.items() for span in sorted(found)]
        return cls(
            layout=layout,
            name=aggregate.name,
            key=aggregate.key,
            id=layout.id,
            prefix=layout.key(""),
            tile=tile,
            delay=aggregate.delay,
            names=tuple(r.name for r in readings),
            spans=tuple(spans),
            width=_NUMBER_BYTES + sum(_WIDTHS[part] for part in layout.parts),
            marks=(MAGIC + bytes([VERSION, len(layout.parts)]), MAGIC + bytes([VERSION, 0])),
            takes=tuple(_take(layout, part, sorted(found)) for part, found in wanted.items()),
            nothing=tuple(0 if part == Part.COUNT else None for part, _ in slots),
            finishes=tuple(_finish(layout, r, slots, spans.index(r.span // tile)) for r in readings),
            defaults=tuple(aggregate.defaulted(r.statistic) for r in readings),
            nulls=(None,) * len(readings),
            timed=any(BY_NAME[r.statistic].timed for r in readings),
        )

    def head(self, raw: bytes) -> Head:
        """Raises BadArtifact where `raw` is no packed value of the layout."""
        try:
            mark, count, through, batch = _HEAD.unpack_from(raw)
        except struct.error as error:
            raise BadArtifact(f"tiles of {self.id}", raw[:8], "a packed value") from error
        whole, empty = self.marks
        if (mark != whole and (count or mark != empty)) or len(raw) != HEADER.size + count * self.width:
            expected = f"{count} tiles of version {VERSION} of {len(self.layout.parts)} parts"
            raise BadArtifact(f"tiles of {self.id}", f"{len(raw)} bytes, {mark!r}", expected)
        return count, through, batch

    def merged(self, raw: bytes, count: int, end: int) -> Merged:
        """The windows of a row that reads tiles below `end`, each part of each merged."""
        if not count:
            return self.nothing
        firsts, last = self._places(raw, count, end)
        if len(self.takes) == 1:
            return self.takes[0](raw, count, firsts, last)
        found: list[int | None] = []
        for take in self.takes:
            found += take(raw, count, firsts, last)
        return found

    def values(self, merged: Merged, at: Micros) -> list[Value]:
        """The readings of a row of instant `at`, in the order of `names`."""
        return [finish(at, merged) for finish in self.finishes]

    def _places(self, raw: bytes, count: int, end: int) -> tuple[list[int], int]:
        """Where each span's window begins, and where all of them end."""
        (oldest,), (newest,) = _NUMBER(raw, HEADER.size), _NUMBER(raw, HEADER.size + 4 * count - 4)
        if newest - oldest == count - 1 and oldest < end <= newest + 1:  # none missing: nothing to look for
            last = end - oldest
            return [place if (place := last - span) > 0 else 0 for span in self.spans], last
        # Native order: every machine that Hotpath runs on is little endian, as the format is.
        numbers = memoryview(raw)[HEADER.size : HEADER.size + _NUMBER_BYTES * count].cast("I")
        last = bisect_left(numbers, end)
        return [bisect_left(numbers, end - span, 0, last) for span in self.spans], last


@dataclass(frozen=True, eq=False)
class Reads:
    """What a contract's rows read of tiles: its layouts, and all readings in their order."""

    windows: tuple[Windows, ...]
    names: tuple[str, ...]
    defaults: tuple[Value, ...]

    @classmethod
    def of(cls, contract: Contract) -> Reads:
        """Without aggregates it reads nothing."""
        reader = Reader.of(contract)
        windows = tuple(map(Windows.of, reader.layouts, reader.readings))
        names = tuple(name for w in windows for name in w.names)
        return cls(windows, names, tuple(value for w in windows for value in w.defaults))


def _take(layout: Layout, part: Part, spans: list[int]) -> Take:
    before = layout.parts[: layout.parts.index(part)]
    skipped = _NUMBER_BYTES + sum(_WIDTHS[p] for p in before)
    if part == Part.COUNT:
        return _summed("I", 4, 0, skipped, spans)
    if part == Part.SUM:
        return _summed("q", 8, None, skipped, spans)
    if part == Part.SQUARES:
        return _squared(skipped, spans)
    if part in (Part.LEAST, Part.GREATEST):
        return _extreme(min if part == Part.LEAST else max, skipped, spans)
    return _last(skipped, spans)


def _summed(code: str, size: int, nothing: int | None, skipped: int, spans: list[int]) -> Take:
    """Sums, `nothing` of no tile; a window's is that of the next shorter one and of what lies before it."""
    widest = spans[-1]

    def take(raw: bytes, count: int, firsts: Firsts, last: int) -> list[int | None]:
        start = firsts[widest]
        values = _unpack(code, last - start)(raw, HEADER.size + skipped * count + size * start)
        found: list[int | None] = []
        total, until = 0, len(values)
        for span in spans:
            if (begin := firsts[span] - start) < until:
                total = sum(values[begin:until], total)
                until = begin
            found.append(nothing if firsts[span] == last else total)
        return found

    return take


def _squared(skipped: int, spans: list[int]) -> Take:
    low, high = (_summed("Q", 8, None, 0, spans) for _ in range(2))

    def take(raw: bytes, count: int, firsts: Firsts, last: int) -> list[int | None]:
        place = HEADER.size + skipped * count
        lows = low(raw[place - HEADER.size :], 0, firsts, last)
        highs = high(raw[place + 8 * count - HEADER.size :], 0, firsts, last)
        return [None if a is None or b is None else a + (b << 64) for a, b in zip(lows, highs, strict=True)]

    return take


def _extreme(best: Callable[..., Any], skipped: int, spans: list[int]) -> Take:
    widest = spans[-1]

    def take(raw: bytes, count: int, firsts: Firsts, last: int) -> list[int | None]:
        start = firsts[widest]
        values = _unpack("q", last - start)(raw, HEADER.size + skipped * count + 8 * start)
        return [best(values[firsts[span] - start :], default=None) for span in spans]

    return take


def _last(skipped: int, spans: list[int]) -> Take:
    widest = spans[-1]

    def take(raw: bytes, count: int, firsts: Firsts, last: int) -> list[int | None]:
        if firsts[widest] == last:
            return [None] * len(spans)
        (value,) = _unpack("q", 1)(raw, HEADER.size + skipped * count + 8 * (last - 1))
        return [value if firsts[span] < last else None for span in spans]

    return take


def _finish(layout: Layout, reading: Reading, slots: list[tuple[Part, int]], span: int) -> Finish:
    statistic, aggregate = BY_NAME[reading.statistic], layout.aggregate
    row, unit, limit = statistic.row, aggregate.unit, aggregate.limit
    places = [slots.index((part, span)) for part in statistic.parts]
    if len(places) == 1:
        (a,) = places
        return lambda at, found: row(unit, limit, at, found[a])
    if len(places) == 2:
        b, c = places
        return lambda at, found: row(unit, limit, at, found[b], found[c])
    return lambda at, found: row(unit, limit, at, *[found[p] for p in places])


@cache
def _unpack(code: str, count: int) -> Callable[[bytes, int], tuple[int, ...]]:
    return struct.Struct(f"<{count}{code}").unpack_from
