"""Erases an entity from a lake: its rows are left out of new files, then the files that held them are gone.

For each batch that holds any: new files (`batch_id=N/revision=R/`), then the next revision of its
manifest, which puts them in force in one step, then the old files are removed. What a compaction has put
out of force is removed before, whatever its time: it holds the entity too. Killed at any point, a repeat
finishes: files that no manifest lists yet are swept and made anew, files that a revision has put out of force
are removed. The place of an erased record stays accounted for in the counts (`forgotten`,
and `forgotten.DATASET`), so that law 1 can be held against the topics still. A manifest names no entity,
so that it need not be forgotten.

Two may not rewrite one lake at a time; the stream job may go on landing meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hotpath import files, rewriting
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, BadInput
from hotpath.forget_rows import columns, theirs
from hotpath.lake import RESTORE, Dataset, File, Lake, Manifest
from hotpath.lake_files import intact
from hotpath.rewriting import Reached, nothing

POINTS = ("before the files", "before the manifest", "before the removal", "after the removal")


@dataclass(frozen=True)
class Forgotten:
    """What was erased: `rows` by dataset, `rewritten` files that held them, in the batches up to `batch`
    (None: there was none); one that landed meanwhile was not searched.

    `leftovers`: files that were in force no longer, or never, of an attempt that was cut short or of before a
    compaction; removed now.
    """

    rows: Mapping[Dataset, int]
    rewritten: int
    leftovers: int
    batch: int | None

    @property
    def nothing(self) -> bool:
        """Whether the lake knew nothing of the entity."""
        return not self.rows and not self.leftovers


def forget(
    lake: Lake, contract: Contract, entity: str, reached: Reached = nothing, patience_s: float = 0.0
) -> Forgotten:
    """Erase `entity` from every batch that is published by now.

    Raises BadInput on no entity at all, BadConfig where another process rewrites this lake still after
    `patience_s` (real); BadArtifact where the lake has lost something, before anything is erased, and on a
    file that does not read, which says what was erased before it.
    """
    if not entity:
        raise BadInput("entity", entity, "a text that is not empty")
    with rewriting.hold(lake, patience_s):
        leftovers = rewriting.remove_unborn(lake) + rewriting.remove_superseded(lake)
        rows: Counter[Dataset] = Counter()
        rewritten = 0
        manifests = lake.manifests()
        for manifest in manifests:
            try:
                hit = [file for file in manifest.files if _count(lake, contract, file, entity)]
                if hit:
                    rows.update(_rewrite(lake, contract, manifest, hit, entity, reached))
                    rewritten += len(hit)
            except BadArtifact as error:
                raise _stopped(error, manifest, rows) from error
        return Forgotten(dict(rows), rewritten, leftovers, max((m.batch for m in manifests), default=None))


def _stopped(error: BadArtifact, at: Manifest, rows: Mapping[Dataset, int]) -> BadArtifact:
    """The same error, with how far it got: what was erased before it stays erased."""
    erased = ", ".join(f"{count} {dataset}" for dataset, count in sorted(rows.items())) or "nothing"
    far = f"erased so far: {erased}, in the batches before {at.first}; what is in later ones is there still"
    return BadArtifact(error.thing, error.value, error.expected, f"{RESTORE} and forget again ({far})")


def _rewrite(
    lake: Lake, contract: Contract, manifest: Manifest, hit: list[File], entity: str, reached: Reached
) -> Counter[Dataset]:
    """The batch's next revision, in force, and the files it replaces gone; the rows that were left out."""
    batch, revision = manifest.batch, manifest.revision + 1
    reached("before the files", batch)
    rows: Counter[Dataset] = Counter()
    counts = Counter(manifest.counts)
    kept: list[File] = []
    for file in manifest.files:
        if file not in hit:
            kept.append(file)
            continue
        stays, gone = _without(lake, contract, file, revision, entity)
        rows[file.dataset] += len(gone)
        _account(counts, contract, file.dataset, gone)
        kept += [] if stays is None else [stays]
    reached("before the manifest", batch)
    lake.publish(replace(manifest, files=tuple(kept), counts=dict(counts), revision=revision))
    reached("before the removal", batch)
    for file in hit:
        lake.path(file).unlink(missing_ok=True)
    reached("after the removal", batch)
    return rows


def _account(counts: Counter[str], contract: Contract, dataset: Dataset, gone: pa.Table) -> None:
    counts[dataset] -= len(gone)
    counts["forgotten"] += len(gone)
    if dataset != "rejected":
        counts[f"forgotten.{dataset}"] += len(gone)
        return
    known = {source.topic: name for name, source in contract.sources.items()}
    for topic in gone["topic"].to_pylist():
        should = known.get(topic, "scores")
        counts[f"rejected.{should}"] -= 1
        counts[f"forgotten.{should}"] += 1


def _count(lake: Lake, contract: Contract, file: File, entity: str) -> int:
    """Rows of the entity in a file, of which only the columns that tell are read."""
    path = lake.checked(file)
    with intact(path), pq.ParquetFile(path) as found:
        table = found.read(list(columns(contract, file.dataset, found.schema_arrow)))
    return int(pc.sum(theirs(table, entity)).as_py() or 0)


def _without(
    lake: Lake, contract: Contract, file: File, revision: int, entity: str
) -> tuple[File | None, pa.Table]:
    """A file of the rows that stay (None: there are none), durable, and those that go; by row groups, for a
    range's file is large.
    """
    folder = lake.path(file).parent
    folder = folder.parent if folder.name.startswith("revision=") else folder
    path = folder / f"revision={revision}" / f"{uuid4().hex}.parquet"
    out, gone, left = None, list[pa.Table](), 0
    with pq.ParquetFile(lake.checked(file)) as found:
        for number in range(found.num_row_groups):
            with intact(lake.path(file)):
                table = found.read_row_group(number)
            mask = theirs(table.select(columns(contract, file.dataset, table.schema)), entity)
            gone.append(table.filter(mask))
            stays = table.filter(pc.invert(mask))
            if len(stays):
                files.make_folder(path.parent)
                out = out or pq.ParquetWriter(path, stays.schema, compression="zstd")
                out.write_table(stays)
                left += len(stays)
    if out is not None:
        out.close()
    there = None if out is None else rewriting.written(lake, path, file.dataset, left)
    return there, pa.concat_tables(gone)
