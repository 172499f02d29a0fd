"""A small disk of a fault's own: a tmpfs, mounted for as long as the block, gone afterwards whatever happens.

Needs root, as every mount does.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hotpath.errors import Unavailable

MOUNT_S = 20


@dataclass(frozen=True)
class SmallDisk:
    """A mounted folder whose room is taken by a file of ours, and given back."""

    folder: Path

    def fill(self, leave: int = 0) -> None:
        """Take all room but so many bytes (about: a page is the least)."""
        self.free()
        with self._ballast.open("wb", buffering=0) as out:
            try:
                while out.write(bytes(65_536)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            taken = self._ballast.stat().st_size
            os.truncate(out.fileno(), max(0, taken - leave))

    def free(self) -> None:
        """Give it all back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / ".ballast"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """`folder` as a disk of its own. Raises Unavailable where this user may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a part that still has a file open there must not keep the fault from ending.
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_S, check=False)
    if done.returncode:
        raise Unavailable(command[0], done.stderr.strip(), "a tmpfs of the fault's own", "run it as root")
