"""When to leave a dependency alone: a pure value, changed by what was seen. Times are real seconds.

A trip that fails costs its connection (a reply that comes later must never be taken for the next one's), so
one failure opens: whoever needs the dependency does without, and nobody on the request path waits for a new
connection. A probe is due after a pause that doubles from failure to failure; only a trip of the request path
that succeeds makes the next pause short again, so that one which answers its probes alone is left alone.

    >>> b = Breaker().failed(10.0)
    >>> b.open, b.due(10.1), b.due(10.3), b.failed(10.3).until, b.closed().open
    (True, False, True, 10.8, False)
"""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_S, LONGEST_S = 0.25, 2.0


@dataclass(frozen=True)
class Breaker:
    """`until`: when the next probe is due; None while closed. `failures` since a trip went well."""

    failures: int = 0
    until: float | None = None

    @property
    def open(self) -> bool:
        """Whether the dependency is left alone."""
        return self.until is not None

    def due(self, now: float) -> bool:
        """Whether it is time for a probe."""
        return self.until is not None and now >= self.until

    def failed(self, now: float) -> Breaker:
        """A trip or a probe failed."""
        pause = min(SHORTEST_S * 2 ** min(self.failures, 8), LONGEST_S)
        return Breaker(self.failures + 1, now + pause)

    def closed(self) -> Breaker:
        """A probe succeeded."""
        return Breaker(self.failures)

    def succeeded(self) -> Breaker:
        """A trip of the request path succeeded."""
        return self if not self.failures else Breaker()


CONNECTING = Breaker(until=0.0)
"""Before the first connection: a probe is due at once."""
