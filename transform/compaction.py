"""Puts many small files of a lake into few large ones, batch by batch in order, without a row's changing.

A range's files are written under names of this attempt, then what stays known of its batches, then its
manifest, published by an operation that fails where it exists: from then on it counts and they do not.
Killed anywhere, the lake reads as before or as after; a repeat removes what was left and goes on. What was
superseded stays until readers in the middle of it are done (`hotpath.rewriting`). Every file is proved by
its manifest before it is copied: what was altered is refused by name and never gets a hash of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath import files, rewriting
from hotpath.clock import wait
from hotpath.errors import BadArtifact
from hotpath.lake import RESTORE, Dataset, File, Lake
from hotpath.lake_files import intact
from hotpath.manifests import Manifest, Name, in_force, kept, whole
from hotpath.rewriting import Reached, nothing
from transform.ranges import Sizes, next_range

ROWS = 250_000
"""Of a row group, about: bounds the memory, and a follower of a share reads no more than it needs."""
POINTS = ("before the files", "mid-file", "before the batches", "before the manifest", "after the manifest")


def compact(lake: Lake, sizes: Sizes | None = None, reached: Reached = nothing) -> int:
    """Make every range that is due now; how many they were.

    Nobody else may rewrite the lake while one is made; between two of them somebody who waits may. Raises
    BadConfig where somebody does, BadArtifact on a file that is not what its manifest lists, and where the
    lake has lost a file or a manifest.
    """
    sizes, done = sizes or Sizes(), 0
    while True:
        with rewriting.hold(lake):
            group = next_range(_in_force(lake), sizes)
            if not group:
                return done
            if not done:
                rewriting.remove_unborn(lake)
            _merge(lake, group, sizes, reached)
            done += 1
        wait(2 * rewriting.LOOK_S)


def _in_force(lake: Lake) -> Iterator[Manifest]:
    """One by one: a lake that was never compacted has more of them than the next range needs."""
    return (lake.read_manifest(name) for name in in_force(lake.names()))


def _merge(lake: Lake, group: Sequence[Manifest], sizes: Sizes, reached: Reached) -> None:
    name = Name(group[0].first, group[-1].batch)
    batches = [batch for manifest in group for batch in lake.batches(manifest.name)]
    reached("before the files", name.last)
    datasets = sorted({file.dataset for manifest in group for file in manifest.files})
    made = [file for d in datasets for file in _dataset(lake, d, group, name, sizes, reached)]
    reached("before the batches", name.last)
    files.replace(lake.folder / "manifest" / name.batches, kept(batches))
    reached("before the manifest", name.last)
    lake.publish(whole(group, made))
    reached("after the manifest", name.last)


def _dataset(
    lake: Lake, dataset: Dataset, group: Sequence[Manifest], name: Name, sizes: Sizes, reached: Reached
) -> Iterator[File]:
    """One dataset's files in (batch, file) order, anew wherever the schema's folder changes."""
    listed = (file for manifest in group for file in manifest.files if file.dataset == dataset)
    for schema, found in groupby(listed, lambda file: PurePosixPath(file.path).parts[1]):
        folder = lake.folder / dataset / schema / f"batch_id={name.span}"
        yield from _rolled(lake, folder, dataset, tuple(found), sizes, name, reached)


def _rolled(
    lake: Lake,
    folder: Path,
    dataset: Dataset,
    sources: Sequence[File],
    sizes: Sizes,
    name: Name,
    reached: Reached,
) -> Iterator[File]:
    """A file that is full is followed by another one, unless what is left would make a small one."""
    left, out = sum(file.rows for file in sources), None
    for table in _row_groups(lake, sources):
        if out is not None and not out.schema.equals(table.schema, check_metadata=True):
            yield out.close(lake, dataset)  # files of before units were written down stay without
            out = None
        out = out or _Open(folder, table.schema)
        out.write(table)
        reached("mid-file", name.last)
        left -= len(table)
        if out.bytes >= sizes.file and left * out.bytes >= sizes.least * out.rows:
            yield out.close(lake, dataset)
            out = None
    if out is not None:
        yield out.close(lake, dataset)


def _row_groups(lake: Lake, sources: Sequence[File]) -> Iterator[pa.Table]:
    """The files' rows in order, in tables of about ROWS, each of one schema to the last unit.

    Raises BadArtifact on a file that has other columns than those before it in the schema's folder.
    """
    held, rows = list[pa.Table](), 0
    schema: pa.Schema | None = None
    for file in sources:
        for table in _proved(lake, file):
            schema = schema or table.schema
            if not schema.equals(table.schema):
                raise BadArtifact(f"{lake.path(file)}: columns", table.schema, f"{schema}", RESTORE)
            if held and (rows >= ROWS or not held[-1].schema.equals(table.schema, check_metadata=True)):
                yield pa.concat_tables(held)
                held, rows = [], 0
            held.append(table)
            rows += len(table)
    if rows:
        yield pa.concat_tables(held)


def _proved(lake: Lake, file: File) -> Iterator[pa.Table]:
    """A file's row groups. Raises BadArtifact where it is not what its manifest lists."""
    path = lake.checked(file)
    with intact(path):
        data = path.read_bytes()
        if (found := hashlib.sha256(data).hexdigest()) != file.sha256:
            raise BadArtifact(str(path), found, f"the hash that its manifest lists, {file.sha256}", RESTORE)
        with pq.ParquetFile(pa.BufferReader(data)) as parquet:
            if (rows := parquet.metadata.num_rows) != file.rows:
                raise BadArtifact(str(path), f"{rows} rows", f"the {file.rows} its manifest lists", RESTORE)
            yield from (parquet.read_row_group(n) for n in range(parquet.num_row_groups))


class _Open:
    """A Parquet file that is being written."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        files.make_folder(folder)
        self.schema, self.rows = schema, 0
        self._path = folder / f"{uuid4().hex}.parquet"
        self._out = pa.OSFile(str(self._path), "wb")
        self._writer = pq.ParquetWriter(self._out, schema, compression="zstd")

    @property
    def bytes(self) -> int:
        """Written so far."""
        return int(self._out.tell())

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)
        self.rows += len(table)

    def close(self, lake: Lake, dataset: Dataset) -> File:
        self._writer.close()
        self._out.close()
        return rewriting.written(lake, self._path, dataset, self.rows)
