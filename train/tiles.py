"""What each row of a window reads of tiles: the point-in-time join, as a Spark plan.

Prepare and update are `hotpath.tiling`'s, in Arrow, one pass over the columns that an aggregate needs. From
there on all is the JVM's: tiles of a key become one row each, the places in time that the window's rows ask
for (where a span ends, where it begins) are laid among them, and frames over both merge the tiles of a span.
So the cost of a reading is one of tiles, not of rows: the rows themselves meet each aggregate once, with all
its readings, in a join.

A window's tiles are what the lake held when the window was built, whatever was published in its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from hotpath import tiling
from hotpath.clock import Micros
from hotpath.contract.aggregates import Aggregate, Layout
from hotpath.contract.model import Contract
from hotpath.contract.statistics import BY_NAME, Part
from hotpath.contract.tree import Reading
from hotpath.tiles import Reader
from train.account import Span

READINGS = "readings"
KEY, ENDED, NUMBER, BACK = "tile's key", "tiles ended", "tile's number", "tiles back"
"""Columns on the way; no field's name has a space."""
_MERGES: Mapping[Part, Callable[[Column], Column]] = {
    Part.COUNT: F.sum,
    # Over months, beyond 64 bits.
    Part.SUM: lambda column: F.sum(column.cast("decimal(38,0)")),
    Part.SQUARES: F.sum,
    Part.LEAST: F.min,
    Part.GREATEST: F.max,
    Part.LAST_AT: F.max,
    # Beside its instant, as a struct: the greatest is the last, and of one µs the greatest value.
    Part.LAST: F.max,
}
"""How rows of one tile become one."""
_SUMS = (Part.COUNT, Part.SUM, Part.SQUARES)
_RUNNING: Mapping[Part, Callable[[Column], Column]] = {
    **{part: _MERGES[part] for part in (*_SUMS, Part.LAST_AT)},
    Part.LAST: lambda column: F.last(column, ignorenulls=True),
}
"""What all tiles of a key before a place come to. A sum over a span is the difference of two places, so its
length costs nothing; least and greatest need a frame each, and cost more the longer it is.
"""


def with_readings(
    rows: DataFrame, events: DataFrame, sources: Mapping[str, DataFrame], contract: Contract, span: Span
) -> DataFrame:
    """Rows of a judged table with `readings`, a struct by name; as they are where the contract reads none.

    `events`: those that the rows were made of; `sources` by name, as the contract's aggregates call them.
    """
    reader = Reader.of(contract)
    if not reader.layouts:
        return rows
    made, finished = rows, []
    for layout, readings in zip(reader.layouts, reader.readings, strict=True):
        asked = _asked(events, layout.aggregate, span)
        tiles = _tiles(sources[layout.aggregate.over], layout, span)
        key = F.col("event").getField(layout.aggregate.key)
        made = (
            made.withColumns(_place(layout.aggregate, key, F.col("arrived_at")))
            .join(_windows(tiles, asked, layout, readings), [KEY, ENDED], "left")
            .drop(KEY, ENDED)
        )
        finished += [_finished(layout.aggregate, reading) for reading in readings]
    return made.select(*rows.columns, F.struct(*finished).alias(READINGS))


def _asked(events: DataFrame, aggregate: Aggregate, span: Span) -> DataFrame:
    """Each key and place in time that an event of the window asks for, once."""
    arrived = F.col("arrived_at")
    within = events.filter((arrived > _instant(span.start)) & (arrived <= _instant(span.end)))
    place = _place(aggregate, F.col(f"`{aggregate.key}`"), F.unix_micros(arrived))
    named = [column.alias(name) for name, column in place.items()]
    return within.select(*named).filter(F.col(KEY).isNotNull()).distinct()


def _place(aggregate: Aggregate, key: Column, at: Column) -> dict[str, Column]:
    """What a row of instant `at` reads: its key as text, and the number of the first tile that it may not."""
    until = at - F.lit(aggregate.delay)
    ended = F.call_function("div", until - F.pmod(until, F.lit(aggregate.tile)), F.lit(aggregate.tile))
    return {KEY: key.cast("string"), ENDED: ended}


def _tiles(source: DataFrame, layout: Layout, span: Span) -> DataFrame:
    """One row a key and number, with the layout's parts by name."""
    first, end = span.tiled(layout.aggregate)
    arrived = F.col("arrived_at")
    within = source.filter((arrived >= _instant(first)) & (arrived < _instant(end)))
    # Numbered on the way: mapInArrow reads a dot in a name as a field of a struct.
    columns = enumerate(tiling.columns(layout))
    needed = within.select(*(F.col(f"`{name}`").alias(str(place)) for place, name in columns))
    partial = needed.mapInArrow(_tiler(layout), _schema(layout)).select(
        F.col("key").alias(KEY), F.col("number").alias(NUMBER), *(_part(part) for part in layout.parts)
    )
    parts = (_MERGES[part](F.col(part)).alias(part) for part in layout.parts)
    whole = partial.groupBy(KEY, NUMBER).agg(*parts)
    return whole.withColumn(Part.LAST, F.col(Part.LAST)[Part.LAST]) if Part.LAST in layout.parts else whole


