"""Closed tiles of one key: how they travel, and what a row reads of them.

One packed value a key, little endian, arrays one after another (never a tile without a record)::

    2s "HT"   u8 version   u8 parts   u32 tiles   i64 through   i64 batch
    u32[tiles] number   then each part of the layout in the order of Part:
    COUNT u32[tiles] · SQUARES u64[tiles] low halves, then u64[tiles] high · every other i64[tiles]

`number` is the tile's, `arrived_at` // its length. `through` (µs): every tile that ended by it was closed
when this was published. `batch`: the newest batch whose rows it is made of. The record of a layout itself
(its id without a key) has no tiles and says through and batch for all its keys: an absent key has none.
The native core reads the same bytes.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hotpath.clock import Micros
from hotpath.contract.aggregates import Aggregate, Layout, key_text
from hotpath.contract.model import Contract
from hotpath.contract.statistics import BY_NAME, Part
from hotpath.contract.tree import Reading
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact

MAGIC, VERSION = b"HT", 1
HEADER = struct.Struct("<2sBBIqq")
Merge = Callable[[Sequence[int]], int]
MERGES: Mapping[Part, Merge] = {
    Part.COUNT: sum,
    Part.SUM: sum,
    Part.SQUARES: sum,
    Part.LEAST: min,
    Part.GREATEST: max,
    # Tiles are in the order of time: the last of them holds the last record.
    Part.LAST_AT: lambda values: values[-1],
    Part.LAST: lambda values: values[-1],
}
"""How tiles become a window; none of them is called without a tile."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles of one key: `numbers` grow, `parts` has a column for each part of the layout."""

    through: Micros
    batch: int
    numbers: Sequence[int] = ()
    parts: tuple[Sequence[int], ...] = ()


def packed(tiles: Tiles, layout: Layout) -> bytes:
    """`tiles` as they travel."""
    count = len(tiles.numbers)
    head = HEADER.pack(MAGIC, VERSION, len(tiles.parts), count, tiles.through, tiles.batch)
    columns = [struct.pack(f"<{count}I", *tiles.numbers)]
    for part, column in zip(layout.parts if count else (), tiles.parts, strict=True):
        columns.extend(_column(part, column))
    return head + b"".join(columns)


def unpacked(raw: bytes, layout: Layout) -> Tiles:
    """What `packed` wrote of this layout. Raises BadArtifact on anything else, or where tiles do not grow."""
    try:
        magic, version, parts, count, through, batch = HEADER.unpack_from(raw)
        if (magic, version) != (MAGIC, VERSION) or (count and parts != len(layout.parts)):
            raise BadArtifact(f"tiles of {layout.id}", raw[:8], f"version {VERSION} of {layout.parts}")
        if not count and len(raw) == HEADER.size:
            return Tiles(through, batch)
        numbers, place = struct.unpack_from(f"<{count}I", raw, HEADER.size), HEADER.size + 4 * count
        columns = []
        for part in layout.parts:
            column, place = _read(part, raw, place, count)
            columns.append(column)
    except (struct.error, TypeError) as error:
        raise BadArtifact(f"tiles of {layout.id}", str(error), "a packed value") from error
    if not count or place != len(raw) or any(a >= b for a, b in pairwise(numbers)):
        raise BadArtifact(f"tiles of {layout.id}", f"{len(raw)} bytes", f"{place} bytes of growing tiles")
    if (numbers[-1] + 1) * layout.aggregate.tile > through:
        raise BadArtifact(f"tiles of {layout.id}", numbers[-1], "tiles that were closed when published")
    return Tiles(through, batch, numbers, tuple(columns))


def window(tiles: Tiles, layout: Layout, reading: Reading, at: Micros) -> Value:
    """The reading of a row of instant `at`, over those of `tiles` that it may read."""
    aggregate, statistic = layout.aggregate, BY_NAME[reading.statistic]
    end = aggregate.ended(at)
    first = bisect_left(tiles.numbers, end - reading.span // aggregate.tile)
    last = bisect_left(tiles.numbers, end, first)
    found = [_merged(part, tiles, layout, first, last) for part in statistic.parts]
    return statistic.row(aggregate.unit, aggregate.limit, at, *found)  # type: ignore[no-any-return]


def late(through: Micros, aggregate: Aggregate, at: Micros) -> bool:
    """Whether a row of instant `at` should have had a tile that was not closed yet."""
    return through < aggregate.ended(at) * aggregate.tile


@dataclass(frozen=True)
class Reader:
    """What a contract's rows read of tiles; built once, called for each row.

    `layouts` in the order in which `keys` gives a row's keys and `read` takes what was found of them.
    """

    layouts: tuple[Layout, ...]
    readings: tuple[tuple[Reading, ...], ...]

    @classmethod
    def of(cls, contract: Contract) -> Reader:
        """The reader of a contract; without aggregates it reads nothing."""
        by_name = tuple(
            tuple(r for r in contract.readings if r.aggregate == layout.aggregate.name)
            for layout in contract.layouts
        )
        return cls(contract.layouts, by_name)

    def keys(self, row: Mapping[str, Value]) -> tuple[str | None, ...]:
        """The row's key in each layout; None where it has none."""
        return tuple([key_text(row[layout.aggregate.key]) for layout in self.layouts])

    def read(self, found: Sequence[Tiles | None], at: Micros) -> dict[str, Value]:
        """Readings by name of a row of instant `at`. None in `found`: it has no key there, so all is null."""
        values: dict[str, Value] = {}
        for tiles, layout, readings in zip(found, self.layouts, self.readings, strict=True):
            for reading in readings:
                values[reading.name] = None if tiles is None else window(tiles, layout, reading, at)
        return values

    def defaults(self, place: int) -> dict[str, Value]:
        """The readings of the layout in this place where its tiles cannot be had."""
        aggregate = self.layouts[place].aggregate
        return {r.name: aggregate.defaulted(r.statistic) for r in self.readings[place]}


def _merged(part: Part, tiles: Tiles, layout: Layout, first: int, last: int) -> int | None:
    if first == last:
        return 0 if part == Part.COUNT else None
    return MERGES[part](tiles.parts[layout.parts.index(part)][first:last])


def _column(part: Part, values: Sequence[int]) -> list[bytes]:
    if part == Part.COUNT:
        return [struct.pack(f"<{len(values)}I", *values)]
    if part == Part.SQUARES:
        halves = ([v & (2**64 - 1) for v in values], [v >> 64 for v in values])
        return [struct.pack(f"<{len(values)}Q", *half) for half in halves]
    return [struct.pack(f"<{len(values)}q", *values)]


def _read(part: Part, raw: bytes, place: int, count: int) -> tuple[Sequence[int], int]:
    if part == Part.COUNT:
        return struct.unpack_from(f"<{count}I", raw, place), place + 4 * count
    if part == Part.SQUARES:
        both = struct.unpack_from(f"<{2 * count}Q", raw, place)
        return [low + (high << 64) for low, high in zip(both[:count], both[count:], strict=True)], (
            place + 16 * count
        )
    return struct.unpack_from(f"<{count}q", raw, place), place + 8 * count
