"""Records into tiles: the one implementation of prepare and update, for the tiler, Spark and parity alike.

Pure. Rows of a source become one row a (key, tile) with the layout's parts, and such tables become one
another's sum. Parts are whole numbers, so neither order nor cut of the tables changes anything. Spark runs
`tiled` through mapInArrow; the tiler packs what it made of the lake.

A value v is q = round-half-even(v * 10**digits), bool and long as they are; a record whose key or value is
null, or whose |q| is beyond the aggregate's `largest`, is in no tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import Micros
from hotpath.contract.aggregates import Aggregate, Layout
from hotpath.contract.statistics import Part
from hotpath.contract.types import Type
from hotpath.tiles import HEADER, MAGIC, VERSION, Tiles

Longs = npt.NDArray[np.int64]

ARRIVED = "arrived_at"
SQUARE = pa.decimal128(13, 0)
"""Holds every fixed point: its largest is statistics.LARGEST."""
MERGED: Mapping[Part, str] = {
    Part.COUNT: "sum",
    Part.SUM: "sum",
    Part.SQUARES: "sum",
    Part.LEAST: "min",
    Part.GREATEST: "max",
    Part.LAST_AT: "max",
    Part.LAST: "max",
}
"""How rows of one tile become one; of LAST only those count that arrived at LAST_AT."""


def columns(layout: Layout) -> tuple[str, ...]:
    """The columns of the aggregate's source that `tiled` reads."""
    aggregate = layout.aggregate
    value = () if aggregate.value is None else (aggregate.value,)
    return tuple(dict.fromkeys((aggregate.by, *value, ARRIVED)))


def schema(layout: Layout) -> pa.Schema:
    """What `tiled` and `merged` make: a row a (key, number)."""
    parts = [(p, pa.decimal128(38, 0) if p == Part.SQUARES else pa.int64()) for p in layout.parts]
    return pa.schema([("key", pa.string()), ("number", pa.int64()), *((p.value, kind) for p, kind in parts)])


def tiled(table: pa.Table, layout: Layout) -> pa.Table:
    """Tiles of a source's rows, of which only `columns` are read; in no order."""
    return _grouped(_prepared(table, layout), layout)


def merged(tables: Sequence[pa.Table], layout: Layout) -> pa.Table:
    """Tiles of several tables of tiles; in no order."""
    return _grouped(pa.concat_tables([schema(layout).empty_table(), *tables]), layout)


def packed_keys(table: pa.Table, layout: Layout, through: Micros, batch: int) -> Iterator[tuple[str, bytes]]:
    """Each key's tiles as `hotpath.tiles.packed` has them, keys in no order."""
    ordered, keys, starts = _by_key(table)
    columns = [(_bytes(ordered["number"], np.dtype("<u4")), 4)]
    for part in layout.parts:
        columns += _packed(part, ordered[part.value])
    for key, start, end in zip(keys, starts[:-1], starts[1:], strict=True):
        head = HEADER.pack(MAGIC, VERSION, len(layout.parts), end - start, through, batch)
        yield key, b"".join((head, *[raw[start * size : end * size] for raw, size in columns]))


def tiles_of(table: pa.Table, layout: Layout, through: Micros, batch: int) -> dict[str, Tiles]:
    """Each key's tiles as values."""
    ordered, keys, starts = _by_key(table)
    numbers = tuple(ordered["number"].to_pylist())
    parts = [tuple(_whole(ordered[part.value])) for part in layout.parts]
    return {
        key: Tiles(through, batch, numbers[start:end], tuple([p[start:end] for p in parts]))
        for key, start, end in zip(keys, starts[:-1], starts[1:], strict=True)
    }


