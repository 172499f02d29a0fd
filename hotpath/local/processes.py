"""Processes of this machine: started at a priority, watched, and never left behind.

Every part is a process group of its own in the supervisor's session: a session of its own would make it a
scheduling group of its own (sched_autogroup), and `nice` would no longer order the parts. The supervisor
is the subreaper of all that its parts start, so a grandchild whose parent died is still found; a part gets
SIGTERM from the kernel if the supervisor itself is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable

GRACE_S = 8.0
"""Between SIGTERM and SIGKILL."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)


@dataclass
class Process:
    """A running part."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.popen.poll() is None


@dataclass
class Processes:
    """All that one supervisor started; `stop` leaves nothing of it."""

    logs: Path
    clock: Clock
    running: dict[str, Process] = field(default_factory=dict)

    def adopt(self) -> None:
        """Become the parent of every orphan below: call once, before the first start."""
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(
        self, name: str, command: Sequence[str], nice: int = 0, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a part, its output appended to `LOGS/NAME.log`. Raises Unavailable on a missing program."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        try:
            with log.open("ab") as out:
                popen = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env={**os.environ, **(env or {})},
                    process_group=0,
                    preexec_fn=_ends_with_parent(nice),
                )
        except FileNotFoundError as error:
            raise Unavailable(name, command[0], "a program on PATH", "run make setup") from error
        self.running[name] = Process(name, popen, log)
        return self.running[name]

    def ended(self) -> list[Process]:
        """Parts that ended without being asked."""
        return [p for p in self.running.values() if not p.running]

    def stop(self, *names: str) -> None:
        """Stop parts in the order named and wait for each: SIGTERM, then SIGKILL after a grace."""
        for name in names:
            if (process := self.running.pop(name, None)) is not None:
                self._end(process)

    def stop_all(self, order: Sequence[str]) -> list[int]:
        """Stop every part, then whatever still descends from this process; the pids that had to be killed."""
        self.stop(*[n for n in order if n in self.running], *[n for n in self.running if n not in order])
        left = psutil.Process().children(recursive=True)
        for process in left:
            _send(process.pid, signal.SIGKILL)
        psutil.wait_procs(left, timeout=GRACE_S)
        return [p.pid for p in left]

    def _end(self, process: Process) -> None:
        _send(process.popen.pid, signal.SIGTERM)
        deadline = self.clock.elapsed() + GRACE_S
        while process.running and self.clock.elapsed() < deadline:
            wait(0.02)
        # The group too: a part that ended may have left a child in it.
        _send(-process.popen.pid, signal.SIGKILL)
        process.popen.wait()


def _ends_with_parent(nice: int) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        os.nice(nice)

    return prepare


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
