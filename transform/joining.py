"""Takes up topics that a contract has gained, behind a checkpoint that does not know them.

Spark begins a topic that is new to a checkpoint at its earliest record, which is right; but where that is not
offset 0, because the topic is older than its retention, it takes what is gone for lost records and ends. What
was gone before anybody asked for it is no loss. So a batch without files says where such a topic begins, and
the checkpoint is made anew behind it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hotpath.clock import Micros
from hotpath.lake import Lake, Manifest, Offsets
from transform.checkpoint import offsets, recover
from transform.lost import PURGED

Place = tuple[str, int]
"""Topic and partition."""


def joined(newest: Manifest, starts: Mapping[Place, int], now: Micros) -> Manifest | None:
    """The batch after `newest` that says where the topics begin that it does not know; None where all of
    them begin at 0. `starts`: the first offset that is still held of each of their partitions.
    """
    begins = Offsets()
    for (topic, partition), start in starts.items():
        if topic not in newest.end:
            begins.setdefault(topic, {})[partition] = start
    missing = sum(start for parts in begins.values() for start in parts.values())
    if not missing:
        return None
    return Manifest(newest.batch + 1, newest.end, newest.end | begins, (), {PURGED: missing}, now)


def take_up(
    checkpoint: Path,
    lake: Lake,
    topics: Iterable[str],
    starts: Callable[[Iterable[str]], Mapping[Place, int]],
    now: Micros,
) -> None:
    """Let the stream go on with `topics`, whichever of them are new to it; the checkpoint's lock is held.

    Killed on the way, the next start finishes it. What `starts` raises goes through.
    """
    number = lake.newest()
    newest = None if number is None else lake.manifest(number)
    if newest is None:
        return  # a stream that has yet to begin takes whatever is there
    new = [topic for topic in topics if topic not in newest.end]
    if new and (batch := joined(newest, starts(new), now)) is not None:
        forget_attempts(lake, batch.batch)
        lake.publish(batch)
        newest = batch
    if set(newest.counts) == {PURGED} and not _planned(checkpoint, newest):
        _, aside = recover(checkpoint, lake)
        if aside is not None:
            shutil.rmtree(aside)


def _planned(checkpoint: Path, batch: Manifest) -> bool:
    there = (checkpoint / "offsets" / str(batch.batch)).exists()
    return there and offsets(checkpoint, batch.batch) == batch.end


def forget_attempts(lake: Lake, batch: int) -> None:
    """Remove what a killed attempt wrote of the batch that had this number: its records come in the next."""
    for path in lake.folder.glob(f"*/*/batch_id={batch}/*.parquet"):
        path.unlink(missing_ok=True)
