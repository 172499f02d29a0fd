"""What a run's child is doing and what its stages took, as one small file that the trainer reads.

A child says each of its stages while it is in it; what took seconds, and how much went through, is known once
it is over. So the serial parts of a run are seen one by one, also of a child that was killed.

    with stages.stage("import") as spent:
        spent.rows = rows
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hotpath.clock import Clock
from hotpath.files import replace


@dataclass
class Spent:
    """What a stage took: real seconds; rows and bytes that went through it, None where nobody counted."""

    seconds: float = 0.0
    rows: int | None = None
    bytes: int | None = None


@dataclass
class Done:
    """What is in the file: the stage under way ("" between two), a figure of how far it is, what is over.

    `done` of `total` are whatever the stage counts (models of a search); `best` what it came to so far.
    """

    doing: str = ""
    done: int | None = None
    total: int | None = None
    best: str = ""
    spent: dict[str, Spent] = field(default_factory=dict)


class Stages:
    """A child's own file: every change replaces it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock, self._said = path, clock, Done()

    @contextmanager
    def stage(self, name: str) -> Iterator[Spent]:
        """The stage of that name lasts as long as the block; one that comes again adds its seconds."""
        found = self._said.spent.get(name, Spent())
        self._said.doing = name
        self._write()
        began = self._clock.elapsed()
        try:
            yield found
        finally:  # what failed took its time as well
            found.seconds = round(found.seconds + self._clock.elapsed() - began, 3)
            self._said = Done(spent={**self._said.spent, name: found})
            self._write()

    def say(self, done: int | None = None, total: int | None = None, best: str = "") -> None:
        """How far the stage under way is."""
        self._said.done, self._said.total, self._said.best = done, total, best
        self._write()

    def _write(self) -> None:
        with suppress(OSError):  # a full disk: what a run does must not end with what it says of it
            replace(self._path, json.dumps(asdict(self._said)).encode())


def read(path: Path) -> Done:
    """What a child said last; nothing where it has not spoken."""
    try:
        raw = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return Done()
    spent: Mapping[str, Mapping[str, float | None]] = raw.pop("spent")
    return Done(**raw, spent={name: Spent(**found) for name, found in spent.items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Doing:
    """The stage under way: since when (real s), and how long it usually takes."""

    name: str = ""
    began: float = 0.0
    usual_s: float | None = None

    def told(self, done: Done, now: float) -> dict[str, int | str | None]:
        """What a person wants to know of it: its part, how far it is, the best so far, whole seconds left."""
        left = None if self.usual_s is None else max(0, round(self.usual_s - (now - self.began)))
        return {"part": done.doing, "done": done.done, "of": done.total, "best": done.best, "left_s": left}
