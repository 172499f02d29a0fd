"""Trouble that comes again and again, told once a minute: for a loop that goes on whatever it meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from logging import Logger

from hotpath.errors import HotpathError

QUIET_S = 60.0
"""Between two tellings of the same trouble."""


@dataclass
class Troubles:
    """`elapsed`: real seconds."""

    log: Logger
    elapsed: Callable[[], float]
    _told: dict[tuple[str, str], float] = field(default_factory=dict)

    def tell(self, where: str, error: HotpathError | OSError) -> None:
        """Named by where it was and what it is about, whatever the value that was found."""
        key = where, error.thing if isinstance(error, HotpathError) else str(error.strerror)
        if self.elapsed() - self._told.get(key, -QUIET_S) >= QUIET_S:
            self._told[key] = self.elapsed()
            self.log.error("%s: %s", where, error)
