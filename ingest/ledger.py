"""What the brokers acknowledged, kept outside the pipeline so that the pipeline can be held against it.

One file a topic, one id a line, only ever appended to: `TOPIC.ids`; an id that was sent twice stands there
twice. A kill can cost the notes of the last second; `Sender` finds those records in the topic and notes them
then. Beside them stands, in `PIPELINE.begins`, from when on a pipeline is replayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hotpath.clock import Micros
from hotpath.files import create


class Ledger:
    """The ids of acknowledged records by topic. Only one process may have it open."""

    def __init__(self, folder: Path, topics: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._ids = {topic: Counter(read(folder, topic)) for topic in topics}
        self._files: dict[str, BinaryIO] = {topic: _opened(path(folder, topic)) for topic in topics}

    def has(self, topic: str, name: str, copy: int = 0) -> bool:
        """Whether a record was acknowledged, and each of its earlier copies."""
        return self._ids[topic][name] > copy

    def note(self, topic: str, name: str) -> None:
        """A record was acknowledged; on disk by the next flush."""
        self._ids[topic][name] += 1
        self._files[topic].write(name.encode() + b"\n")

    def flush(self) -> None:
        """Hand the notes to the system, so that they outlive a kill of this process."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Flush and let go of the files."""
        for file in self._files.values():
            file.close()

    def counts(self) -> dict[str, int]:
        """Acknowledged records by topic."""
        return {topic: ids.total() for topic, ids in self._ids.items()}


def path(folder: Path, topic: str) -> Path:
    """A topic's file."""
    return folder / f"{topic}.ids"


def read(folder: Path, topic: str) -> list[str]:
    """Every id in the order of acknowledgement, as often as it was noted."""
    try:
        noted = path(folder, topic).read_bytes()
    except FileNotFoundError:
        return []
    return noted[: noted.rfind(b"\n") + 1].decode().splitlines()  # a kill can tear the last line


def begins(folder: Path, pipeline: str, now: Micros) -> Micros:
    """From when on a pipeline is replayed: the instant of its first start, kept for every later one."""
    file = folder / f"{pipeline}.begins"
    create(file, b"%d\n" % now)
    return int(file.read_bytes())


def _opened(file: Path) -> BinaryIO:
    out = file.open("ab")
    whole = file.read_bytes().rfind(b"\n") + 1
    out.truncate(whole)
    return out
