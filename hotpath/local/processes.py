"""The processes of one supervisor: started at a priority, watched, and never left behind.

The supervisor is the subreaper of all that its parts start, so that a grandchild whose parent died is still
found at the end.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hotpath.child import Child

GRACE_S = 8.0
"""Between SIGTERM and SIGKILL."""

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass
class Processes:
    """All that one supervisor started; `stop_all` leaves nothing of it."""

    logs: Path
    running: dict[str, Child] = field(default_factory=dict)
    adopted: bool = False

    def adopt(self) -> None:
        """Become the parent of every orphan below: call once, before the first start."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.adopted = True

    def start(
        self, name: str, command: Sequence[str], nice: int = 0, env: Mapping[str, str] | None = None
    ) -> Child:
        """Start a part, its output appended to `LOGS/NAME.log`. Raises Unavailable on a missing program."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running[name] = Child(command, self.logs / f"{name}.log", nice, env)
        return self.running[name]

    def ended(self) -> dict[str, Child]:
        """Parts that ended without being asked."""
        return {name: child for name, child in self.running.items() if child.code() is not None}

    def stop(self, *names: str) -> None:
        """Stop parts in the order named and wait for each."""
        for name in names:
            if (child := self.running.pop(name, None)) is not None:
                child.end(GRACE_S)

    def stop_all(self, order: Sequence[str]) -> None:
        """Stop every part, those in `order` first.

        Whoever adopted orphans then kills whatever still descends from its process; others may have children
        that somebody else started.
        """
        self.stop(*order, *self.running)
        if not self.adopted:
            return
        left = psutil.Process().children(recursive=True)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=GRACE_S)
