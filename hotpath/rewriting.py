"""What rewrites a lake's files, whole or in part: one at a time, and what it leaves behind is taken away.

Compaction, retention and forgetting hold the same lock; the stream job, which only adds, needs none. What is
out of force is removed in an order that a kill does not harm: data files first, then the manifests that
listed them, oldest first, then what was kept of a range's batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from hotpath import files
from hotpath.clock import Micros, wait
from hotpath.errors import BadArtifact
from hotpath.lake import RESTORE, File, Lake
from hotpath.manifests import Dataset, Manifest, Name, in_force

LOCK = "rewrite.lock"
LOOK_S = 0.05

Reached = Callable[[str, int], None]
"""Told when a named point of a batch (a range's newest) is reached; the tests' kill switch."""


def nothing(point: str, batch: int) -> None:
    """The `Reached` of a run that nobody kills."""


def hold(lake: Lake, patience_s: float = 0.0) -> IO[bytes]:
    """Nobody else rewrites the lake while what is returned is open.

    Raises BadConfig where somebody does still after `patience_s` (real).
    """
    for _ in range(int(patience_s / LOOK_S)):
        if (held := files.free(lake.folder / LOCK)) is not None:
            return held
        wait(LOOK_S)
    return files.hold(lake.folder / LOCK, "rewriting of a lake")


def written(lake: Lake, path: Path, dataset: Dataset, rows: int) -> File:
    """A file that was just closed, durable before it is described."""
    files.sync(path)
    files.sync(path.parent)
    with path.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
        size = data.tell()
    return File(path.relative_to(lake.folder).as_posix(), dataset, rows, size, digest)


def remove_unborn(lake: Lake) -> int:
    """Remove files of a range or a revision that was never published. What the stream job is just writing is
    neither.

    The files of a manifest that was lost look the same. So what is in force must be whole, without a gap:
    then it has every row of the batches up to the newest, and no file beyond that one is touched (a range is
    made of what is published, so that such a file tells of a loss). Raises BadArtifact where it is not.
    """
    force = lake.manifests()
    _refuse_losses(lake, force)
    listed = {file.path for m in (*force, *lake.superseded()) for file in m.files}
    found = {
        path
        for pattern in ("batch_id=*-*/*.parquet", "batch_id=*/revision=*/*.parquet")
        for path in lake.folder.glob(f"*/schema=*/{pattern}")
        if path.relative_to(lake.folder).as_posix() not in listed and _known(lake, path, force)
    }
    _unlink(found)
    spans = {name.batches for name in lake.names()}
    kept = (lake.folder / "manifest").glob("*.batches")
    _unlink(path for path in kept if path.name not in spans and _within(path.stem, force))
    return len(found)


def _refuse_losses(lake: Lake, force: Sequence[Manifest]) -> None:
    """Raises BadArtifact where a batch has no manifest, or a listed file is absent or cut."""
    due = 0
    for manifest in force:
        if manifest.first != due:
            raise BadArtifact(
                f"manifest of batch {due} in {lake.folder / 'manifest'}",
                f"none before that of {manifest.name.span}",
                "manifests without a gap",
                RESTORE,
            )
        due = manifest.batch + 1
        for file in manifest.files:
            lake.checked(file)


def _known(lake: Lake, path: Path, force: Sequence[Manifest]) -> bool:
    """Whether all batches of a file are published, by the name of its folder."""
    folder = path.relative_to(lake.folder).parts[2]
    return _within(folder.removeprefix("batch_id="), force)


def _within(span: str, force: Sequence[Manifest]) -> bool:
    name = Name.parse(f"{span}.json")
    return name is not None and bool(force) and name.last <= force[-1].batch


def remove_superseded(lake: Lake, before: Micros | None = None, reached: Reached = nothing) -> int:
    """Remove what is out of force, where that which first took its place came before `before` (real; None:
    whenever it came): its data files; how many they were. Of its manifests those that a range supersedes go
    too. What stands in for a file that is lost stays.
    """
    names = lake.names()
    force = in_force(names)
    old = sorted(_superseded(lake, names, force, before))
    if not old:
        return 0
    left = set(names) - set(old)
    kept = {file.path for name in left for file in lake.read_manifest(name).files}
    stale = {
        lake.path(file) for name in old for file in lake.read_manifest(name).files if file.path not in kept
    }
    found = [path for path in stale if path.exists()]
    reached("before the removal", old[-1].last)
    _unlink(found)
    reached("before the manifests' removal", old[-1].last)
    spans = {name.span for name in left}
    for name in old:
        # Revisions of what stands alone are found one by one, from the first on: they go together.
        if name.first != name.last or name.span not in spans:
            lake.manifest_path(name).unlink(missing_ok=True)
        if name.first != name.last and name.span not in spans:
            (lake.folder / "manifest" / name.batches).unlink(missing_ok=True)
    return len(found)


def _superseded(
    lake: Lake, names: Iterable[Name], force: tuple[Name, ...], before: Micros | None
) -> Iterator[Name]:
    """Manifests out of force for long enough; of those that stand alone none behind one that must wait."""
    waits = False
    for by, old in _replaced(names, force):
        lost = not _is_whole(lake, lake.read_manifest(by))
        at = {n: _published(lake, n) for n in (by, *old) if n.first != n.last or n.revision}
        for name in old:
            since = min(told for other, told in at.items() if other.supersedes(name))
            alone = name.first == name.last
            if lost or (before is not None and since >= before):
                waits = waits or alone
            elif not (waits and alone):
                yield name


def _is_whole(lake: Lake, manifest: Manifest) -> bool:
    try:
        return all(lake.checked(file) for file in manifest.files)
    except BadArtifact:
        return False


def _replaced(names: Iterable[Name], force: tuple[Name, ...]) -> Iterator[tuple[Name, list[Name]]]:
    """What is in force, each with what is there still that it stands in the place of."""
    out = iter(sorted(set(names) - set(force)))
    name = next(out, None)
    for by in force:
        old = list[Name]()
        while name is not None and by.covers(name):
            old.append(name)
            name = next(out, None)
        if old:
            yield by, old


def _published(lake: Lake, name: Name) -> Micros:
    return lake.manifest_path(name).stat().st_mtime_ns // 1000


def _unlink(paths: Iterable[Path]) -> None:
    """Remove files, and the folders of batches that are empty then."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted((f for f in folders if "=" in f.name), reverse=True):
        with suppress(OSError):  # not empty
            folder.rmdir()
            if folder.name.startswith("revision="):
                folder.parent.rmdir()
