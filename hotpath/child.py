"""A child process that never outlives its parent.

Owns starting, waiting with a deadline, and ending; knows nothing of what the child does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable

TICK_S = 0.05
GRACE_S = 2.0

# The parent may be gone before the kernel has been asked: then the child has another parent, and ends.
_DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')


class Child:
    """One started program in a process group of its own; leaving the `with` block ends the whole group.

    The kernel kills the child should this process die without a word (prctl PDEATHSIG). A group, not a
    session: with sched_autogroup `nice` counts only within one session. Raises Unavailable where the program
    is not on PATH.
    """

    def __init__(
        self, command: Sequence[str], log: Path, nice: int = 0, env: Mapping[str, str] | None = None
    ) -> None:
        if shutil.which(command[0]) is None:
            raise Unavailable(log.stem, command[0], "a program on PATH", "run make setup")
        self.log = log
        with log.open("ab") as out:
            # Wrappers rather than a preexec_fn, which may deadlock where this process has threads.
            self._process = subprocess.Popen(
                ["nice", "-n", str(nice), *_DIE_WITH_PARENT, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                process_group=0,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process id, which is the group's too."""
        return self._process.pid

    def code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def end(self, grace_s: float = GRACE_S) -> None:
        """SIGTERM to the child; SIGKILL to what is left of its group once it has gone, or after the grace.

        To the child alone: it ends its own helpers (a driver its JVM) in the order that it needs.
        """
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.kill(self.pid, signal.SIGTERM)
            self._process.wait(grace_s)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def _nothing() -> None: ...


def run(
    what: str,
    command: Sequence[str],
    log: Path,
    deadline_s: float,
    clock: Clock,
    tick: Callable[[], None] = _nothing,
) -> None:
    """Run a program to its end, `tick` called again and again meanwhile.

    Raises Unavailable, with its last words, where it fails or takes too long.
    """
    until = clock.elapsed() + deadline_s
    with Child(command, log) as child:
        while (code := child.code()) is None:
            if clock.elapsed() > until:
                raise Unavailable(what, "still running", f"an end within {deadline_s:.0f} s", f"see {log}")
            tick()
            wait(TICK_S)
        if code:
            raise Unavailable(what, f"exit code {code}", "a run without error", child.last_words())
