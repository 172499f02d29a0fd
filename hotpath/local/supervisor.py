"""Keeps the parts of the table running: starts them, starts again one that ended unasked, ends all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hotpath.errors import Unavailable
from hotpath.local.processes import Processes
from hotpath.local.stack import Part

RESTARTS = 3
"""Times that one part is started again before the run is given up."""


@dataclass
class Supervisor:
    """`say` is told of every part that ended unasked. A name that is not in the table is somebody else's."""

    parts: dict[str, Part]
    processes: Processes
    say: Callable[[str], None]
    restarts: Counter[str] = field(default_factory=Counter)

    def start(self, *names: str) -> None:
        """Start parts, in this order."""
        for part in self._known(names):
            self.processes.start(part.name, part.command, part.nice)

    def stop(self, *names: str) -> None:
        """Stop parts, in this order."""
        self.processes.stop(*names)

    def look(self) -> None:
        """Start again what has ended. Raises Unavailable, with the log's path, at a part's last restart."""
        for name, child in self.processes.ended().items():
            if self.restarts[name] == RESTARTS:
                raise Unavailable(
                    name, f"exit code {child.code()}", "a part that keeps running", f"see {child.log}"
                )
            self.restarts[name] += 1
            self.say(f"{name} ended with code {child.code()} and is started again; its log: {child.log}")
            self.start(name)

    def stop_all(self) -> None:
        """End everything, last in the table first."""
        self.processes.stop_all([*reversed(self.parts)])

    def running(self) -> set[str]:
        """Names of the parts that were started and not stopped."""
        return set(self.processes.running)

    def _known(self, names: Iterable[str]) -> list[Part]:
        return [self.parts[name] for name in names if name in self.parts]
