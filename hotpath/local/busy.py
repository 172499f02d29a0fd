"""What runs on this machine just now: the busiest parts of the demonstration, and what they say they do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import psutil

from hotpath import progress

LEAST_PERCENT = 5.0
MOST_NAMED = 5


class Busy:
    """Looks at this process's siblings and their children. Two looks are needed for a first figure."""

    def __init__(self, states: Path) -> None:
        self._states = states
        self._processes: dict[int, psutil.Process] = {}

    def look(self) -> tuple[str, ...]:
        """The busiest since the last look with their share of one core, then every part's own word."""
        supervisor = psutil.Process().parent()
        below = {} if supervisor is None else {p.pid: p for p in supervisor.children(recursive=True)}
        # A process object knows the time it had used at the last look: the old one is kept.
        self._processes = {pid: self._processes.get(pid, process) for pid, process in below.items()}
        used = [(_percent(p), p) for p in self._processes.values()]
        busiest = sorted((u for u in used if u[0] >= LEAST_PERCENT), key=lambda u: -u[0])[:MOST_NAMED]
        return (*(f"{_name(p)} {percent:.0f}%" for percent, p in busiest), *self._said())

    def _said(self) -> list[str]:
        files = sorted(self._states.glob("*.json"))
        return [f"{file.stem}: {progress.read(file).get('state', '')}" for file in files]


def _percent(process: psutil.Process) -> float:
    try:
        return process.cpu_percent(None)
    except psutil.Error:  # it has ended
        return 0.0


def _name(process: psutil.Process) -> str:
    try:
        return named(process.cmdline())
    except psutil.Error:
        return str(process.pid)


def named(command: Sequence[str]) -> str:
    """What a command line runs: the module of `python -m`, the main class or jar of `java`."""
    for flag, word in pairwise(command):
        if flag in ("-m", "-jar"):
            return Path(word).name
    bare = [w for before, w in pairwise(command) if w[:1] != "-" and before != "-cp"]
    return Path(bare[0] if bare else command[0] if command else "?").name
