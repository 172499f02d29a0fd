"""Follows `hotpath.points`, judges once a second, and tells what changed to everybody who is to know.

Owns the monitoring process' steady clock for verdicts and the file in which standing alarms outlive a
restart: whoever was told of a begin is told of the end. Alarms go to the log, to `hotpath.points` and to the
outboxes.

    watch = VerdictWatch(log, board, points, outboxes, clock, file)
    while not stop.is_set():
        watch.tick(0.2)
    watch.close()
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import orjson

from hotpath.clock import Clock, Micros
from hotpath.files import replace
from hotpath.handoffs import POINTS
from hotpath.kafka import Log, Tail
from hotpath.points import Points
from monitoring.alarms import measurement, notice
from monitoring.board import Alarm, Board, Subject
from monitoring.verdicts import Latch, Level, State

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
RECENT = 100
CLOSE_S = 2.0
"""For alarms that wait when the process ends: its last points must still be written."""
FORMAT = 1
"""Of the file; another one is begun anew, which only tells some alarms twice."""


class Out(Protocol):
    """Takes an alarm without waiting."""

    def put(self, alarm: Alarm) -> bool:
        """False where it was dropped."""

    def close(self, seconds: float) -> None:
        """Send what waits, for a while."""


class VerdictWatch:
    """The board's feeder and its voice. `recent`: the newest alarms, newest first."""

    def __init__(
        self, log: Log, board: Board, points: Points, outboxes: Sequence[Out], clock: Clock, file: Path
    ) -> None:
        self.recent: deque[Alarm] = deque(maxlen=RECENT)
        self._log, self._board, self._points, self._outboxes = log, board, points, outboxes
        self._clock, self._file = clock, file
        # The wall clock may be set; spans must not jump with it. So it is read once.
        self._began = clock.real() - int(clock.elapsed() * 1e6)
        self._looked = clock.elapsed()
        self._tail: Tail | None = None
        self._saved, self._savable = _read(file), True
        board.remember(self._saved, self.now())

    def now(self) -> Micros:
        """The board's clock: real at the start, never set back or forth."""
        return self._began + int(self._clock.elapsed() * 1e6)

    def tick(self, seconds: float) -> None:
        """Read points for a while, and look when it is time.

        Raises Unavailable where Kafka does not answer; the next tick begins with a new tail.
        """
        try:
            self._read_points(seconds)
        finally:  # silence is what Kafka's absence looks like: it must be judged too
            if self._clock.elapsed() - self._looked >= LOOK_EVERY_S:
                self.look()

    def look(self) -> None:
        """Judge now, tell, remember."""
        self._looked = self._clock.elapsed()
        for alarm in self._board.look(self.now()):
            self._tell(alarm)
        if _levels(states := self._board.remembered()) != _levels(self._saved):
            self._save(states)

    def close(self) -> None:
        """Let go of Kafka, and of the outboxes once they have sent what waits; `CLOSE_S` for all of them."""
        self._drop_tail()
        end = self._clock.elapsed() + CLOSE_S
        for outbox in self._outboxes:
            outbox.close(max(0.0, end - self._clock.elapsed()))

    def _read_points(self, seconds: float) -> None:
        end = self._clock.elapsed() + seconds
        complete = False
        try:
            if self._tail is None:
                self._tail = self._log.tail([POINTS], newest=True)
            while (entry := self._tail.poll(seconds)) is not None:
                self._board.read(entry.value, self.now())
                if self._clock.elapsed() >= end:
                    break
            complete = True
        finally:
            if not complete:
                self._drop_tail()

    def _tell(self, alarm: Alarm) -> None:
        said = notice(alarm)
        log.log(_LOUD[said.severity], "%s. %s", said.title, said.body)
        fields, tags = measurement(alarm)
        self._points.say("alarm", fields, tags)
        self.recent.appendleft(alarm)
        for outbox in self._outboxes:
            outbox.put(alarm)

    def _save(self, states: Mapping[Subject, State]) -> None:
        try:
            replace(self._file, _written(states), 0o600)
        except OSError as error:
            # A full disk is an alarm of its own, and telling it matters more; the next look tries again.
            if self._savable:
                log.error("%s cannot be written (%s): a restart would tell alarms anew", self._file, error)
            self._savable = False
            return
        self._saved, self._savable = dict(states), True

    def _drop_tail(self) -> None:
        if self._tail is not None:
            self._tail.close()
            self._tail = None


_LOUD = {"clear": logging.INFO, "warn": logging.WARNING, "page": logging.ERROR}


def _levels(states: Mapping[Subject, State]) -> dict[Subject, Level]:
    return {key: state.level for key, state in states.items()}


def _written(states: Mapping[Subject, State]) -> bytes:
    return orjson.dumps(
        {"format": FORMAT, "states": [[*key, asdict(state)] for key, state in sorted(states.items())]}
    )


def _read(file: Path) -> dict[Subject, State]:
    """What an earlier process wrote; nothing where there is no file or one of another format."""
    try:
        raw = orjson.loads(file.read_bytes())
        if raw["format"] != FORMAT:
            return {}
        return {
            (monitor, subject): State(**{**s, "warn": Latch(**s["warn"]), "page": Latch(**s["page"])})
            for monitor, subject, s in raw["states"]
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        log.warning("%s is no file of verdicts (%s): alarms that stand are told anew", file, error)
        return {}
