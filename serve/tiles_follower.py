"""The state's follower: `hotpath.tiles` in, Redis brought up to it, whatever becomes of either.

Owns the order of things. Redis itself remembers how far it was brought (`TOPIC ID/OFFSET`), and every write
goes through only where that is what we left: so an emptied or restored Redis is noticed before anything is
written into it, and within a second when nothing is. Then, and at every start, it is brought up from where it
stands, or from nothing where its place is of no use. A layout's own record says that all keys are up to it:
while an earlier part of a compacted topic is read again, those records wait until the end is reached.

Values go in as they came: what they are worth is the reader's to say (`serve.state`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hotpath.clock import DAY, SECOND, Micros
from hotpath.contract.build_aggregates import MOST_TILES
from hotpath.handoffs import TILES
from hotpath.kafka import Entry, Log, Tail
from hotpath.tiles import HEADER

MOST, MOST_BYTES = 1_000, 4_000_000
"""Records and bytes of one write."""
POLL_S = 0.1
LOOK_S = 1.0
LIVES = 3
"""An expiry is so many times the longest horizon that a tile's length allows."""
SHORTEST_S = 86_400
_LAST = 4
"""Bytes of a tile's number."""

log = logging.getLogger(__name__)

Values = Mapping[bytes, bytes | None]
"""Records of `hotpath.tiles` by key, the newest of each; None: there is none any more."""


class Shelf(Protocol):
    """Where values stand for the scorers; every method raises Unavailable where it is away or refuses."""

    def place(self) -> str | None:
        """How far it was brought."""

    def clear(self, place: str) -> None:
        """Take everything of ours away, and begin at `place`."""

    def put(self, values: Values, expected: str, place: str) -> bool:
        """All of `values` and the new place at once; False, and nothing, where it is not at `expected`."""


@dataclass
class TilesFollower:
    """One a Redis. `topic_id`: what tells the topic from an earlier one of its name; `elapsed`: real seconds.

    `counts` since the start; `through`: the newest that a layout's own record said.
    """

    log: Log
    shelf: Shelf
    topic_id: Callable[[], str]
    elapsed: Callable[[], float]
    tail: Tail | None = None
    place: str = ""
    offset: int = 0
    waiting: dict[bytes, bytes | None] = field(default_factory=dict)
    behind: bool = True
    looked: float = 0.0
    through: Micros = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("written", "refills"), 0))

    def turn(self) -> None:
        """One write, or a look whether what was written still stands. Raises Unavailable; call it again."""
        if self.tail is None:
            self.tail = self._begun()
        values = self._taken(self.tail)
        if self.behind:
            self._catch_up(self.tail, values)
        elif values:
            self._put(values, f"{self._topic}/{self.offset}")
        elif self.elapsed() - self.looked >= LOOK_S:
            self.looked = self.elapsed()
            if self.shelf.place() != self.place:
                self._lost()

    def forget(self) -> None:
        """Begin anew at the next turn: what was not written may be gone."""
        if self.tail is not None:
            self.tail.close()
        self.tail = None

    @property
    def _topic(self) -> str:
        return self.place.rpartition("/")[0]

    def _begun(self) -> Tail:
        """From where Redis stands in this topic, else from nothing."""
        topic, place = self.topic_id(), self.shelf.place()
        known, _, offset = (place or "").rpartition("/")
        if place is None or known != topic or not offset.isdecimal():
            log.info("Redis stands at %r: it is filled from the beginning of %s", place, TILES)
            place, offset = f"{topic}/0", "0"
            self.shelf.clear(place)
            self.counts["refills"] += 1
        self.place, self.offset = place, int(offset)
        self.waiting, self.behind, self.looked = {}, True, self.elapsed()
        return self.log.tail([TILES], since=self.offset)

    def _taken(self, tail: Tail) -> dict[bytes, bytes | None]:
        """What is there to be had just now, the newest of each key."""
        values: dict[bytes, bytes | None] = {}
        size, taken = 0, 0
        while taken < MOST and size < MOST_BYTES:
            if (entry := tail.poll(0 if taken else POLL_S)) is None:
                break
            taken += 1
            size += len(entry.value or b"")
            self._hear(entry, values)
        return values

    def _hear(self, entry: Entry, values: dict[bytes, bytes | None]) -> None:
        self.offset = entry.offset + 1
        if not entry.key:
            return
        if is_layouts(entry.key):
            self.through = max(self.through, said_through(entry.value))
        values.pop(entry.key, None)
        values[entry.key] = entry.value

    def _catch_up(self, tail: Tail, values: dict[bytes, bytes | None]) -> None:
        """Keys at once, layouts' own records and the new place together with what is read at the end."""
        self.waiting.update({key: value for key, value in values.items() if is_layouts(key)})
        # One that is gone does not wait: beside it the keys that go after it would be without tiles.
        keys = {key: value for key, value in values.items() if value is None or not is_layouts(key)}
        if not tail.at_end():
            if keys:
                self._put(keys, self.place)
        elif self._put({**keys, **self.waiting}, f"{self._topic}/{self.offset}"):
            self.behind, self.waiting = False, {}

    def _put(self, values: Values, place: str) -> bool:
        if not self.shelf.put(values, self.place, place):
            self._lost()
            return False
        self.place, self.looked = place, self.elapsed()
        self.counts["written"] += len(values)
        return True

    def _lost(self) -> None:
        log.warning("Redis is not where it was left (%s): it was emptied or restored", self.place)
        self.forget()


def is_layouts(key: bytes) -> bool:
    """Whether a record is a layout's own: PIPELINE/AGGREGATE@HASH, without a key."""
    return key.count(b"/") == 1


def expiry_s(value: bytes) -> int | None:
    """How long (real seconds) a value may stand: far longer than its aggregate's horizon. None: for ever.

    A layout's own record has no tiles and stays: keys may go without being missed only long after it is late.
    A tile's length is at most `through` by its number and one, and a horizon at most MOST_TILES of them.
    """
    if len(value) < HEADER.size:  # no reader takes it
        return SHORTEST_S
    _, _, _, count, through, _ = HEADER.unpack_from(value)
    if not count:
        return None
    at = HEADER.size + _LAST * (count - 1)
    newest = int.from_bytes(value[at : at + _LAST], "little")
    tile: Micros = max(through, 0) // (newest + 1)
    return max(SHORTEST_S, min(LIVES * MOST_TILES * tile, 3650 * DAY) // SECOND)


def said_through(value: bytes | None) -> Micros:
    """What a packed value says; 0 of anything else."""
    if value is None or len(value) < HEADER.size:
        return 0
    through: Micros = HEADER.unpack_from(value)[4]
    return through
