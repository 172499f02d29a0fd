"""What `hotpath demo` tells while it runs: a live table on a terminal, plain lines elsewhere.

Shows only what the parts say of themselves (their progress files) and what the supervisor hands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hotpath.clock import SECOND, Clock, Micros
from hotpath.progress import Shown

PLAIN_EVERY_S = 10.0
"""Between two summary lines where stdout is no terminal."""
TOLD = ("importing", "waiting for the mirror", "window", "training", "publishing")
"""States worth a word in the summary line."""
NEWEST = 8
"""Lines of the story kept on the screen under the table."""


@dataclass(frozen=True)
class Scene:
    """A moment of the run: `elapsed_s` real seconds since the start; states by part, in start order."""

    elapsed_s: float
    virtual: Micros
    states: Mapping[str, Mapping[str, Shown]]
    lag: Mapping[str, int]


class Story:
    """Tells one run. `say` adds a line, `show` brings the table (or the summary line) up to date."""

    def __init__(self, console: Console | None = None, clock: Clock | None = None) -> None:
        self._console = console or Console(soft_wrap=True)
        self._clock = clock or Clock()
        self._began = self._clock.elapsed()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._lines: list[str] = []
        self._told_at = 0.0

    def __enter__(self) -> Story:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Something happened."""
        stamped = f"{self._clock.elapsed() - self._began:6.1f} s  {line}"
        self._lines.append(stamped)
        if self._live is None:
            self._console.print(stamped, highlight=False, markup=False)

    def show(self, scene: Scene) -> None:
        """Where everything stands."""
        if self._live is not None:
            lines = [Text(line) for line in self._lines[-NEWEST:]]
            self._live.update(Group(table(scene), *lines), refresh=True)
        elif scene.elapsed_s - self._told_at >= PLAIN_EVERY_S:
            self._told_at = scene.elapsed_s
            self.say(summary(scene))

    def finish(self, lines: Sequence[str]) -> None:
        """The last words, under the table."""
        for line in lines:
            self._console.print(line, highlight=False, markup=False)


def table(scene: Scene) -> Table:
    """Every part with its state and counts."""
    title = f"Hotpath · {scene.elapsed_s:.0f} s · virtual {instant(scene.virtual)} · {headline(scene)}"
    drawn = Table(title=title, expand=True)
    for column in ("part", "state", "counts"):
        drawn.add_column(column)
    for part, said in scene.states.items():
        drawn.add_row(part, str(said.get("state", "not started")), counts(said))
    behind = ", ".join(f"{topic} {n}" for topic, n in scene.lag.items() if n)
    drawn.add_row("(mirror lag)", "", behind or "nothing")
    return drawn


def summary(scene: Scene) -> str:
    """The same in one line."""
    busy = [f"{part} {said['state']}" for part, said in scene.states.items() if said.get("state") in TOLD]
    return " | ".join([instant(scene.virtual), headline(scene), *busy])


def headline(scene: Scene) -> str:
    """Counts per stage from left to right of the arrow, then the live model and its age."""
    produced = total(fact(scene, "ingest", "produced"))
    landed = total(fact(scene, "transform", "landed"))
    trained, announced = fact(scene, "train", "trained"), fact(scene, "train", "announced")
    answers, failed = fact(scene, "transactions", "total"), fact(scene, "transactions", "failed")
    live, age = fact(scene, "transactions", "live"), fact(scene, "transactions", "age_s")
    model = f"live model {live}, {float(str(age)) / 3600:.1f} virtual h old" if live else "no live model"
    return (
        f"produced {produced}, mirror {sum(scene.lag.values())} behind, landed {landed}, "
        f"trained {trained}, announced {announced}, {model}, answers {answers}, failed {failed}"
    )


def counts(said: Mapping[str, Shown]) -> str:
    """A part's facts, flat: `landed (events 10, labels 3), batch 4`."""
    return ", ".join(_shown(name, value) for name, value in said.items() if name != "state" and value != {})


def fact(scene: Scene, part: str, name: str) -> Shown:
    """What a part (of whichever pipeline) says of `name`; 0 where it has not said it."""
    found = (said[name] for key, said in scene.states.items() if key.split("-")[0] == part and name in said)
    return next(found, 0)


def total(counted: Shown) -> int:
    """Events and labels, whatever their topics and datasets are called; nothing else that is counted."""
    others = ("unknown_fields", "skipped", "scores")
    kept = counted.items() if isinstance(counted, dict) else ()
    return sum(int(n) for name, n in kept if name not in others and not name.startswith("rejected."))


def instant(at: Micros) -> str:
    """To the second, UTC."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _shown(name: str, value: Shown) -> str:
    if isinstance(value, dict):
        return f"{name} (" + ", ".join(f"{k} {v}" for k, v in value.items()) + ")"
    return f"{name} {value}"