def _tiler(layout: Layout) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Tiles of each batch of rows by itself, so that a worker's memory is a batch's."""

    names = tiling.columns(layout)

    def tiled(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = pa.Table.from_batches([batch]).rename_columns(names)
            yield from tiling.tiled(rows, layout).to_batches()

    return tiled


def _schema(layout: Layout) -> str:
    kinds = (f"{part} {'decimal(38,0)' if part == Part.SQUARES else 'bigint'}" for part in layout.parts)
    return ", ".join(["key string", "number bigint", *kinds])


def _part(part: Part) -> Column:
    return F.struct(Part.LAST_AT, part).alias(part) if part == Part.LAST else F.col(part)


def _windows(tiles: DataFrame, asked: DataFrame, layout: Layout, readings: tuple[Reading, ...]) -> DataFrame:
    """Of each place that is asked for the merged parts of every span that is read."""
    aggregate = layout.aggregate
    wanted = dict.fromkeys((r.span, part) for r in readings for part in BY_NAME[r.statistic].parts)
    begins = {span // aggregate.tile for span, part in wanted if part in _SUMS}
    backs = F.array(*(F.lit(back) for back in sorted({0, *begins})))
    places = asked.select(KEY, ENDED, F.explode(backs).alias(BACK))
    both = tiles.unionByName(places.withColumn(NUMBER, F.col(ENDED) - F.col(BACK)), allowMissingColumns=True)
    by_key = Window.partitionBy(KEY).orderBy(NUMBER)
    before = by_key.rangeBetween(Window.unboundedPreceding, -1)
    found = [_RUNNING[p](F.col(p)).over(before).alias(p) for p in layout.parts if p in _RUNNING]
    for span, part in wanted:
        if part not in _RUNNING:
            frame = by_key.rangeBetween(-(span // aggregate.tile), -1)
            found.append(_MERGES[part](F.col(part)).over(frame).alias(_name(aggregate, span, part)))
    at_places = both.select(KEY, ENDED, BACK, *found).filter(F.col(BACK).isNotNull())
    merged = (_merged(aggregate, *each).alias(_name(aggregate, *each)) for each in wanted)
    return at_places.groupBy(KEY, ENDED).agg(*merged)


def _merged(aggregate: Aggregate, span: Micros, part: Part) -> Column:
    """The part over a span, of what stands at its end and at its beginning."""
    tiles = span // aggregate.tile
    match part:
        case Part.COUNT:
            return _grown(part, tiles)
        case Part.SUM:
            # Null beyond 64 bits, where more records were summed than a sum is told of.
            return F.when(_grown(Part.COUNT, tiles) > 0, _grown(part, tiles).try_cast("bigint"))
        case Part.SQUARES:
            return F.when(_grown(Part.COUNT, tiles) > 0, _grown(part, tiles))
        case Part.LAST_AT | Part.LAST:
            first = (F.col(ENDED) - F.lit(tiles)) * F.lit(aggregate.tile)
            return F.when(_standing(Part.LAST_AT) >= first, _standing(part))
    return _standing(_name(aggregate, span, part))


def _grown(part: Part, tiles: int) -> Column:
    grown = F.coalesce(_standing(part), F.lit(0)) - F.coalesce(_standing(part, tiles), F.lit(0))
    return grown.cast("bigint" if part == Part.COUNT else "decimal(38,0)")


def _standing(name: str, back: int = 0) -> Column:
    """What a column says at the place so many tiles back."""
    return F.max(F.when(F.col(BACK) == back, F.col(f"`{name}`")))


def _finished(aggregate: Aggregate, reading: Reading) -> Column:
    statistic = BY_NAME[reading.statistic]
    parts = [F.col(f"`{_name(aggregate, reading.span, part)}`") for part in statistic.parts]
    value = statistic.spark(F, aggregate.unit, aggregate.limit, F.col("arrived_at"), *parts)
    return value.alias(reading.name)  # type: ignore[no-any-return]


def _name(aggregate: Aggregate, span: Micros, part: Part) -> str:
    return f"{aggregate.name} {span} {part}"


def _instant(at: Micros) -> Column:
    """A literal, so that Parquet's statistics can spare the reading."""
    return F.timestamp_micros(F.lit(at))
