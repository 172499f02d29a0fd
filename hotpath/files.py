"""Files that appear whole or not at all, and locks that end with their process."""

import fcntl
import os
from pathlib import Path
from typing import IO
from uuid import uuid4

from hotpath.errors import BadConfig


def create(path: Path, data: bytes, mode: int = 0o644) -> bool:
    """Write `path` durably if nothing stands there; False (and no change) where something does.

    A hard link, because rename would replace what another writer has committed.
    """
    temporary = _written(path, data, mode)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return True


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `path`, atomically in the place of what stood there."""
    os.replace(_written(path, data, mode), path)
    _sync_folder(path.parent)


def _written(path: Path, data: bytes, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{uuid4().hex}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    return temporary


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hold(path: Path, what: str) -> IO[bytes]:
    """Lock `path` for as long as the returned file is open; the kernel lets go when the process ends.

    Raises BadConfig where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise BadConfig(
            str(path), "held by another process", f"one {what} at a time", "stop it first"
        ) from error
    return handle
