"""The points' writer: from `hotpath.points` into InfluxDB, nothing lost, nothing refused twice.

Kafka is the buffer: offsets are committed only once InfluxDB has acknowledged, so that whatever ends in
between, the points come again, and InfluxDB keeps one of each. While InfluxDB is away the batch is kept and
tried for as long as it takes. A line that InfluxDB refuses is found by halving, counted, named once a kind,
and holds up nothing. Owns the order of these steps; Kafka, InfluxDB and its set-up are handed in.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hotpath.clock import Clock
from hotpath.errors import BadConfig, BadInput, HotpathError, Unavailable
from hotpath.kafka_group import Group
from hotpath.points import Point, Points

GROUP = "hotpath-points"
MOST_LINES = 5_000
FEWEST_LINES = 100
TAKE_S = 0.5
SAY_EVERY_S = 5.0
PAUSES_S = (1.0, 2.0, 5.0, 10.0)  # between two tries; the last for ever
KINDS = 100  # of refused lines that are named: a flood of them must not fill the log

log = logging.getLogger("points")


class Sink(Protocol):
    """Where lines end up (`monitoring.influx.Influx`)."""

    def write(self, lines: Sequence[str]) -> None:
        """All are durable once this returns. Raises BadInput, BadConfig or Unavailable."""

    def forget(self) -> None:
        """Let go of the connection and of the token."""


@dataclass
class Writer:
    """One reader of the topic. `repair` brings token and bucket back, and is asked once at the start too.

    `written` and `refused` count lines.
    """

    open_group: Callable[[], Group]
    sink: Sink
    repair: Callable[[], None]
    points: Points
    clock: Clock
    written: int = 0
    refused: int = 0
    _group: Group | None = None
    _pending: list[str] = field(default_factory=list)
    _size: int = MOST_LINES
    _said_at: float = 0.0
    _said_refused: int = 0
    _prepared: bool = False
    _troubles: set[str] = field(default_factory=set)
    _kinds: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> bool:
        """Whether points wait for Kafka, InfluxDB or an operator."""
        return bool(self._troubles)

    def run(self, stop: threading.Event) -> None:
        """Write until told to stop; what was not acknowledged by then comes again at the next start."""
        while not stop.is_set():
            self._turn(stop)
            self._say()

    def drain(self, deadline_s: float) -> bool:
        """Write what stands in the topic now, for a bounded time; whether all of it was written."""
        stop = threading.Event()
        timer = threading.Timer(deadline_s, stop.set)
        timer.start()
        try:
            while not stop.is_set():
                self._turn(stop)
                if not self._pending and self._at_end():
                    return True
            return False
        finally:
            timer.cancel()

    def close(self) -> None:
        """Leave the group and InfluxDB."""
        self._leave()
        self.sink.forget()

    def _at_end(self) -> bool:
        try:
            return self._group is not None and self._group.at_end()
        except Unavailable as error:
            self._hindered(error)
            return False

    def _turn(self, stop: threading.Event) -> None:
        """One batch, from Kafka to the commit; in trouble with Kafka, a pause and another connection."""
        try:
            self._group = self._group or self.open_group()
            # What an earlier turn could not deliver comes first: the commit is of all that was taken.
            if not self._pending:
                self._pending = self._lines([e.value for e in self._group.take(MOST_LINES, TAKE_S)])
            if self._delivered(stop):
                self._group.commit()
        except Unavailable as error:
            self._hindered(error)
            self._leave()
            stop.wait(PAUSES_S[0])

    def _delivered(self, stop: threading.Event) -> bool:
        """Whether InfluxDB has (or has refused) every pending line; not where we were told to stop first."""
        tries = 0
        while self._pending and not stop.is_set():
            part = self._pending[: self._size]
            try:
                self._write(part)
            except (Unavailable, BadConfig) as error:
                self._wait_for_better(error, tries, stop)
                tries += 1
                continue
            self._eased()
            self._prepare()
            del self._pending[: len(part)]
            tries, self._size = 0, min(MOST_LINES, self._size * 2)
        return not self._pending

    def _wait_for_better(self, error: HotpathError, tries: int, stop: threading.Event) -> None:
        """Where token or bucket are wrong, set InfluxDB up again; else give it time, and less to do in it."""
        self._hindered(error)
        if isinstance(error, BadConfig):
            repaired = self._repaired()
            self.sink.forget()
            if repaired and not tries:
                return
        self._size = max(FEWEST_LINES, self._size // 2)
        stop.wait(PAUSES_S[min(tries, len(PAUSES_S) - 1)])

    def _repaired(self) -> bool:
        try:
            self.repair()
        except (Unavailable, BadConfig) as why:  # only an operator, or time, can help
            self._hindered(why)
            return False
        self._prepared = True
        return True

    def _prepare(self) -> None:
        """Once InfluxDB takes points, what else the settings ask for: another retention, the other token."""
        if self._prepared:
            return
        self._prepared = True
        try:
            self.repair()
        except (Unavailable, BadConfig) as why:
            log.warning("points are written; but of InfluxDB's set-up: %s", why)

    def _write(self, lines: Sequence[str]) -> None:
        """All lines but those that InfluxDB refuses. Writing one again that it has changes nothing."""
        try:
            self.sink.write(lines)
            self.written += len(lines)
        except BadInput as error:
            if len(lines) == 1:
                self._refuse(lines[0], str(error.value))
                return
            half = len(lines) // 2
            self._write(lines[:half])
            self._write(lines[half:])

    def _lines(self, values: Sequence[bytes | None]) -> list[str]:
        """The values that are points; the others are refused without asking InfluxDB."""
        lines: list[str] = []
        for value in values:
            try:
                line = (value or b"").decode()
                Point.parse(line)
                lines.append(line)
            except (BadInput, UnicodeDecodeError):
                self._refuse("", "no line of a point")
        return lines

    def _refuse(self, line: str, why: str) -> None:
        self.refused += 1
        measurement = line.split(",", 1)[0].split(" ", 1)[0]
        kind = f"{measurement}: {why[:40]}"
        if kind not in self._kinds and len(self._kinds) < KINDS:
            self._kinds.add(kind)
            log.error("a point is refused, its like will be counted only: %s (%s)", line[:200], why)

    def _hindered(self, error: HotpathError) -> None:
        """Named once, not at each try: `waiting` until points are written again."""
        if (kind := f"{type(error).__name__} {error.thing}") not in self._troubles:
            self._troubles.add(kind)
            log.warning("points wait in Kafka: %s", error)

    def _eased(self) -> None:
        if self._troubles:
            self._troubles.clear()
            log.info("points are written again")

    def _say(self) -> None:
        if (now := self.clock.elapsed()) - self._said_at >= SAY_EVERY_S:
            self._said_at = now
            news = self.refused - self._said_refused  # what was refused once must not alarm for ever
            self._said_refused = self.refused
            fields = {"written": self.written, "refused": news, "behind": self._behind()}
            self.points.say("writer", fields)

    def _behind(self) -> int | None:
        try:
            return None if self._group is None else self._group.behind()
        except Unavailable:
            return None

    def _leave(self) -> None:
        self._pending.clear()  # not committed: it comes again
        if self._group is not None:
            self._group.close()
            self._group = None
