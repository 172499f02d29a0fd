"""A machine's load, by psutil: percentages over all cores, memory, and the file system of one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from hotpath.points import Number


class Machine:
    """The machine that this process runs on; `folder` names the file system that matters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        psutil.cpu_percent()  # the first look has nothing to compare with and answers 0

    def measured(self) -> Mapping[str, Number]:
        """The fields of the measurement `machine`; `cpu` is the mean since the last look."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(_standing(self._folder)))
        return {
            "cpu": psutil.cpu_percent(),
            "memory": memory.percent,
            "disk": disk.percent,
            "memory_bytes": memory.total - memory.available,
            "disk_free_bytes": disk.free,
        }


def _standing(folder: Path) -> Path:
    """The folder, or the nearest above it that stands: it may be made only later."""
    return next(path for path in (folder, *folder.parents) if path.exists())
