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
    sync(path.parent)
    return True


def replace(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `path`, atomically in the place of what stood there."""
    os.replace(_written(path, data, mode), path)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, so that a power cut takes none of them."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def sync(path: Path) -> None:
    """Make durable what was written to a file, or which names stand in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(path: Path, data: bytes, mode: int) -> Path:
    make_folder(path.parent)
    temporary = path.parent / f".{path.name}.{uuid4().hex}"
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:  # a full disk must not be filled further by what could not be written
        temporary.unlink(missing_ok=True)
        # A write that fails does not say of which file: whoever records why must be able to name it.
        raise OSError(error.errno, error.strerror, str(path)) from error
    return temporary


def hold(path: Path, what: str) -> IO[bytes]:
    """Lock `path` for as long as the returned file is open; the kernel lets go when the process ends.

    Raises BadConfig where another process holds it, or where it cannot be made.
    """
    if (handle := free(path)) is None:
        raise BadConfig(str(path), "held by another process", f"one {what} at a time", "stop it first")
    return handle


def free(path: Path) -> IO[bytes] | None:
    """Like `hold`, but None where another process holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("ab")
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a folder that can be written") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle
