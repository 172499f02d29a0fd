"""What stands on `hotpath.tiles`, and how it is put there: values of keys first, a layout's own record last.

A layout's record says through which instant its tiles are told, so it must never be there before they are:
it is sent once everything before it is acknowledged. Raises Unavailable where that does not come about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field

from hotpath.clock import Clock
from hotpath.contract.aggregates import Layout
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import TILES
from hotpath.kafka import Log
from hotpath.tiles import Tiles, packed, unpacked

LOOK_S = 0.1
SILENCE_S = 20.0
DEADLINE_S = 120.0
"""For the log to acknowledge what it has taken, however much that is."""


@dataclass
class Stood:
    """A layout's keys that have a value, and its own record's as it came; None: there is none."""

    keys: set[str] = field(default_factory=set)
    record: bytes | None = None

    def told(self, layout: Layout) -> Tiles | None:
        """What the layout's record says; None where there is none, or one that does not read."""
        try:
            return None if self.record is None else unpacked(self.record, layout)
        except BadArtifact:
            return None


def stood(log: Log) -> dict[str, Stood]:
    """By layout's id what stands on the topic now. Raises Unavailable where its end is not reached."""
    found: dict[str, Stood] = {}
    silent = 0.0
    with closing(log.tail([TILES])) as tail:
        while not tail.at_end():
            if (entry := tail.poll(LOOK_S)) is not None:
                _heard(found, (entry.key or b"").decode("utf-8", "replace"), entry.value)
            elif (silent := silent + LOOK_S) > SILENCE_S:
                raise Unavailable(f"topic {TILES}", "no end", "its end", "look at the cloud's broker")
    return found


def _heard(found: dict[str, Stood], key: str, value: bytes | None) -> None:
    pipeline, _, rest = key.partition("/")
    name, slash, own = rest.partition("/")
    of = found.setdefault(f"{pipeline}/{name}", Stood())
    if not slash:
        of.record = value
    elif value is None:
        of.keys.discard(own)
    else:
        of.keys.add(own)


@dataclass
class Shelf:
    """Where tiles are put. `stopping`: whether the process is to end, and what is half done is left."""

    log: Log
    clock: Clock
    stopping: Callable[[], bool] = lambda: False
    sent: int = 0
    """Bytes since the start."""
    _failures: list[Exception] = field(default_factory=list)

    def put(
        self, layout: Layout, values: Iterable[tuple[str, bytes]], gone: Iterable[str], tiles: Tiles
    ) -> None:
        """These keys' values, none for those that are gone, and then the layout's record."""
        for key, value in values:
            self._send(layout.key(key), value)
        for key in gone:
            self._send(layout.key(key), None)
        self._acknowledged()
        self._send(layout.id, packed(tiles, layout))
        self._acknowledged()

    def clear(self, layout: str, keys: Iterable[str]) -> None:
        """Nothing of a layout any longer: its record first, so that nobody takes absence for emptiness."""
        self._send(layout, None)
        for key in keys:
            self._send(f"{layout}/{key}", None)
        self._acknowledged()

    def _send(self, key: str, value: bytes | None) -> None:
        end = self.clock.elapsed() + DEADLINE_S
        while not self.log.send(TILES, value, key.encode(), on_delivery=self._told):
            self._go_on(end)
            self.log.flush(LOOK_S)
        self.sent += len(value or b"")

    def _acknowledged(self) -> None:
        end = self.clock.elapsed() + DEADLINE_S
        while self.log.flush(LOOK_S):
            self._go_on(end)
        failures, self._failures = self._failures, []
        if failures:
            raise Unavailable(TILES, str(failures[0]), "acknowledged records")

    def _go_on(self, end: float) -> None:
        """Raises Unavailable where it is too late, or the process is to end."""
        if self.stopping() or self.clock.elapsed() > end:
            raise Unavailable(TILES, "not acknowledged", f"acknowledgement within {DEADLINE_S:.0f} s")

    def _told(self, error: Exception | None) -> None:
        if error is not None:
            self._failures.append(error)
