"""The lake: Parquet files, and the manifests that make them count.

`lake/PIPELINE/DATASET/schema=HASH/batch_id=N/*.parquet`; `lake/PIPELINE/manifest/N.json` lists the
files of all datasets of batch N and is published by an operation that fails where it exists. A reader
trusts only what manifests list. Knows nothing of Spark or Kafka.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.files import create

Dataset = Literal["events", "labels", "scores", "rejected"]
DATASETS: tuple[Dataset, ...] = get_args(Dataset)

Offsets = dict[str, dict[int, int]]
"""Topic to partition to offset."""

RESTORE = "restore it from a copy of the lake"

INSTANT = pa.timestamp("us", tz="UTC")
PLACE: tuple[tuple[str, pa.DataType], ...] = (
    ("topic", pa.string()),
    ("partition", pa.int32()),
    ("offset", pa.int64()),
    ("arrived_at", INSTANT),
    ("landed_at", INSTANT),
    ("imported", pa.bool_()),
)
"""The columns that every dataset ends with: where a record stood, and when it came."""
REJECTED = pa.schema([("reason", pa.string()), ("raw", pa.binary()), *PLACE])
ARROW_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "category": pa.string(),
    "bool": pa.bool_(),
    "long": pa.int64(),
    "double": pa.float64(),
    "timestamp": INSTANT,
}
"""A contract's types as the lake stores them."""


@dataclass(frozen=True)
class File:
    """One Parquet file of a batch; `path` is relative to the pipeline's folder, `bytes` its size."""

    path: str
    dataset: Dataset
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that batch `batch` landed: offsets `start` (inclusive) to `end` (exclusive) of each partition."""

    batch: int
    start: Offsets
    end: Offsets
    files: tuple[File, ...]
    counts: dict[str, int]
    landed_at: Micros

    def to_bytes(self) -> bytes:
        """The manifest file's content."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Manifest:
        """Raises BadArtifact where `data` is no manifest."""
        try:
            raw = json.loads(data)
            files = tuple(File(**f) for f in raw.pop("files"))
            start, end = _offsets(raw.pop("start")), _offsets(raw.pop("end"))
            return cls(files=files, start=start, end=end, **raw)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact(source, data, "a manifest", RESTORE) from error


@dataclass(frozen=True)
class Import:
    """Offsets (first, last; both inclusive, of the cloud's topics) that an import of history filled."""

    id: str
    ranges: dict[str, dict[int, tuple[int, int]]]

    def covers(self, topic: str, partition: int, offset: int) -> bool:
        """Whether a record was brought by this import, so that its header's arrival is believed."""
        first, last = self.ranges.get(topic, {}).get(partition, (0, -1))
        return first <= offset <= last

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Import:
        """Raises BadArtifact where `data` is no record of an import."""
        try:
            raw = json.loads(data)
            ranges = {
                topic: {int(p): (first, last) for p, (first, last) in parts.items()}
                for topic, parts in raw["ranges"].items()
            }
            return cls(raw["id"], ranges)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact(source, data, "an import's record", RESTORE) from error


