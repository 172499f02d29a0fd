"""Keeps the parts of the table running: starts them, starts again one that ended unasked, ends all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hotpath.errors import Unavailable
from hotpath.local.processes import Processes
from hotpath.local.stack import Part

PAUSES_S = (0.0, 2.0, 15.0)
"""Before each restart of a part, and then the run is given up: what hinders it (a full disk) may pass."""


@dataclass
class Supervisor:
    """`say` is told of every part that ended unasked. A name that is not in the table is somebody else's.

    `elapsed` gives real seconds; `due` holds when each part that has ended is started again.
    """

    parts: dict[str, Part]
    processes: Processes
    say: Callable[[str], None]
    elapsed: Callable[[], float]
    restarts: Counter[str] = field(default_factory=Counter)
    due: dict[str, float] = field(default_factory=dict)

    def add(self, parts: Iterable[Part]) -> None:
        """Parts that the table gets now; one that it has is replaced, what runs of it runs on."""
        self.parts.update({part.name: part for part in parts})

    def restart(self, *names: str) -> None:
        """Stop parts and start them again, in this order."""
        self.stop(*names)
        self.start(*names)

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
            if self.restarts[name] == len(PAUSES_S):
                raise Unavailable(
                    name, f"exit code {child.code()}", "a part that keeps running", f"see {child.log}"
                )
            if name not in self.due:
                pause = PAUSES_S[self.restarts[name]]
                self.due[name] = self.elapsed() + pause
                self.say(f"{name} ended with code {child.code()} and is started again; its log: {child.log}")
            if self.elapsed() >= self.due[name]:
                del self.due[name]
                self.restarts[name] += 1
                self.start(name)

    def stop_all(self) -> None:
        """End everything, last in the table first."""
        self.processes.stop_all([*reversed(self.parts)])

    def running(self) -> set[str]:
        """Names of the parts that were started and not stopped."""
        return set(self.processes.running)

    def _known(self, names: Iterable[str]) -> list[Part]:
        return [self.parts[name] for name in names if name in self.parts]
