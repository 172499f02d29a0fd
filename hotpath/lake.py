"""The lake: Parquet files, and the manifests that make them count.

`lake/PIPELINE/DATASET/schema=HASH/batch_id=N/*.parquet`; `lake/PIPELINE/manifest/N.json` lists the
files of all datasets of batch N and is published by an operation that fails where it exists. Whoever writes
a batch's files anew publishes `N.rR.json`, its revision R, whose files are in `batch_id=N/revision=R/`: the
newest revision is the one that counts. A manifest is never removed. A reader trusts only what manifests list,
and reads again where a newer revision has taken a file away meanwhile. Knows nothing of Spark or Kafka.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeVar, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.files import create

T = TypeVar("T")
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
    "duration": pa.int64(),
    "array of string": pa.list_(pa.string()),
    "array of long": pa.list_(pa.int64()),
    "array of double": pa.list_(pa.float64()),
}
"""A contract's types as the lake stores them; durations in µs."""
UNIT = b"unit"
"""A column's metadata that holds its unit (empty: none)."""
_MANIFEST = re.compile(r"([0-9]+)(?:\.r([0-9]+))?")


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
    revision: int = 0

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
        if not create(self._manifest_path(manifest.batch, manifest.revision), manifest.to_bytes()):
            raise BadArtifact(
                f"manifest {manifest.batch}",
                "published already",
                "one writer a lake",
                "stop the other one",
            )

    def manifest(self, batch: int) -> Manifest | None:
        """The newest revision of one batch's manifest, or None where it is not published."""
        if not self._manifest_path(batch, 0).exists():
            return None
        # Revisions are consecutive and none is removed, so that no folder need be listed to find the newest.
        newest = 0
        while self._manifest_path(batch, newest + 1).exists():
            newest += 1
        return self._manifest(batch, newest)

    def manifests(self) -> tuple[Manifest, ...]:
        """Every published batch as its newest revision has it, oldest first."""
        return tuple(self._manifest(batch, max(found)) for batch, found in sorted(self._published().items()))

    def superseded(self) -> tuple[Manifest, ...]:
        """Every manifest that a newer revision of its batch has put out of force."""
        published = sorted(self._published().items())
        return tuple(self._manifest(batch, r) for batch, found in published for r in sorted(found)[:-1])

    def newest(self) -> int | None:
        """The newest published batch; names only, no manifest is read."""
        return max(self._published(), default=None)

    def paths(self, dataset: Dataset, manifests: Sequence[Manifest] | None = None) -> tuple[Path, ...]:
        """The files that count, oldest batch first. Raises BadArtifact on one that is absent or cut."""
        return self.current(lambda listed: self._paths(dataset, listed), manifests)

    def current(
        self, reading: Callable[[Sequence[Manifest]], T], manifests: Sequence[Manifest] | None = None
    ) -> T:
        """What `reading` makes of these manifests, or of all. Where it raises BadArtifact and a batch has a
        newer revision by now, it reads again: its file was taken away, not lost.
        """
        listed = tuple(self.manifests() if manifests is None else manifests)
        while True:
            try:
                return reading(listed)
            except BadArtifact:
                renewed = tuple(self.manifest(m.batch) or m for m in listed)
                if renewed == listed:
                    raise
                listed = renewed

    def read(
        self,
        dataset: Dataset,
        columns: Sequence[str] | None = None,
        manifests: Sequence[Manifest] | None = None,
        optional: Sequence[str] = (),
    ) -> pa.Table:
        """The dataset (of these manifests, or whole) as one table, empty and without columns where there is
        nothing. A column of `optional` is null where a file of older times lacks it. Raises BadArtifact on a
        file that does not read.
        """
        wanted = None if columns is None else [*columns, *optional]

        def reading(listed: Sequence[Manifest]) -> pa.Table:
            tables = [_table(path, wanted, optional) for path in self._paths(dataset, listed)]
            return pa.concat_tables(tables, promote_options="default") if tables else pa.table({})

        return self.current(reading, manifests)

    def read_known(
        self,
        dataset: Dataset,
        columns: Sequence[str],
        manifests: Sequence[Manifest],
        types: Mapping[str, pa.DataType] | None = None,
    ) -> pa.Table:
        """Like `read`, but a file of an older contract is passed over: one that lacks one of these columns,
        or has it in another type than `types` says.
        """

        def reading(listed: Sequence[Manifest]) -> pa.Table:
            found = (_known(path, list(columns), types or {}) for path in self._paths(dataset, listed))
            tables = [table for table in found if table is not None]
            return pa.concat_tables(tables) if tables else pa.table({})

        return self.current(reading, manifests)

    def checked(self, file: File) -> Path:
        """Where a file lies. Raises BadArtifact where it is absent or cut."""
        path = self.folder / file.path
        found = path.stat().st_size if path.exists() else None
        if found != file.bytes:
            raise BadArtifact(str(path), found, f"the {file.bytes} bytes its manifest lists")
        return path

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

    def _published(self) -> dict[int, list[int]]:
        """Revisions of each batch."""
        found: dict[int, list[int]] = {}
        for path in (self.folder / "manifest").glob("[0-9]*.json"):
            if name := _MANIFEST.fullmatch(path.stem):
                found.setdefault(int(name[1]), []).append(int(name[2] or 0))
        return found

    def _manifest(self, batch: int, revision: int) -> Manifest:
        path = self._manifest_path(batch, revision)
        return Manifest.from_bytes(path.read_bytes(), str(path))

    def _manifest_path(self, batch: int, revision: int) -> Path:
        return self.folder / "manifest" / (f"{batch}.r{revision}.json" if revision else f"{batch}.json")

    def _paths(self, dataset: Dataset, listed: Sequence[Manifest]) -> tuple[Path, ...]:
        return tuple(self.checked(f) for m in listed for f in m.files if f.dataset == dataset)


def _table(path: Path, columns: list[str] | None, optional: Sequence[str] = ()) -> pa.Table:
    try:
        if not optional:
            return pq.read_table(path, columns=columns, partitioning=None)
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow.names
            missing = [name for name in optional if name not in there]
            table = file.read([name for name in columns or there if name not in missing])
            for name in missing:
                table = table.append_column(name, pa.nulls(len(table)))
            return table.select(columns or table.column_names)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file") from error


def _known(path: Path, columns: list[str], types: Mapping[str, pa.DataType]) -> pa.Table | None:
    try:
        with pq.ParquetFile(path) as file:
            there = file.schema_arrow
            known = set(columns) <= set(there.names)
            known = known and all(
                there.field(name).type == types.get(name, there.field(name).type) for name in columns
            )
            return file.read(columns).select(columns) if known else None
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error


def _offsets(raw: Mapping[str, Mapping[str, int]]) -> Offsets:
    return {topic: {int(p): o for p, o in parts.items()} for topic, parts in raw.items()}


def schema(types: Iterable[tuple[str, str]], units: Mapping[str, str | None] | None = None) -> pa.Schema:
    """Arrow schema of a decoded dataset: (field, contract type) pairs, then the place columns.

    `units`, by field, go along as metadata: a file tells what its numbers measure when its contract is gone.
    """
    said = {} if units is None else {name: {UNIT: (unit or "").encode()} for name, unit in units.items()}
    fields = [pa.field(name, ARROW_TYPES[kind], metadata=said.get(name)) for name, kind in types]
    return pa.schema([*fields, *(pa.field(name, kind) for name, kind in PLACE)])