class Lake:
    """One pipeline's folder of the lake."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self.folder = root / pipeline

    def publish(self, manifest: Manifest) -> None:
        """Make a batch count. Raises BadArtifact where the batch is published already."""
        if not create(self._manifest_path(manifest.batch), manifest.to_bytes()):
            raise BadArtifact(
                f"manifest {manifest.batch}",
                "published already",
                "one writer a lake",
                "stop the other stream job",
            )

    def manifest(self, batch: int) -> Manifest | None:
        """The manifest of one batch, or None where it is not published."""
        path = self._manifest_path(batch)
        try:
            return Manifest.from_bytes(path.read_bytes(), str(path))
        except FileNotFoundError:
            return None

    def manifests(self) -> tuple[Manifest, ...]:
        """Every published batch, oldest first."""
        paths = map(self._manifest_path, sorted(self._published()))
        return tuple(Manifest.from_bytes(p.read_bytes(), str(p)) for p in paths)

    def newest(self) -> int | None:
        """The newest published batch; names only, no manifest is read."""
        return max(self._published(), default=None)

    def paths(self, dataset: Dataset, manifests: Sequence[Manifest] | None = None) -> tuple[Path, ...]:
        """The files that count, oldest batch first. Raises BadArtifact on one that is absent or cut."""
        listed = self.manifests() if manifests is None else manifests
        return tuple(self._checked(f) for m in listed for f in m.files if f.dataset == dataset)

    def read(
        self,
        dataset: Dataset,
        columns: Sequence[str] | None = None,
        manifests: Sequence[Manifest] | None = None,
    ) -> pa.Table:
        """The dataset (of these manifests, or whole) as one table, empty and without columns where there is
        nothing. Raises BadArtifact on a file that does not read.
        """
        wanted = None if columns is None else list(columns)
        tables = [_table(path, wanted) for path in self.paths(dataset, manifests)]
        return pa.concat_tables(tables, promote_options="default") if tables else pa.table({})

    def read_known(self, dataset: Dataset, columns: Sequence[str], manifests: Sequence[Manifest]) -> pa.Table:
        """Like `read`, but a file of an older contract, that has not all of these columns, is passed over."""
        found = (_known(path, list(columns)) for path in self.paths(dataset, manifests))
        tables = [table for table in found if table is not None]
        return pa.concat_tables(tables) if tables else pa.table({})

    def unlisted(self) -> tuple[Path, ...]:
        """Parquet files that no manifest lists: leavings of killed batches, never read."""
        listed = {f.path for m in self.manifests() for f in m.files}
        found = (p for d in DATASETS for p in (self.folder / d).rglob("*.parquet"))
        return tuple(sorted(p for p in found if str(p.relative_to(self.folder)) not in listed))

    def counts(self) -> Counter[str]:
        """Records by dataset over all manifests (and `unknown_fields`, `skipped`: see the stream job)."""
        total: Counter[str] = Counter()
        for manifest in self.manifests():
            total.update(manifest.counts)
        return total

    def record_import(self, done: Import) -> None:
        """Say which offsets an import filled. Raises BadArtifact where that id is recorded already."""
        path = self.folder / "imports" / f"{done.id}.json"
        if not create(path, json.dumps(asdict(done)).encode()):
            raise BadArtifact(f"import {done.id}", "recorded already", "an import that runs once")

    def imports(self) -> tuple[Import, ...]:
        """Every recorded import."""
        paths = sorted((self.folder / "imports").glob("*.json"))
        return tuple(Import.from_bytes(path.read_bytes(), str(path)) for path in paths)

    def _published(self) -> Iterator[int]:
        return (int(path.stem) for path in (self.folder / "manifest").glob("[0-9]*.json"))

    def _manifest_path(self, batch: int) -> Path:
        return self.folder / "manifest" / f"{batch}.json"

    def _checked(self, file: File) -> Path:
        path = self.folder / file.path
        found = path.stat().st_size if path.exists() else None
        if found != file.bytes:
            raise BadArtifact(str(path), found, f"the {file.bytes} bytes its manifest lists")
        return path


def _table(path: Path, columns: list[str] | None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns, partitioning=None)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file") from error


def _known(path: Path, columns: list[str]) -> pa.Table | None:
    try:
        with pq.ParquetFile(path) as file:
            known = set(columns) <= set(file.schema_arrow.names)
            return file.read(columns).select(columns) if known else None
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error


def _offsets(raw: Mapping[str, Mapping[str, int]]) -> Offsets:
    return {topic: {int(p): o for p, o in parts.items()} for topic, parts in raw.items()}


def schema(types: Iterable[tuple[str, str]]) -> pa.Schema:
    """Arrow schema of a decoded dataset: (field, contract type) pairs, then the place columns."""
    return pa.schema([*((name, ARROW_TYPES[kind]) for name, kind in types), *PLACE])
