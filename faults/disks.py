"""A disk that is full: under the lake, under the stream job's checkpoint.

Each time another remainder of room is left, so that the write fails now in a file, now in a manifest, now
in Spark's own. What must hold: the batch fails whole, the job says that it waits, what has landed can be
read, and once there is room everything lands, once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from faults.load import account, load, readable
from faults.small_disk import SmallDisk, small_disk
from faults.stream_site import CONTRACT, StreamSite, stream_site
from faults.table import Fault, Outcome
from hotpath.clock import wait

Under = Literal["lake", "checkpoint"]
MEGABYTES = 64
TIMES = 3
REMAINDER = {"lake": 400_000, "checkpoint": 60_000}
"""At the most, in bytes: a batch or two of files; a few of Spark's offsets."""
FULL_S = 3.0
"""Full for so long, once the job has said so: it tries again meanwhile."""


def full(under: Under, seed: int) -> Outcome:
    """Fill the disk `TIMES` times under load, free it each time, count."""
    chance = random.Random(seed)
    with _site(under) as (site, disk):
        site.start_job()
        with load(site.sent_to, CONTRACT) as made:
            read = [_filled(site, disk, chance.randrange(REMAINDER[under])) for _ in range(TIMES)]
        site.drained(made)
        recovered = site.said()
        code = site.stop_job()
        found = account(made, site.lake)
        left = len(site.lake.unlisted())
    figures = {**vars(found), "times": TIMES, "unreadable": read.count(False), "files_left": left}
    return Outcome(found.holds and all(read) and not left and recovered == "running" and code == 0, figures)


def _filled(site: StreamSite, disk: SmallDisk, leave: int) -> bool:
    """Full and free again; whether what had landed could be read meanwhile."""
    before = site.lake.newest()
    site.until(lambda: site.lake.newest() != before, "a batch with room", site.job)
    disk.fill(leave)
    site.until(lambda: site.said().startswith("waits"), "the job says that it waits", site.job)
    wait(FULL_S)
    read = readable(site.lake)
    disk.free()
    site.until(lambda: site.said() == "running", "the job runs again", site.job)
    return read


@contextmanager
def _site(under: Under) -> Iterator[tuple[StreamSite, SmallDisk]]:
    with TemporaryDirectory(prefix="hotpath-disk-") as name:
        folder = Path(name)
        with small_disk(folder / "small", MEGABYTES) as disk:
            root = disk.folder if under == "lake" else None
            with stream_site(lake_root=root) as site:
                if under == "checkpoint":
                    site.checkpoint.parent.parent.mkdir(parents=True)
                    site.checkpoint.parent.symlink_to(disk.folder)
                yield site, disk


FAULTS = tuple(
    Fault(
        f"disk full under the {under}", f"a tmpfs under the {under}, filled and freed", partial(full, under)
    )
    for under in ("lake", "checkpoint")
)
