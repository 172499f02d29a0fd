"""Spark's memory of a pipeline's stream, as far as the lake must agree with it.

`offsets/N` is written before batch N runs, `commits/N` after it. So at any moment the lake's newest batch is
the checkpoint's newest or the one before; anything else means that one of the two was damaged, lost or
restored, and is told before a batch runs. The lake is the truth: a checkpoint can be made anew of its newest
manifest, as Spark would have written it after that batch. Source of the format: HDFSMetadataLog, OffsetSeqLog
and CommitLog of Spark's sql/core (a line with the version, then JSON a line).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from hotpath.errors import BadArtifact
from hotpath.files import make_folder, replace, sync
from hotpath.lake import Lake, Offsets

WAY_BACK = "see docs/operations.md, 'The checkpoint and the lake disagree'"
ASIDE = "damaged"


def offsets(checkpoint: Path, number: int) -> Offsets:
    """End offsets of a batch, nothing before the first. Raises BadArtifact where they cannot be read."""
    if number < 0:
        return {}
    path = checkpoint / "offsets" / str(number)
    try:
        raw = json.loads(path.read_text().splitlines()[2])
        return {topic: {int(p): int(o) for p, o in parts.items()} for topic, parts in raw.items()}
    except (OSError, IndexError, ValueError, AttributeError) as error:
        raise BadArtifact(str(path), str(error), "Spark's offsets of that batch", WAY_BACK) from error


def examine(checkpoint: Path, lake: Lake) -> None:
    """Raises BadArtifact where checkpoint and lake are not of one stream, or what Spark reads is damaged."""
    planned, landed = _newest(checkpoint / "offsets"), lake.newest()
    if planned is None:
        if landed is not None:
            expected = f"the checkpoint that landed batch {landed}"
            raise BadArtifact(str(checkpoint), "no batch", expected, WAY_BACK)
        return
    for number in {planned, max(planned - 1, 0)}:
        offsets(checkpoint, number)
    for path in _read_by_spark(checkpoint):
        _whole(path)
    _of_one_stream(checkpoint, lake, planned, landed)


def recover(checkpoint: Path, lake: Lake) -> tuple[int | None, Path | None]:
    """Make the checkpoint anew: the stream goes on behind the lake's newest batch.

    Returns that batch (None: the lake is empty, the stream begins anew) and where the checkpoint of before
    was put (None: there was none). Killed on the way, it is run again. Raises BadArtifact where the lake
    itself has a gap. The lock on the checkpoint must be held.
    """
    _contiguous(lake)
    aside = _put_aside(checkpoint)
    if (batch := lake.newest()) is not None:
        _make(checkpoint, lake, batch)
    return batch, aside


def _of_one_stream(checkpoint: Path, lake: Lake, planned: int, landed: int | None) -> None:
    """Landing compares each batch; this tells at once, and also where no further batch would come."""
    before = -1 if landed is None else landed
    if before not in (planned, planned - 1):
        raise BadArtifact(
            f"newest batch of {lake.folder}",
            landed,
            f"the checkpoint's {planned}, or the one before",
            WAY_BACK,
        )
    if landed is not None and _end(lake, landed) != (end := offsets(checkpoint, landed)):
        raise BadArtifact(
            f"end of manifest {landed}", _end(lake, landed), f"the checkpoint's {end}", WAY_BACK
        )


def _end(lake: Lake, batch: int) -> Offsets | None:
    found = lake.manifest(batch)
    return None if found is None else found.end


def _read_by_spark(checkpoint: Path) -> Iterable[Path]:
    """The files, beside offsets, without which the query does not start."""
    commit = _newest(checkpoint / "commits")
    named = (checkpoint / "metadata", checkpoint / "sources" / "0" / "0")
    yield from (path for path in named if path.exists())
    if commit is not None:
        yield checkpoint / "commits" / str(commit)


def _whole(path: Path) -> None:
    """Its last line is JSON: each of them ends with an object."""
    try:
        json.loads(path.read_text().splitlines()[-1])
    except (OSError, IndexError, ValueError) as error:
        raise BadArtifact(str(path), str(error), "a whole file of Spark's checkpoint", WAY_BACK) from error


def _newest(folder: Path) -> int | None:
    return max((int(path.name) for path in folder.glob("[0-9]*") if path.name.isdigit()), default=None)


def _contiguous(lake: Lake) -> None:
    """Raises BadArtifact where a batch is missing, or does not begin where the one before ended."""
    due, end = 0, Offsets()
    for manifest in lake.manifests():
        if manifest.first != due or manifest.start != end:
            raise BadArtifact(
                f"batch {due} of {lake.folder}",
                f"batch {manifest.first} from {manifest.start}",
                f"batch {due} from {end}",
                "restore the manifests from a copy of the lake",
            )
        due, end = manifest.batch + 1, manifest.end


def _put_aside(checkpoint: Path) -> Path | None:
    if not checkpoint.exists():
        return None
    taken = {path.name for path in checkpoint.parent.iterdir()}
    names = (f"{checkpoint.name}.{ASIDE}-{n}" for n in range(1, len(taken) + 2))
    aside = checkpoint.with_name(next(name for name in names if name not in taken))
    checkpoint.rename(aside)
    sync(checkpoint.parent)
    return aside


def _make(checkpoint: Path, lake: Lake, batch: int) -> None:
    """In a folder beside it first: a checkpoint that is half made must not be taken for one."""
    made = checkpoint.with_name(f".{checkpoint.name}.{uuid4().hex}")
    newest = lake.manifest(batch)
    if newest is None:
        raise BadArtifact(f"manifest {batch}", None, "the lake's newest", WAY_BACK)
    replace(made / "metadata", json.dumps({"id": str(uuid4())}).encode())
    # Spark reads the offsets of the batch before too: those from which its newest began.
    ends = {batch: newest.end, **({batch - 1: newest.start} if batch else {})}
    for number, end in ends.items():
        replace(made / "offsets" / str(number), _log(_PLANNED, json.dumps(end)))
        replace(made / "commits" / str(number), _log(_COMMITTED))
    make_folder(checkpoint.parent)
    made.rename(checkpoint)
    sync(checkpoint.parent)


_PLANNED = '{"batchWatermarkMs":0,"batchTimestampMs":0,"conf":{}}'
_COMMITTED = '{"nextBatchWatermarkMs":0}'


def _log(*lines: str) -> bytes:
    return "\n".join(("v1", *lines)).encode()
