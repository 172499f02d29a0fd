"""The lake: Parquet files, and the manifests that make them count.

`lake/PIPELINE/DATASET/schema=HASH/batch_id=N/*.parquet`; `lake/PIPELINE/manifest/N.json` lists the
files of all datasets of batch N and is published by an operation that fails where it exists. Whoever writes
a batch's files anew publishes `N.rR.json`, its revision R, whose files are in `batch_id=N/revision=R/`: the
newest revision is the one that counts. A compaction publishes `A-B.json`, whose files are in
`batch_id=A-B/`: from then on the batches A to B count as one (`hotpath.manifests` says what is in force).
What it supersedes is taken away later, oldest first, and the newest batch always stands alone. A reader
trusts only what manifests list, and reads again where a newer one has taken a file away meanwhile. Knows
nothing of Spark or Kafka.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from hotpath import lake_files
from hotpath.errors import BadArtifact, Bug
from hotpath.files import create
from hotpath.imports import Import
from hotpath.lake_columns import ARROW_TYPES, INSTANT, PLACE, REJECTED, UNIT, same, schema
from hotpath.manifests import (
    DATASETS,
    RESTORE,
    Dataset,
    File,
    Manifest,
    Name,
    Offsets,
    batches_of,
    in_force,
    share,
    shares,
)

__all__ = [
    "ARROW_TYPES",
    "DATASETS",
    "INSTANT",
    "PLACE",
    "REJECTED",
    "RESTORE",
    "UNIT",
    "Dataset",
    "File",
    "Import",
    "Lake",
    "Manifest",
    "Offsets",
    "same",
    "schema",
]

T = TypeVar("T")

SHARE_ROWS = 2_000_000
"""Of a range that a follower takes at once: bounds its memory."""
MOST_BATCHES = 50
"""Manifests that a follower is given at once."""


class Lake:
    """One pipeline's folder of the lake."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self.folder = root / pipeline

    def publish(self, manifest: Manifest) -> None:
        """Make a batch, or a range of them, count. Raises BadArtifact where it is published already."""
        if manifest.part:
            raise Bug(f"manifest {manifest.name.span}", "a share of a range", "a manifest of its own files")
        known = manifest.alone and manifest.revision == 0 and self.manifest(manifest.batch) is not None
        if known or not create(self.manifest_path(manifest.name), manifest.to_bytes()):
            raise BadArtifact(
                f"manifest {manifest.name.span}",
                "published already",
                "one writer a lake",
                "stop the other one",
            )

    def manifest(self, batch: int) -> Manifest | None:
        """One batch's manifest in its newest revision, or its share of a range; None: not published."""
        if self._is_next(batch):
            return None
        try:
            return self._alone(batch)
        except FileNotFoundError:
            return self._looked(partial(self._one, batch))

    def manifests(self) -> tuple[Manifest, ...]:
        """All that is in force, oldest first."""
        return self._all()

    def since(self, cursor: int, most: int = MOST_BATCHES) -> tuple[Manifest, ...]:
        """What a follower that wants batch `cursor` next takes, oldest first and without a gap: batches,
        ranges, and shares of a range where it begins within or is large. Then it wants the last one's
        `batch` and one more.
        """
        return () if self._is_next(cursor) else self._looked(partial(self._from, cursor, most))

    def upto(self, batch: int) -> tuple[Manifest, ...]:
        """All that is in force up to and with one batch, oldest first."""
        return self._looked(
            lambda names: tuple(
                self._share(name, name.first, min(name.last, batch))
                for name in in_force(names)
                if name.first <= batch
            )
        )

    def each(self) -> Iterator[Manifest]:
        """Every batch by itself, oldest first; of one in a range its share. Dear where ranges are large."""
        for manifest in self.manifests():
            yield from shares(manifest, self.batches(manifest.name), manifest.first, 0)

    def superseded(self) -> tuple[Manifest, ...]:
        """Every manifest that a newer revision or a range has put out of force, and that is there still."""
        return self._looked(
            lambda names: tuple(map(self.read_manifest, sorted(set(names) - set(in_force(names)))))
        )

    def newest(self) -> int | None:
        """The newest published batch; names only, no manifest is read."""
        return max((name.last for name in self.names()), default=None)

    def names(self) -> tuple[Name, ...]:
        """Every manifest that is there, in force or not."""
        folder = self.folder / "manifest"
        found = map(Name.parse, os.listdir(folder) if folder.is_dir() else ())
        return tuple(name for name in found if name is not None)

    def read_manifest(self, name: Name) -> Manifest:
        """Raises BadArtifact where it is none or another's, FileNotFoundError where it is not there."""
        path = self.manifest_path(name)
        found = Manifest.from_bytes(path.read_bytes(), str(path))
        if found.name != name:
            raise BadArtifact(str(path), f"the content of {found.name.file}", "its own", RESTORE)
        return found

    def batches(self, name: Name) -> tuple[Manifest, ...]:
        """The batches of a range, without files; of one batch alone itself.

        Raises BadArtifact where their record is absent, is none, or has not each of them once.
        """
        return self._looked(lambda _: self._batches(name))

    def manifest_path(self, name: Name) -> Path:
        """Where a manifest stands."""
        return self.folder / "manifest" / name.file

    def path(self, file: File) -> Path:
        """Where a file lies: the one place that joins what manifests say to where the lake is."""
        return self.folder / file.path

    def paths(self, dataset: Dataset, manifests: Sequence[Manifest] | None = None) -> tuple[Path, ...]:
        """The files that count, oldest batch first. Raises BadArtifact on one that is absent or cut."""
        return self.current(lambda listed: tuple(p for p, _ in self._files(dataset, listed)), manifests)

    def current(
        self, reading: Callable[[Sequence[Manifest]], T], manifests: Sequence[Manifest] | None = None
    ) -> T:
        """What `reading` makes of these manifests, or of all. Where it raises BadArtifact and others are in
        force by now, it reads again: its file was taken away, not lost.
        """
        listed = self.manifests() if manifests is None else tuple(manifests)
        while True:
            try:
                return reading(listed)
            except BadArtifact:
                renewed = self._looked(partial(self._renewed, listed))
                if renewed == listed:
                    raise
                # Whoever reads all of the lake never has to tell a share's rows from others.
                listed = self._all() if manifests is None else renewed

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
            tables = [
                lake_files.table(path, wanted, optional, lake_files.rows_of(manifest))
                for path, manifest in self._files(dataset, listed)
            ]
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
            found = (
                lake_files.known(path, list(columns), types or {}, lake_files.rows_of(manifest))
                for path, manifest in self._files(dataset, listed)
            )
            tables = [table for table in found if table is not None]
            return pa.concat_tables(tables) if tables else pa.table({})

        return self.current(reading, manifests)

    def checked(self, file: File) -> Path:
        """Where a file lies. Raises BadArtifact where it is absent or cut."""
        path = self.path(file)
        found = f"{path.stat().st_size} bytes" if path.exists() else "absent"
        if found != f"{file.bytes} bytes":
            raise BadArtifact(str(path), found, f"the {file.bytes} bytes its manifest lists", RESTORE)
        return path

    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset that has a folder, by name."""
        return tuple(sorted({path.parent.name for path in self.folder.glob("*/schema=*")}))

    def unlisted(self) -> tuple[Path, ...]:
        """Parquet files that no manifest lists, be it in force or not: leavings of what was killed, never
        read.
        """
        listed = {f.path for m in (*self.manifests(), *self.superseded()) for f in m.files}
        found = self.folder.glob("*/**/*.parquet")
        return tuple(sorted(p for p in found if p.relative_to(self.folder).as_posix() not in listed))

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

    def _is_next(self, batch: int) -> bool:
        """Whether a batch is known without a manifest's being read to be unpublished: it is not there, the
        one before stands alone (what stands alone is taken away oldest first), and no range begins with it.
        """
        alone, before = Name(batch, batch), Name(batch - 1, batch - 1)
        if batch <= 0 or self.manifest_path(alone).exists() or not self.manifest_path(before).exists():
            return False
        return not any(name.startswith(f"{batch}-") for name in os.listdir(self.folder / "manifest"))

    def _looked(self, look: Callable[[tuple[Name, ...]], T]) -> T:
        """`look` at the names, anew where one was taken away meanwhile: a range stands in its place."""
        while True:
            names = self.names()
            try:
                return look(names)
            except FileNotFoundError as error:
                if set(self.names()) == set(names):
                    raise BadArtifact(
                        str(error.filename), "absent", "a file of manifests", RESTORE
                    ) from error

    def _all(self) -> tuple[Manifest, ...]:
        return self._looked(lambda names: tuple(self.read_manifest(name) for name in in_force(names)))

    def _alone(self, batch: int) -> Manifest:
        """The newest revision of what stands alone. Raises FileNotFoundError where it does not."""
        name = Name(batch, batch)
        # Revisions are consecutive and go together, so that no folder need be listed to find the newest.
        while self.manifest_path(newer := name._replace(revision=name.revision + 1)).exists():
            name = newer
        return self.read_manifest(name)

    def _one(self, batch: int, names: tuple[Name, ...]) -> Manifest | None:
        found = [name for name in in_force(names) if name.first <= batch <= name.last]
        return self._share(found[0], batch, batch) if found else None

    def _from(self, cursor: int, most: int, names: tuple[Name, ...]) -> tuple[Manifest, ...]:
        found: list[Manifest] = []
        for name in in_force(names):
            if name.last < cursor:
                continue
            if name.first > cursor or len(found) >= most:
                break
            found += self._shares(name, cursor)
            cursor = name.last + 1
        return tuple(found[:most])

    def _batches(self, name: Name) -> tuple[Manifest, ...]:
        """Like `batches`, but raises FileNotFoundError where the record is not there."""
        if name.first == name.last:
            return (self.read_manifest(name),)
        path = self.folder / "manifest" / name.batches
        found = batches_of(path.read_bytes(), str(path))
        if [batch.batch for batch in found] != list(range(name.first, name.last + 1)):
            raise BadArtifact(str(path), f"{len(found)} batches", "each of the range once", RESTORE)
        return found

    def _share(self, name: Name, first: int, last: int) -> Manifest:
        found = self.read_manifest(name)
        return found if (first, last) == name[:2] else share(found, self._batches(name), first, last)

    def _shares(self, name: Name, first: int) -> Iterator[Manifest]:
        found = self.read_manifest(name)
        if first <= name.first and (found.alone or sum(f.rows for f in found.files) <= SHARE_ROWS):
            yield found
        else:
            yield from shares(found, self._batches(name), first, SHARE_ROWS)

    def _renewed(self, listed: Sequence[Manifest], names: tuple[Name, ...]) -> tuple[Manifest, ...]:
        """What is in force in the place of these: neighbours that are in one range by now as one share."""
        force, runs = in_force(names), list[tuple[Name, int, int]]()
        firsts = [name.first for name in force]
        gone = []
        for manifest in listed:
            name = force[bisect_right(firsts, manifest.first) - 1] if force else None
            if name is None or not name.covers(manifest.name):  # lost: whoever reads it is told
                gone.append(manifest)
            elif runs and runs[-1][0] == name and runs[-1][2] + 1 == manifest.first:
                runs[-1] = name, runs[-1][1], manifest.batch
            else:
                runs.append((name, manifest.first, manifest.batch))
        found = [*(self._share(*run) for run in runs), *gone]
        return tuple(sorted(found, key=lambda m: m.first))

    def _files(self, dataset: Dataset, listed: Sequence[Manifest]) -> Iterator[tuple[Path, Manifest]]:
        """Where the dataset's files lie, each with the manifest that lists it."""
        return ((self.checked(f), m) for m in listed for f in m.files if f.dataset == dataset)
