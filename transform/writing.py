"""What runs in a Spark worker: decode a partition of Kafka records and write its Parquet files.

Python and pyarrow rather than Spark's writer: one pass gives every dataset of the batch, the decoder is
the very one that tests and the scorer use, and the file's size and hash are known when it is closed.
File names begin with the attempt, so that a retry or a zombie never touches a file that a manifest lists.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.files import make_folder, sync
from hotpath.lake import PLACE, Dataset, File
from transform.arrival import Arrivals
from transform.decoding import Decoding
from transform.streams import streams

Reached = Callable[[str, int], None]
"""Told when a named point of a batch is reached; the tests' kill switch."""

WRITTEN = "path string, dataset string, rows long, bytes long, sha256 string, counts map<string,long>"
"""What a worker answers: a row a file, and one row with an empty path that carries the counts."""

_WRITTEN = pa.schema(
    [
        ("path", pa.string()),
        ("dataset", pa.string()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("counts", pa.map_(pa.string(), pa.int64())),
    ]
)


_PLACES = frozenset(name for name, _ in PLACE) - {"offset"}
"""Columns that repeat themselves, beside texts. Numbers do not: a dictionary of them costs time and bytes."""


def nothing(point: str, batch: int) -> None:
    """The `Reached` of a job that nobody kills."""


@dataclass(frozen=True)
class Writing:
    """All a worker must know to write its share of batch `batch` (travels pickled)."""

    folder: Path
    contract: Contract
    arrivals: Arrivals
    batch: int
    attempt: str
    landed_at: Micros
    reached: Reached = nothing

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Spark's mapInArrow: Kafka records in, a description of the files out."""
        decoding = Decoding(streams(self.contract), self.arrivals, self.landed_at)
        files: dict[tuple[Dataset, str], _Open] = {}
        counts: Counter[str] = Counter()
        for batch in batches:
            landed = decoding.land(batch)
            counts.update(landed.counts)
            for name, table in landed.tables.items():
                if name not in files:
                    files[name] = _Open(self.folder, *name, self.batch, self.attempt, table.schema)
                files[name].write(table)
                self.reached("mid-file", self.batch)
        done = [file.close() for file in files.values()]
        yield _answer(done, counts)


class _Open:
    """A Parquet file that is being written."""

    def __init__(
        self, folder: Path, dataset: Dataset, fingerprint: str, batch: int, attempt: str, schema: pa.Schema
    ) -> None:
        self._folder, self._dataset, self._rows = folder, dataset, 0
        batches = folder / dataset / f"schema={fingerprint}"
        self._path = batches / f"batch_id={batch}" / f"{attempt}-{uuid4().hex}.parquet"
        make_folder(self._path.parent)
        repeated = [f.name for f in schema if f.type == pa.string() or f.name in _PLACES]
        self._writer = pq.ParquetWriter(self._path, schema, compression="zstd", use_dictionary=repeated)

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)
        self._rows += table.num_rows

    def close(self) -> File:
        """Durable before it is described: a manifest must never list what a power cut could take."""
        self._writer.close()
        sync(self._path)
        sync(self._path.parent)
        with self._path.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            size = written.tell()
        return File(str(self._path.relative_to(self._folder)), self._dataset, self._rows, size, digest)


def _answer(files: list[File], counts: Counter[str]) -> pa.RecordBatch:
    rows = [{**vars(f), "counts": []} for f in files]
    rows.append(
        {"path": "", "dataset": "", "rows": 0, "bytes": 0, "sha256": "", "counts": list(counts.items())}
    )
    return pa.RecordBatch.from_pylist(rows, schema=_WRITTEN)
