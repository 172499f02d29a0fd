"""What a part of the system is doing just now, as one small JSON file that others may read."""

import json
import os
from contextlib import suppress
from pathlib import Path

from hotpath.files import replace

Shown = str | int | float | bool | None | dict[str, int] | dict[str, float] | dict[str, str] | list[str]


class Progress:
    """A part's own file: `say` replaces it whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: dict[str, Shown] = {}

    def say(self, state: str, **facts: Shown) -> None:
        """Replace the file: the state in a word or two, with every fact said so far brought up to date."""
        self._said = {**self._said, **facts, "state": state, "pid": os.getpid()}
        with suppress(OSError):  # a full disk: what a part does must not end with what it says of it
            replace(self._path, json.dumps(self._said).encode())


def read(path: Path) -> dict[str, Shown]:
    """What a part said last; empty where it has not spoken yet."""
    try:
        said: dict[str, Shown] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return said


def ended(said: dict[str, Shown]) -> bool:
    """Whether the process that spoke is gone: what a killed one said last stands in its file for ever."""
    pid = said.get("pid")
    return not (isinstance(pid, int) and Path(f"/proc/{pid}").exists())