def _prepared(table: pa.Table, layout: Layout) -> pa.Table:
    """Each record that counts as a tile of itself alone."""
    aggregate = layout.aggregate
    found = {"key": table[aggregate.by].cast(pa.string()), "at": table[ARRIVED].cast(pa.int64())}
    if aggregate.value is not None:
        found["value"] = _fixed(table[aggregate.value], aggregate)
    rows = pa.table(found).drop_null()
    at = rows["at"].to_numpy()
    made: dict[str, Any] = {"key": rows["key"], "number": pa.array(at // aggregate.tile)}
    for part in layout.parts:
        match part:
            case Part.COUNT:
                made[part] = pa.array(np.ones(len(at), np.int64))
            case Part.SQUARES:
                # Arrow casts 64 bits to no fewer than 19 digits, and their product would need 39.
                value = rows["value"].cast(pa.decimal128(19, 0)).cast(SQUARE)
                made[part] = pc.multiply(value, value)
            case Part.LAST_AT:
                made[part] = rows["at"]
            case _:
                made[part] = rows["value"]
    return pa.table(made)


def _fixed(column: pa.ChunkedArray, aggregate: Aggregate) -> pa.Array:
    """Values in units of 10**-digits; null where there is none, or where it lies beyond."""
    if aggregate.kind == Type.DOUBLE:
        with np.errstate(over="ignore"):  # infinite is beyond, too
            scaled = np.rint(column.cast(pa.float64()).to_numpy() * aggregate.unit)
        # Compared as doubles, before the cast: what 64 bits do not hold would wrap. A null is NaN here.
        within = np.abs(scaled) <= aggregate.largest
        return pa.array(np.where(within, scaled, 0.0).astype(np.int64), mask=~within)
    whole = column.cast(pa.int64())
    within = pc.and_(pc.less_equal(whole, aggregate.largest), pc.greater_equal(whole, -aggregate.largest))
    return pc.if_else(within, whole, pa.scalar(None, pa.int64()))


def _grouped(rows: pa.Table, layout: Layout) -> pa.Table:
    if not len(rows):
        return schema(layout).empty_table()
    codes, keys = _codes(rows["key"])
    numbers = rows["number"].to_numpy()
    low = numbers.min()
    span = int(numbers.max() - low) + 1
    # One whole number for key and tile: grouping by it takes a third of the time.
    places = pa.array(codes * span + (numbers - low)).dictionary_encode()
    parts = [part for part in layout.parts if part != Part.LAST]
    found = _aggregated(rows.select(parts), places.indices, [(p.value, MERGED[p]) for p in parts])
    place = places.dictionary.to_numpy()
    made = {"key": keys.take(pa.array(place // span)), "number": pa.array(place % span + low)}
    made |= {part.value: found[f"{part}_{MERGED[part]}"] for part in parts}
    if Part.LAST in layout.parts:
        made[Part.LAST.value] = _last(rows, places.indices, made[Part.LAST_AT.value])
    return pa.table(made).select(schema(layout).names).cast(schema(layout))


def _last(rows: pa.Table, groups: pa.Array, newest: pa.ChunkedArray) -> pa.ChunkedArray:
    """The greatest value of those that arrived last, by group."""
    at = newest.to_numpy()[groups.to_numpy()]
    among = pa.array(rows[Part.LAST_AT.value].to_numpy() == at)
    left = rows.select([Part.LAST.value]).filter(among)
    return _aggregated(left, groups.filter(among), [(Part.LAST.value, "max")])[f"{Part.LAST}_max"]


def _aggregated(rows: pa.Table, groups: pa.Array, how: list[tuple[str, str]]) -> pa.Table:
    """By group, in their order, which is 0, 1, 2 and so on."""
    return rows.append_column("group", groups).group_by("group").aggregate(how).sort_by("group")


def _codes(keys: pa.ChunkedArray) -> tuple[Longs, pa.Array]:
    """A number for each key, and the keys by number."""
    encoded = keys.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no chunks, or of more than one holds
        encoded = pa.concat_arrays(encoded.chunks)
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def _by_key(table: pa.Table) -> tuple[pa.Table, list[str], list[int]]:
    """The table with each key's tiles together and growing, the keys, and where each one's rows begin."""
    if not len(table):
        return table, [], [0]
    codes, keys = _codes(table["key"])
    numbers = table["number"].to_numpy()
    low = numbers.min()
    places = codes * (int(numbers.max() - low) + 1) + (numbers - low)
    order = np.argsort(places, kind="stable")
    sorted_codes = codes[order]
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1))
    found = keys.take(pa.array(sorted_codes[starts])).to_pylist()
    return table.drop_columns("key").take(pa.array(order)), found, [*starts.tolist(), len(order)]


def _packed(part: Part, column: pa.ChunkedArray) -> list[tuple[bytes, int]]:
    """The bytes of a part's columns, each with a tile's share of them."""
    if part == Part.COUNT:
        return [(_bytes(column, np.dtype("<u4")), 4)]
    if part == Part.SQUARES:
        return [(half.astype("<u8").tobytes(), 8) for half in _halves(column)]
    return [(_bytes(column, np.dtype("<i8")), 8)]


def _bytes(column: pa.ChunkedArray, kind: np.dtype[Any]) -> bytes:
    raw: bytes = column.to_numpy().astype(kind).tobytes()
    return raw


def _halves(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Low and high 64 bits of decimals, which Arrow keeps as 128 bits, little endian."""
    chunks = [
        np.frombuffer(chunk.buffers()[1], "<u8", 2 * len(chunk), 16 * chunk.offset).reshape(-1, 2)
        for chunk in column.chunks
    ]
    both = np.concatenate([np.empty((0, 2), np.uint64), *chunks])
    return both[:, 0], both[:, 1]


def _whole(column: pa.ChunkedArray) -> list[int]:
    """Decimals of no places as ints too."""
    if not pa.types.is_decimal(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    low, high = (half.tolist() for half in _halves(column))
    return [a + (b << 64) for a, b in zip(low, high, strict=True)]
