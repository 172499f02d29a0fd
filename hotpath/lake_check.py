"""Holds a lake against the laws of the hand-off, file by file, hashes included; changes nothing.

Each (topic, partition, offset) once over all datasets: batches and ranges follow each other without a gap,
each begins where the one before ends, and within one no place stands twice or lies beyond its offsets. What
is counted is what is there; files are present, of the size and hash that is listed, readable, and of their
folder's schema. A breach names itself; nothing of a record but its place is said.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hotpath.errors import BadArtifact, shown
from hotpath.lake import UNIT, Dataset, File, Import, Lake, Manifest
from hotpath.lake_files import intact
from hotpath.manifests import NO_RECORDS, NO_ROWS, RETIRED, Name, Offsets, in_force, records

Schemas = Mapping[tuple[Dataset, str], pa.Schema]
"""What files in DATASET/schema=HASH look like, by both."""
Places = dict[tuple[str, int], list[pa.Array]]
"""Offsets by topic and partition."""


@dataclass(frozen=True)
class Breach:
    """A law that does not hold: where, what was found, what was expected."""

    where: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what does not hold. `superseded`: manifests out of force, still there."""

    manifests: int
    files: int
    rows: int
    bytes: int
    unlisted: int
    superseded: int
    breaches: tuple[Breach, ...]


@dataclass
class _Check:
    lake: Lake
    schemas: dict[tuple[Dataset, str], pa.Schema]
    files: int = 0
    rows: int = 0
    bytes: int = 0
    found: list[Breach] = field(default_factory=list)

    def breach(self, where: str, found: object, expected: object) -> None:
        self.found.append(Breach(where, str(found), str(expected)))

    def refused(self, error: BadArtifact) -> None:
        found = error.value if isinstance(error.value, str) else shown(error.value)
        self.breach(error.thing, found, error.expected)


def check(lake: Lake, schemas: Schemas) -> Checked:
    """Every law over all that is in force. Folders that `schemas` has not must be of one schema each.

    Of a lake that is compacted meanwhile what is gone is told as a breach: check it again.
    """
    names = lake.names()
    force = in_force(names)
    done, before, due = _Check(lake, dict(schemas)), None, 0
    for name in force:
        manifest = _manifest(done, name)
        _follows(done, before, name, manifest, due)
        if manifest is not None:
            _batches(done, manifest)
            _landed(done, manifest)
        before, due = manifest, name.last + 1
    _imports(done)
    unlisted = _unlisted(lake)
    if unlisted and not names:
        done.breach(
            str(lake.folder / "manifest"), f"no manifest beside {unlisted} files", "one of each batch"
        )
    return Checked(
        len(force),
        done.files,
        done.rows,
        done.bytes,
        unlisted,
        len(set(names) - set(force)),
        tuple(done.found),
    )


def _unlisted(lake: Lake) -> int:
    try:
        return len(lake.unlisted())
    except (BadArtifact, OSError):  # told already: a manifest that is none lists nothing
        return 0


def _manifest(done: _Check, name: Name) -> Manifest | None:
    try:
        return done.lake.read_manifest(name)
    except BadArtifact as error:
        done.refused(error)
    except OSError as error:
        done.breach(str(error.filename), error.strerror, "a manifest that can be read")
    return None


def _imports(done: _Check) -> None:
    """Each record of an import reads; one that was deleted has left no trace here."""
    for path in sorted((done.lake.folder / "imports").glob("*.json")):
        try:
            found = Import.from_bytes(path.read_bytes(), str(path)).id
            if found != path.stem:
                done.breach(str(path), f"import {found}", "the one of its name")
        except BadArtifact as error:
            done.refused(error)
        except OSError as error:
            done.breach(str(path), error.strerror, "a record that can be read")


def _follows(done: _Check, before: Manifest | None, name: Name, manifest: Manifest | None, due: int) -> None:
    """No batch is missing between two manifests, none is in both, and the offsets go on."""
    where = f"manifest {name.span}"
    if name.first != due:
        done.breach(where, f"first batch {name.first}", f"{due}")
    elif before is not None and manifest is not None and manifest.start != before.end:
        done.breach(f"{where}: start", manifest.start, f"the end of {before.name.span}, {before.end}")


def _batches(done: _Check, manifest: Manifest) -> None:
    """What is kept of a range's batches is the range, piece by piece."""
    if manifest.alone:
        return
    where = f"batches of {manifest.name.span}"
    try:
        batches = done.lake.batches(manifest.name)
    except BadArtifact as error:
        done.refused(error)
        return
    except OSError as error:
        done.breach(str(error.filename), error.strerror, "a record that can be read")
        return
    for one, other in pairwise(batches):
        if one.end != other.start:
            done.breach(
                f"{where}: start of {other.batch}", other.start, f"the end of the one before, {one.end}"
            )
    ends = (batches[0].start, batches[-1].end)
    if ends != (manifest.start, manifest.end):
        done.breach(where, ends, f"the range's, {manifest.start} to {manifest.end}")
    counted = sum(records(batch.counts) for batch in batches)
    if counted != records(manifest.counts):
        done.breach(where, f"{counted} records", f"the range's {records(manifest.counts)}")


