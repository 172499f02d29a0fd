"""Erases an entity from a lake: its rows are left out of new files, then the files that held them are gone.

For each batch that holds any: new files (`batch_id=N/revision=R/`), then the next revision of its
manifest, which puts them in force in one step, then the old files are removed. Killed at any point, a
repeat finishes: files that no manifest lists yet are swept and made anew, files that a revision has put
out of force are removed. The place of an erased record stays accounted for in the counts (`forgotten`,
and `forgotten.DATASET`), so that law 1 can be held against the topics still. A manifest names no entity,
so that it need not be forgotten.

Two may not rewrite one lake at a time; the stream job may go on landing meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hotpath import files
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, BadInput
from hotpath.forget_rows import columns, theirs
from hotpath.lake import DATASETS, RESTORE, Dataset, File, Lake, Manifest

Reached = Callable[[str, int], None]
"""Told when a named point of a batch is reached; the tests' kill switch."""
POINTS = ("before the files", "before the manifest", "before the removal", "after the removal")


@dataclass(frozen=True)
class Forgotten:
    """What was erased: `rows` by dataset, `rewritten` files that held them, in the batches up to `batch`
    (None: there was none); one that landed meanwhile was not searched.

    `leftovers`: files of an earlier attempt that was cut short, removed now.
    """

    rows: Mapping[Dataset, int]
    rewritten: int
    leftovers: int
    batch: int | None

    @property
    def nothing(self) -> bool:
        """Whether the lake knew nothing of the entity."""
        return not self.rows and not self.leftovers


def nothing(point: str, batch: int) -> None:
    """The `Reached` of a run that nobody kills."""


def forget(lake: Lake, contract: Contract, entity: str, reached: Reached = nothing) -> Forgotten:
    """Erase `entity` from every batch that is published by now.

    Raises BadInput on no entity at all, BadArtifact on a file that does not read, BadConfig where another
    process rewrites this lake.
    """
    if not entity:
        raise BadInput("entity", entity, "a text that is not empty")
    with files.hold(lake.folder / "rewrite.lock", "rewriting of a lake"):
        leftovers = _sweep(lake)
        rows: Counter[Dataset] = Counter()
        rewritten = 0
        manifests = lake.manifests()
        for manifest in manifests:
            hit = [file for file in manifest.files if _count(lake, contract, file, entity)]
            if hit:
                rewritten += len(hit)
                rows.update(_rewrite(lake, contract, manifest, hit, entity, reached))
        return Forgotten(dict(rows), rewritten, leftovers, max((m.batch for m in manifests), default=None))


def _rewrite(
    lake: Lake, contract: Contract, manifest: Manifest, hit: list[File], entity: str, reached: Reached
) -> Counter[Dataset]:
    """The batch's next revision, in force, and the files it replaces gone; the rows that were left out."""
    batch, revision = manifest.batch, manifest.revision + 1
    reached("before the files", batch)
    rows: Counter[Dataset] = Counter()
    counts = Counter(manifest.counts)
    kept = [file for file in manifest.files if file not in hit]
    for file in hit:
        table = _read(lake, file)
        mask = theirs(table.select(columns(contract, file.dataset, table.schema)), entity)
        gone = table.filter(mask)
        rows[file.dataset] += len(gone)
        _account(counts, contract, file.dataset, gone)
        if len(gone) < len(table):
            kept.append(_written(lake, file, batch, revision, table.filter(pc.invert(mask))))
    reached("before the manifest", batch)
    files_now = tuple(sorted(kept, key=lambda f: f.path))
    lake.publish(replace(manifest, files=files_now, counts=dict(counts), revision=revision))
    reached("before the removal", batch)
    for file in hit:
        (lake.folder / file.path).unlink(missing_ok=True)
    reached("after the removal", batch)
    return rows


def _account(counts: Counter[str], contract: Contract, dataset: Dataset, gone: pa.Table) -> None:
    counts[dataset] -= len(gone)
    counts["forgotten"] += len(gone)
    if dataset != "rejected":
        counts[f"forgotten.{dataset}"] += len(gone)
        return
    known = {contract.events.topic: "events", contract.labels.topic: "labels"}
    for topic in gone["topic"].to_pylist():
        should = known.get(topic, "scores")
        counts[f"rejected.{should}"] -= 1
        counts[f"forgotten.{should}"] += 1


def _sweep(lake: Lake) -> int:
    """Remove what an attempt left that was cut short: files of a revision that was never in force, and files
    that one which is has replaced. What the stream job is just writing is neither.
    """
    listed = {file.path for manifest in lake.manifests() for file in manifest.files}
    replaced = {file.path for manifest in lake.superseded() for file in manifest.files}
    unborn = {
        str(path.relative_to(lake.folder))
        for dataset in DATASETS
        for path in (lake.folder / dataset).glob("*/batch_id=*/revision=*/*.parquet")
    }
    stale = [lake.folder / path for path in (replaced | unborn) - listed]
    found = [path for path in stale if path.exists()]
    for path in found:
        path.unlink()
    return len(found)


def _count(lake: Lake, contract: Contract, file: File, entity: str) -> int:
    """Rows of the entity in a file, of which only the columns that tell are read."""
    path = lake.checked(file)
    try:
        with pq.ParquetFile(path) as found:
            table = found.read(list(columns(contract, file.dataset, found.schema_arrow)))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadArtifact(str(path), str(error), "a whole Parquet file", RESTORE) from error
    return int(pc.sum(theirs(table, entity)).as_py() or 0)


def _read(lake: Lake, file: File) -> pa.Table:
    with pq.ParquetFile(lake.checked(file)) as found:
        return found.read()


def _written(lake: Lake, file: File, batch: int, revision: int, table: pa.Table) -> File:
    """The rows that stay, durable before they are described."""
    folder = lake.folder / Path(*Path(file.path).parts[:2]) / f"batch_id={batch}" / f"revision={revision}"
    path = folder / f"{uuid4().hex}.parquet"
    files.make_folder(folder)
    pq.write_table(table, path, compression="zstd")
    files.sync(path)
    files.sync(folder)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return File(str(path.relative_to(lake.folder)), file.dataset, len(table), len(data), digest)
