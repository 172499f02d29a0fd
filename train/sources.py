"""The lake's files as a window may read them: listed by a manifest, unaltered, of the contract's schema.

Refuses before Spark is even started: given a schema, Spark reads a missing column as nulls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from hotpath.contract.model import Contract
from hotpath.contract.parts import Events, Labels
from hotpath.errors import BadArtifact
from hotpath.lake import Dataset, File, Lake, Manifest
from hotpath.lake import schema as lake_schema

RESTORE = "restore the file from a copy of the lake"
SPARK_TYPES: dict[pa.DataType, T.DataType] = {
    pa.string(): T.StringType(),
    pa.bool_(): T.BooleanType(),
    pa.int32(): T.IntegerType(),
    pa.int64(): T.LongType(),
    pa.float64(): T.DoubleType(),
    pa.timestamp("us", tz="UTC"): T.TimestampType(),
}


@dataclass(frozen=True)
class Held:
    """What a lake held when it was looked at: proved files, the batches published, files in no manifest."""

    events: tuple[str, ...]
    labels: tuple[str, ...]
    batches: tuple[int, ...]
    unlisted: int


def held(lake: Lake, contract: Contract) -> Held:
    """What the lake holds just now. Raises BadArtifact naming the first file that must not be read."""
    manifests = lake.manifests()
    return Held(
        checked(lake, manifests, "events", _schema(contract.events)),
        checked(lake, manifests, "labels", _schema(contract.labels)),
        tuple(m.batch for m in manifests),
        len(lake.unlisted()),
    )


def table(session: SparkSession, paths: Sequence[str], source: Events | Labels) -> DataFrame:
    """Files of one dataset: the contract's fields and the lake's place columns; empty where there is none."""
    columns = T.StructType([T.StructField(c.name, SPARK_TYPES[c.type]) for c in _schema(source)])
    return session.read.schema(columns).parquet(*paths) if paths else session.createDataFrame([], columns)


def _schema(source: Events | Labels) -> pa.Schema:
    return lake_schema([(f.name, f.type) for f in source.fields])


def checked(
    lake: Lake, manifests: Sequence[Manifest], dataset: Dataset, schema: pa.Schema
) -> tuple[str, ...]:
    """Paths of the dataset's files in these manifests. Raises BadArtifact naming the first bad file."""
    listed = [file for manifest in manifests for file in manifest.files if file.dataset == dataset]
    paths = lake.paths(dataset, manifests)
    for file, path in zip(listed, paths, strict=True):
        _check_bytes(path, file)
        _check_schema(path, schema)
    return tuple(str(path) for path in paths)


def _check_bytes(path: Path, file: File) -> None:
    with path.open("rb") as data:
        found = hashlib.file_digest(data, "sha256").hexdigest()
    if found != file.sha256:
        raise BadArtifact(str(path), found, f"the hash that its manifest lists, {file.sha256}", RESTORE)


def _check_schema(path: Path, schema: pa.Schema) -> None:
    try:
        found = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error
    for column in schema:
        kind = found.field(column.name).type if column.name in found.names else "no such column"
        if kind != column.type:
            raise BadArtifact(f"{path}: column {column.name}", str(kind), str(column.type), RESTORE)