def _landed(done: _Check, manifest: Manifest) -> None:
    """The files are what is listed, and their rows what is counted, each in its place and once."""
    rows, places = Counter[str](), Places()
    for file in manifest.files:
        try:
            rows[file.dataset] += _file(done, file, places)
        except BadArtifact as error:
            done.refused(error)
            rows[file.dataset] += file.rows
    _counted(done, manifest, rows)
    for (topic, partition), offsets in places.items():
        _once(done, manifest, topic, partition, pa.concat_arrays(offsets))
    known = sum(_width(manifest.start, manifest.end)) if _begun(manifest) else None
    if known is not None and records(manifest.counts) > known:
        done.breach(
            f"manifest {manifest.name.span}", f"{records(manifest.counts)} records", f"at most {known}"
        )


def _counted(done: _Check, manifest: Manifest, rows: Mapping[str, int]) -> None:
    if RETIRED in manifest.counts:
        if manifest.files:
            done.breach(
                f"manifest {manifest.name.span}", f"{len(manifest.files)} files", "none: it is retired"
            )
        return
    datasets = {n for n in manifest.counts if "." not in n} - NO_RECORDS - NO_ROWS
    for dataset in sorted(datasets | rows.keys()):
        counted = manifest.counts.get(dataset, 0)
        if rows.get(dataset, 0) != counted:
            where = f"manifest {manifest.name.span}: {dataset}"
            done.breach(where, f"{rows.get(dataset, 0)} rows", f"the {counted} it counts")


def _file(done: _Check, file: File, places: Places) -> int:
    """The rows of a file that is what its manifest lists. Raises BadArtifact where it is not."""
    path = done.lake.checked(file)
    with intact(path):
        data = path.read_bytes()
        if (found := hashlib.sha256(data).hexdigest()) != file.sha256:
            raise BadArtifact(str(path), found, f"the hash that its manifest lists, {file.sha256}")
        parquet = pq.ParquetFile(pa.BufferReader(data))
        _schema(done, file, parquet.schema_arrow)
        table = parquet.read(["topic", "partition", "offset"])
    if len(table) != file.rows:
        raise BadArtifact(str(path), f"{len(table)} rows", f"the {file.rows} its manifest lists")
    for topic, partition, offsets in _places(table):
        places.setdefault((topic, partition), []).append(offsets)
    done.files, done.rows, done.bytes = done.files + 1, done.rows + len(table), done.bytes + len(data)
    return len(table)


def _schema(done: _Check, file: File, found: pa.Schema) -> None:
    folder = PurePosixPath(file.path).parts[1].removeprefix("schema=")
    expected = done.schemas.setdefault((file.dataset, folder), found)
    for name in sorted({*expected.names, *found.names}):
        there, due = _shape(found, name), _shape(expected, name)
        # Files of before units were written down have none.
        if there != due and not (there[0] == due[0] and None in (there[1], due[1])):
            raise BadArtifact(f"{done.lake.path(file)}: column {name}", there, f"{due}")


def _shape(schema: pa.Schema, name: str) -> tuple[str, str | None]:
    """A column's type, and its unit where it is said."""
    if name not in schema.names:
        return "no such column", ""
    column = schema.field(name)
    unit = (column.metadata or {}).get(UNIT)
    return str(column.type), None if unit is None else unit.decode()


def _places(table: pa.Table) -> Iterator[tuple[str, int, pa.Array]]:
    pairs = table.group_by(["topic", "partition"]).aggregate([])
    for topic, partition in zip(pairs["topic"].to_pylist(), pairs["partition"].to_pylist(), strict=True):
        mine = pc.and_(pc.equal(table["topic"], topic), pc.equal(table["partition"], partition))
        yield topic, partition, table["offset"].filter(mine).combine_chunks()


def _once(done: _Check, manifest: Manifest, topic: str, partition: int, offsets: pa.Array) -> None:
    """No offset twice, and all of them between the manifest's."""
    where = f"manifest {manifest.name.span}: {topic}/{partition}"
    ordered = offsets.take(pc.array_sort_indices(offsets))
    if (again := len(ordered) - len(pc.unique(ordered))) > 0:
        twice = ordered[1:].filter(pc.equal(ordered[1:], ordered[:-1]))
        done.breach(where, f"{again} offsets more than once, such as {twice[0]}", "each once")
    start = manifest.start.get(topic, {}).get(partition, 0)
    end = manifest.end.get(topic, {}).get(partition, 0)
    if len(ordered) and not start <= ordered[0].as_py() <= ordered[-1].as_py() < end:
        done.breach(where, f"offsets {ordered[0]} to {ordered[-1]}", f"from {start} to before {end}")


def _begun(manifest: Manifest) -> bool:
    """Whether every partition's start is said: that of the very first batch is not."""
    return all(p in manifest.start.get(t, {}) for t, ends in manifest.end.items() for p in ends)


def _width(start: Offsets, end: Offsets) -> Iterator[int]:
    return (o - start[topic][p] for topic, ends in end.items() for p, o in ends.items())
