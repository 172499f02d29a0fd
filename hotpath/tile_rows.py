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
from hotpath.contract.parts import Field, Source
from hotpath.contract.types import LONG_MAX, LONG_MIN
from hotpath.errors import BadArtifact
from hotpath.lake import ARROW_TYPES, INSTANT, RESTORE, UNIT, Lake, Manifest
from hotpath.lake_files import rows_of
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
    first, last = _span(path)
    if last < since or first >= until:
        return None
    if first < since or last >= until:
        arrived = pc.field(ARRIVED)
        within = (arrived >= pa.scalar(since, INSTANT)) & (arrived < pa.scalar(until, INSTANT))
        rows = within if rows is None else rows & within
    fields = {field.name: field for field in source.fields}
    names = columns(layout)
    try:
        there = pq.read_schema(path)
        known = [n for n in names if n == ARRIVED or _is_there(there, fields[n])]
        absent = [fields[n] for n in names if n not in known]
        if any(field.default is None for field in absent):
            return None
        table = pq.read_table(path, columns=known, partitioning=None, filters=rows)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error
    for field in absent:
        value = pa.scalar(default(field), ARROW_TYPES[field.type])
        table = table.append_column(field.name, pa.repeat(value, len(table)))
    return table


def _of(keys: Collection[str] | None, table: pa.Table, layout: Layout) -> pa.Table:
    if keys is None:
        return table
    wanted = pa.array(list(keys), pa.string())
    return table.filter(pc.is_in(table[layout.aggregate.by].cast(pa.string()), value_set=wanted))


def _is_there(there: pa.Schema, field: Field) -> bool:
    """Whether a file has a field as the contract has it now."""
    if field.name not in there.names:
        return False
    found = there.field(field.name)
    # Files of before units were written down are taken at the contract's word.
    said = (found.metadata or {}).get(UNIT)
    return found.type == ARROW_TYPES[field.type] and said in (None, (field.unit or "").encode())


@lru_cache(MOST_FOOTERS)
def _span(path: Path) -> tuple[Micros, Micros]:
    """When the first and the last of a file's records arrived. A file that is listed never changes."""
    try:
        found = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error
    if ARRIVED not in found.schema.names:
        raise BadArtifact(f"{path}: column {ARRIVED}", "no such column", str(INSTANT), RESTORE)
    column = found.schema.names.index(ARRIVED)
    said = [found.row_group(n).column(column).statistics for n in range(found.num_row_groups)]
    if not all(s is not None and s.has_min_max for s in said):
        return LONG_MIN, LONG_MAX
    instants = [pa.scalar(instant, INSTANT).value for s in said for instant in (s.min, s.max)]
    return min(instants, default=LONG_MAX), max(instants, default=LONG_MIN)
