"""Reads the lake's Parquet files, whole or the rows of a share of a range.

Where an object store or another file system is to hold a lake, the paths that come here are joined in one
place, `hotpath.lake.Lake.path`, and pyarrow takes a file system beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.manifests import RESTORE, Manifest

EVER: Micros = 2**62
"""Later than anything: a file that does not say when its rows arrived may hold any."""


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Around whatever reads a Parquet file. Raises BadArtifact where it is not a whole one."""
    try:
        yield
    # A spoilt footer's names may be no UTF-8.
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error


def rows_of(manifest: Manifest) -> pc.Expression | None:
    """Which rows of its files are a manifest's; None where all are."""
    if not manifest.part:
        return None
    found = pc.scalar(False)
    for topic, ends in manifest.end.items():
        for partition, end in ends.items():
            start = manifest.start.get(topic, {}).get(partition, 0)
            if start < end:
                place = (pc.field("topic") == topic) & (pc.field("partition") == partition)
                found = found | (place & (pc.field("offset") >= start) & (pc.field("offset") < end))
    return found


def arrivals(path: Path) -> tuple[Micros, Micros] | None:
    """First and last arrival in a file, by its footer; None where it has no row. Raises BadArtifact."""
    with intact(path):
        found = pq.read_metadata(path)
        names = found.schema.names
    if "arrived_at" not in names:
        raise BadArtifact(str(path), names, "a column arrived_at", RESTORE)
    column = names.index("arrived_at")
    groups = [found.row_group(n).column(column) for n in range(found.num_row_groups)]
    if any(not group.is_stats_set or not group.statistics.has_min_max for group in groups):
        return (-EVER, EVER) if found.num_rows else None
    told = [group.statistics for group in groups]
    return (min(t.min_raw for t in told), max(t.max_raw for t in told)) if told else None


def table(
    path: Path, columns: list[str] | None, optional: Sequence[str], rows: pc.Expression | None
) -> pa.Table:
    """These rows of a file; a column of `optional` that it lacks is null. Raises BadArtifact."""
    with intact(path):
        there = pq.read_schema(path).names if optional else []
        missing = [name for name in optional if name not in there]
        wanted = [name for name in columns or there if name not in missing] if optional else columns
        found = pq.read_table(path, columns=wanted, partitioning=None, filters=rows)
        for name in missing:
            found = found.append_column(name, pa.nulls(len(found)))
        return found.select(columns or found.column_names)


def known(
    path: Path, columns: list[str], types: Mapping[str, pa.DataType], rows: pc.Expression | None
) -> pa.Table | None:
    """These rows of a file; None where it lacks a column, or has it in another type. Raises BadArtifact."""
    with intact(path):
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow
            fits = set(columns) <= set(there.names)
            fits = fits and all(there.field(n).type == types.get(n, there.field(n).type) for n in columns)
            if not fits:
                return None
            if rows is None:
                return file.read(columns).select(columns)
        return pq.read_table(path, columns=columns, partitioning=None, filters=rows)
