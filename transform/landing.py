"""One micro-batch of the stream into the lake, exactly once (law 1).

Spark may run a batch again after a kill, always with the same offsets. A batch whose manifest is there
is done; any other starts from nothing. The manifest is what makes files count, and it is published last
by an operation that fails where it exists.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame

from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.lake import DATASETS, File, Lake, Manifest, Offsets
from transform.arrival import Arrivals
from transform.writing import WRITTEN, Reached, Writing, nothing

WAY_BACK = "see docs/operations.md, 'The checkpoint and the lake disagree'"
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

    def __call__(self, batch: DataFrame, number: int) -> None:
        """Raises BadArtifact where checkpoint and lake do not belong together."""
        start, end = self._offsets(number - 1), self._offsets(number)
        if self._done(number, end):
            return
        self.reached("before the write", number)
        self._sweep(number)
        files, counts = self._write(batch, number)
        self.reached("before the manifest", number)
        self.lake.publish(Manifest(number, start, end, files, dict(counts), self.clock.now()))
        self.reached("after the manifest", number)

    def _done(self, number: int, end: Offsets) -> bool:
        there = self.lake.manifest(number)
        if there is not None and there.end != end:
            raise BadArtifact(
                f"checkpoint's batch {number}", end, f"the manifest's end {there.end}", WAY_BACK
            )
        if there is None and number > 0 and self.lake.manifest(number - 1) is None:
            raise BadArtifact(f"manifest {number - 1}", None, "the batch before this one", WAY_BACK)
        return there is not None

    def _sweep(self, number: int) -> None:
        """Remove what a killed attempt at this batch left."""
        for dataset in DATASETS:
            for folder in (self.lake.folder / dataset).glob(f"*/batch_id={number}"):
                shutil.rmtree(folder)

    def _write(self, batch: DataFrame, number: int) -> tuple[tuple[File, ...], Counter[str]]:
        arrivals = Arrivals(self.clock.timeline(), self.lake.imports())
        writing = Writing(self.lake.folder, self.contract, arrivals, number, self.clock.now(), self.reached)
        columns = batch.select("topic", "partition", "offset", "timestamp", "headers", "value")
        rows = [row.asDict() for row in columns.coalesce(FILES).mapInArrow(writing, WRITTEN).collect()]
        counts: Counter[str] = Counter()
        for row in rows:
            counts.update(row.pop("counts"))
        return tuple(File(**row) for row in rows if row["path"]), counts

    def _offsets(self, number: int) -> Offsets:
        """End offsets of a batch, from Spark's write-ahead log (third line of its offset file)."""
        path = self.checkpoint / "offsets" / str(number)
        if number < 0:
            return {}
        try:
            raw = json.loads(path.read_text().splitlines()[2])
            return {topic: {int(p): int(o) for p, o in parts.items()} for topic, parts in raw.items()}
        except (OSError, IndexError, ValueError, AttributeError) as error:
            raise BadArtifact(str(path), str(error), "Spark's offsets of that batch", WAY_BACK) from error
