"""What of a source is due, each record once and none before its time.

Pure: time is an argument. That a replay runs at 60 times until it meets the present, and then on at the
present's pace, is nothing here but the instants that `Clock.now()` gives.

    >>> composed = lambda since, until: [r for r in season if since <= r.at < until]
    >>> season = [Due(5, "t", "a", b"", b""), Due(7, "t", "b", b"", b"")]
    >>> replay = Replay(composed, starts_at=0)
    >>> [r.id for r in replay.ready(6)], [r.id for r in replay.ready(6)], [r.id for r in replay.ready(9)]
    (['a'], [], ['b'])
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from hotpath.clock import DAY, Micros
from ingest.records import Due

Composed = Callable[[Micros, Micros], list[Due]]
"""The records that arrive from one instant (inclusive) to another (exclusive), in order."""

PIECE: Micros = DAY
"""As much is composed at a time: a season at once would be a gigabyte."""


def between(composed: Composed, since: Micros, until: Micros) -> Iterator[Due]:
    """The records of a long span in order, piece by piece."""
    for start in range(since, until, PIECE):
        yield from composed(start, min(start + PIECE, until))


class Replay:
    """The queue of what comes next."""

    def __init__(self, composed: Composed, starts_at: Micros) -> None:
        self._composed, self._until = composed, starts_at
        self._next: deque[Due] = deque()

    def ready(self, now: Micros) -> Iterator[Due]:
        """Takes what has become due. One that could not be sent is given `back`."""
        while self._until <= now:
            self._next.extend(self._composed(self._until, self._until + PIECE))
            self._until += PIECE
        while self._next and self._next[0].at <= now:
            yield self._next.popleft()

    def back(self, record: Due) -> None:
        """It comes again, before all others."""
        self._next.appendleft(record)
