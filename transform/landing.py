"""One micro-batch of the stream into the lake, exactly once (law 1).

Spark may run a batch again after a kill, always with the same offsets. A batch whose manifest is there
is done; any other starts from nothing, in files of its own. The manifest is what makes files count; it is
published last, by an operation that fails where it exists. So of two jobs on one lake, should the lock on the
checkpoint ever fail, one wins each batch whole and the other stops.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pyspark.sql import DataFrame

from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.handoffs import ARRIVED_HEADER
from hotpath.lake import File, Lake, Manifest, Offsets
from transform.arrival import Arrivals
from transform.checkpoint import WAY_BACK, offsets
from transform.writing import WRITTEN, Reached, Writing, nothing

ARRIVED = f"try_element_at(filter(headers, h -> h.key = '{ARRIVED_HEADER}'), -1).value as arrived"
"""The one header that is read, the last of its name, as bytes of its own.

A list of structs in an Arrow batch cost 8 µs a row, half of what Spark itself took: it measures the
whole batch after each row, which takes the longer the more rows are in it.
"""
FILES = 2
"""Files of a dataset in one batch at the most."""


@dataclass(frozen=True)
class Landing:
    """Lands the batches of one pipeline; called by Spark's foreachBatch."""

    lake: Lake
    checkpoint: Path
    contract: Contract
    clock: Clock
    reached: Reached = nothing

    def __call__(self, batch: DataFrame, number: int) -> Manifest | None:
        """The manifest of what was landed now; None where the batch was done before.

        Raises BadArtifact where checkpoint and lake do not belong together.
        """
        start, end = offsets(self.checkpoint, number - 1), offsets(self.checkpoint, number)
        if (done := self._published(number, start, end)) is not None:
            self._sweep(done)
            return None
        self.reached("before the write", number)
        manifest = self._landed(batch, number, start, end)
        self.reached("after the manifest", number)
        self._sweep(manifest)
        return manifest

    def _landed(self, batch: DataFrame, number: int, start: Offsets, end: Offsets) -> Manifest:
        attempt = uuid4().hex
        try:
            files, counts = self._write(batch, number, attempt)
            self.reached("before the manifest", number)
            manifest = Manifest(number, start, end, files, dict(counts), self.clock.now())
            self.lake.publish(manifest)
        except BaseException:
            self._take_back(number, attempt)
            raise
        return manifest

    def _published(self, number: int, start: Offsets, end: Offsets) -> Manifest | None:
        before = self.lake.manifest(number - 1)
        if number > 0 and (before is None or before.end != start):
            found = None if before is None else before.end
            raise BadArtifact(f"end of manifest {number - 1}", found, f"the checkpoint's {start}", WAY_BACK)
        there = self.lake.manifest(number)
        if there is not None and there.end != end:
            raise BadArtifact(f"end of manifest {number}", there.end, f"the checkpoint's {end}", WAY_BACK)
        return there

    def _sweep(self, manifest: Manifest) -> None:
        """Remove what killed attempts at this batch left.

        Only once the manifest is out: before, another attempt's manifest could come to list what is removed.
        """
        if manifest.part:  # in a range by now: swept before, and what the range supersedes is read still
            return
        listed = {self.lake.path(file) for file in manifest.files}
        for path in self.lake.folder.glob(f"*/*/batch_id={manifest.batch}/*.parquet"):
            if path not in listed:
                path.unlink(missing_ok=True)

    def _take_back(self, number: int, attempt: str) -> None:
        """Remove what an attempt wrote that failed: its tries must not fill a disk that is full.

        Not where the manifest is out, though the word of it failed: what it lists is for the sweep to know.
        """
        if self.lake.manifest(number) is None:
            for path in self.lake.folder.glob(f"*/*/batch_id={number}/{attempt}-*.parquet"):
                path.unlink(missing_ok=True)

    def _write(self, batch: DataFrame, number: int, attempt: str) -> tuple[tuple[File, ...], Counter[str]]:
        arrivals, now = Arrivals(self.clock.timeline(), self.lake.imports()), self.clock.now()
        writing = Writing(self.lake.folder, self.contract, arrivals, number, attempt, now, self.reached)
        columns = batch.selectExpr("topic", "partition", "offset", "timestamp", ARRIVED, "value")
        rows = [row.asDict() for row in columns.coalesce(FILES).mapInArrow(writing, WRITTEN).collect()]
        counts: Counter[str] = Counter()
        for row in rows:
            counts.update(row.pop("counts"))
        return tuple(File(**row) for row in rows if row["path"]), counts
