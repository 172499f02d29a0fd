"""The lake's files as a window may read them: listed by a manifest, unaltered, with the contract's columns.

A file that landed under an older contract may lack columns, or have them in another type or unit: there they
are what an absent value is, the field's default or null (of a further stream null wherever there is no
default). Anything else is refused before Spark is started: given a schema, Spark reads a missing column as
nulls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from hotpath.contract.checks import default
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Source, Stream
from hotpath.contract.types import Type
from hotpath.errors import BadArtifact
from hotpath.lake import UNIT, File, Lake, Manifest, same
from hotpath.lake import schema as lake_schema
from hotpath.lake_files import intact

RESTORE = "restore the file from a copy of the lake"
FILL = "give the field a default or make it nullable: this file landed before the field was as it is"
SPARK_TYPES: dict[pa.DataType, T.DataType] = {
    pa.string(): T.StringType(),
    pa.bool_(): T.BooleanType(),
    pa.int32(): T.IntegerType(),
    pa.int64(): T.LongType(),
    pa.float64(): T.DoubleType(),
    pa.timestamp("us", tz="UTC"): T.TimestampType(),
    pa.list_(pa.string()): T.ArrayType(T.StringType()),
    pa.list_(pa.int64()): T.ArrayType(T.LongType()),
    pa.list_(pa.float64()): T.ArrayType(T.DoubleType()),
}


@dataclass(frozen=True)
class Files:
    """Files of one dataset that lack the same columns (names, sorted)."""

    paths: tuple[str, ...]
    absent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """What a lake held when it was looked at: proved files, the batches published (N, or "A-B" of a
    range), files in no manifest.

    `streams`: those of each further stream, by its name. `hashes`: SHA-256 of every file, by its path in the
    pipeline's folder of the lake; `bytes`: of all of them.
    """

    events: tuple[Files, ...]
    labels: tuple[Files, ...]
    batches: tuple[int | str, ...]
    unlisted: int
    streams: Mapping[str, tuple[Files, ...]]
    hashes: Mapping[str, str]
    bytes: int

    @property
    def files(self) -> Mapping[str, tuple[Files, ...]]:
        """The files of each source of the contract, by its name."""
        return {"events": self.events, "labels": self.labels, **self.streams}


def held(lake: Lake, contract: Contract) -> Held:
    """What the lake holds just now. Raises BadArtifact naming the first file that must not be read."""
    return lake.current(lambda manifests: _held(lake, contract, manifests))


def table(session: SparkSession, files: Sequence[Files], source: Source) -> DataFrame:
    """Files of one dataset: the contract's fields and the lake's place columns; empty where there is none."""
    columns = T.StructType([T.StructField(c.name, SPARK_TYPES[c.type]) for c in _schema(source)])
    tables = [_filled(session, group, source, columns) for group in files]
    whole = tables[0] if tables else session.createDataFrame([], columns)
    for further in tables[1:]:
        whole = whole.union(further)
    return whole


def _filled(session: SparkSession, files: Files, source: Source, columns: T.StructType) -> DataFrame:
    there = T.StructType([column for column in columns if column.name not in files.absent])
    found = session.read.schema(there).parquet(*files.paths)
    if not files.absent:
        return found
    fields = {f.name: f for f in source.fields}
    return found.select(
        *(
            (_absent(fields[c.name], c.dataType) if c.name in files.absent else F.col(f"`{c.name}`")).alias(
                c.name
            )
            for c in columns
        )
    )


def _absent(field: Field, kind: T.DataType) -> Column:
    value = default(field)
    if field.type == Type.TIMESTAMP and value is not None:
        return F.timestamp_micros(F.lit(value))
    return F.lit(value).cast(kind)


def _held(lake: Lake, contract: Contract, manifests: Sequence[Manifest]) -> Held:
    read = [f for m in manifests for f in m.files if f.dataset in contract.sources]
    return Held(
        _proved(lake, manifests, "events", contract.events),
        _proved(lake, manifests, "labels", contract.labels),
        tuple(m.batch if m.alone else m.name.span for m in manifests),
        len(lake.unlisted()),
        {s.name: _proved(lake, manifests, s.name, s) for s in contract.streams},
        {f.path: f.sha256 for f in read},
        sum(f.bytes for f in read),
    )


def _schema(source: Source) -> pa.Schema:
    return lake_schema([(f.name, f.type) for f in source.fields], {f.name: f.unit for f in source.fields})


def _proved(lake: Lake, manifests: Sequence[Manifest], dataset: str, source: Source) -> tuple[Files, ...]:
    """The dataset's files in these manifests, oldest first. Raises BadArtifact naming the first bad one."""
    groups: dict[tuple[str, ...], list[str]] = {}
    columns, fields = _schema(source), {f.name: f for f in source.fields}
    if isinstance(source, Stream):  # no row is made of it, and what lacks key or value is in no tile
        fields = {name: replace(f, nullable=True) for name, f in fields.items()}
    for file in (f for m in manifests for f in m.files if f.dataset == dataset):
        path = lake.checked(file)
        _check_bytes(path, file)
        older = f"schema={source.fingerprint[:16]}" not in Path(file.path).parts
        found = _columns(path)
        absent = tuple(c.name for c in columns if _is_absent(path, found, c, fields if older else {}))
        groups.setdefault(absent, []).append(str(path))
    return tuple(Files(tuple(paths), absent) for absent, paths in groups.items())


def _check_bytes(path: Path, file: File) -> None:
    try:
        with path.open("rb") as data:
            found = hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:  # taken away since it was looked at
        raise BadArtifact(str(path), error.strerror, "a file that its manifest lists", RESTORE) from error
    if found != file.sha256:
        raise BadArtifact(str(path), found, f"the hash that its manifest lists, {file.sha256}", RESTORE)


def _columns(path: Path) -> pa.Schema:
    with intact(path):
        return pq.read_schema(path)


def _is_absent(path: Path, found: pa.Schema, column: pa.Field, fields: dict[str, Field]) -> bool:
    """Whether a file lacks a column and may: it is one of `fields`, which an older contract had otherwise."""
    if same(found, column):
        return False
    there = found.field(column.name) if column.name in found.names else None
    field = fields.get(column.name)
    if field is not None and (field.nullable or field.default is not None):
        return True
    said = "no such column" if there is None else f"{there.type} {_unit(there, column)}".strip()
    expected = f"{column.type} {_unit(column, column)}".strip()
    raise BadArtifact(f"{path}: column {column.name}", said, expected, RESTORE if field is None else FILL)


def _unit(there: pa.Field, column: pa.Field) -> str:
    """What a column measures; files of before units were written down are taken at the contract's word."""
    said = {**(column.metadata or {}), **(there.metadata or {})}.get(UNIT, b"")
    return str(said.decode())
