"""The lake's records of a source as tiles of an aggregate: what is read, and what stands in for what is not.

Reads only files whose arrivals, as their footers say, reach into the span that is asked for, and of them only
the columns that count. A file of an older contract that lacks one, or has it in another type or unit, counts
with the field's default; where there is none its records are in no tile.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.checks import default
from hotpath.contract.parts import Source
from hotpath.contract.types import LONG_MAX, LONG_MIN
from hotpath.lake import ARROW_TYPES, INSTANT, Lake, Manifest, same, schema
from hotpath.lake_files import arrivals, intact, rows_of
from hotpath.tiling import ARRIVED, columns, merged, tiled

MOST_ROWS = 2_000_000
"""Of tiles that wait to be merged: bounds the memory of a long reading."""
MOST_FOOTERS = 50_000


def tiles(
    lake: Lake,
    manifests: Sequence[Manifest],
    layout: Layout,
    source: Source,
    since: Micros = LONG_MIN,
    until: Micros = LONG_MAX,
    keys: Collection[str] | None = None,
) -> pa.Table:
    """Tiles of what these manifests list and what arrived from `since` on, before `until`, of these keys or
    of all. Raises BadArtifact on a file that does not read.
    """

    def reading(listed: Sequence[Manifest]) -> pa.Table:
        found: list[pa.Table] = []
        for manifest in listed:
            rows = rows_of(manifest)
            for file in manifest.files:
                if file.dataset != layout.aggregate.over:
                    continue
                table = _records(lake.checked(file), layout, source, since, until, rows)
                if table is not None:
                    found.append(tiled(_of(keys, table, layout), layout))
                if sum(map(len, found)) > MOST_ROWS and len(found) > 1:
                    found = [merged(found, layout)]
        return merged(found, layout)

    return lake.current(reading, manifests)


def _records(
    path: Path,
    layout: Layout,
    source: Source,
    since: Micros,
    until: Micros,
    rows: pc.Expression | None,
) -> pa.Table | None:
    """What counts of a file; None where nothing can."""
    arrived = _arrivals(path)
    if arrived is None or arrived[1] < since or arrived[0] >= until:
        return None
    first, last = arrived
    if first < since or last >= until:
        at = pc.field(ARRIVED)
        within = (at >= pa.scalar(since, INSTANT)) & (at < pa.scalar(until, INSTANT))
        rows = within if rows is None else rows & within
    fields = {field.name: field for field in source.fields}
    names = columns(layout)
    due = schema([(f.name, f.type) for f in source.fields], {f.name: f.unit for f in source.fields})
    with intact(path):
        there = pq.read_schema(path)
        known = [n for n in names if n == ARRIVED or same(there, due.field(n))]
        absent = [fields[n] for n in names if n not in known]
        if any(field.default is None for field in absent):
            return None
        table = pq.read_table(path, columns=known, partitioning=None, filters=rows)
    for field in absent:
        value = pa.scalar(default(field), ARROW_TYPES[field.type])
        table = table.append_column(field.name, pa.repeat(value, len(table)))
    return table


def _of(keys: Collection[str] | None, table: pa.Table, layout: Layout) -> pa.Table:
    if keys is None:
        return table
    wanted = pa.array(list(keys), pa.string())
    return table.filter(pc.is_in(table[layout.aggregate.by].cast(pa.string()), value_set=wanted))


@lru_cache(MOST_FOOTERS)
def _arrivals(path: Path) -> tuple[Micros, Micros] | None:
    """A file that is listed never changes."""
    return arrivals(path)
