"""One micro-batch of the stream into the lake, exactly once (law 1).

Spark may run a batch again after a kill, always with the same offsets. A batch whose manifest is there
is done; any other starts from nothing, in files of its own. The manifest is what makes files count; it is
published last, by an operation that fails where it exists. So of two jobs on one lake, should the lock on the
checkpoint ever fail, one wins each batch whole and the other stops.
"""

from __future__ import annotations

import json
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

    def __call__(self, batch: DataFrame, number: int) -> Manifest | None:
        """The manifest of what was landed now; None where the batch was done before.

        Raises BadArtifact where checkpoint and lake do not belong together.
        """
        start, end = self._offsets(number - 1), self._offsets(number)
        if (done := self._published(number, start, end)) is not None:
            self._sweep(done)
            return None
        self.reached("before the write", number)
        files, counts = self._write(batch, number)
        self.reached("before the manifest", number)
        manifest = Manifest(number, start, end, files, dict(counts), self.clock.now())
        self.lake.publish(manifest)
        self.reached("after the manifest", number)
        self._sweep(manifest)
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
        listed = {self.lake.folder / file.path for file in manifest.files}
        for dataset in DATASETS:
            for path in (self.lake.folder / dataset).glob(f"*/batch_id={manifest.batch}/*.parquet"):
                if path not in listed:
                    path.unlink(missing_ok=True)

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
        if number < 0:
            return {}
        path = self.checkpoint / "offsets" / str(number)
        try:
            raw = json.loads(path.read_text().splitlines()[2])
            return {topic: {int(p): int(o) for p, o in parts.items()} for topic, parts in raw.items()}
        except (OSError, IndexError, ValueError, AttributeError) as error:
            raise BadArtifact(str(path), str(error), "Spark's offsets of that batch", WAY_BACK) from error
