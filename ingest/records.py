"""A record of a source: what is sent, and the instant at which it arrives.

Pure. What is said at an instant arrives a little later; how much is decided by the record's name, so that
every run composes the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from zlib import crc32

import orjson

from hotpath.clock import SECOND, Micros

QUICKEST, SLOWEST = SECOND // 5, 3 * SECOND
"""How long a record is on its way, at least and at most."""


@dataclass(frozen=True, slots=True)
class Due:
    """A record and the instant at which it arrives; `id` is what a ledger knows it by.

    `copy` counts the equal records before it: a producer may send one twice.
    """

    at: Micros
    topic: str
    id: str
    key: bytes
    value: bytes
    copy: int = 0

    @property
    def order(self) -> tuple[Micros, str, str, int]:
        """Records are sent by arrival; what arrives at one instant by topic, id and copy."""
        return self.at, self.topic, self.id, self.copy

    def again(self) -> Due:
        """The next copy, which arrives at the same instant: no import can end between the two."""
        return replace(self, copy=self.copy + 1)


def arriving(topic: str, name: str, said: Micros, entity: str, fields: Mapping[str, object]) -> Due:
    """The record of something said at `said`."""
    return Due(said + way(name), topic, name, entity.encode(), orjson.dumps(fields))


def way(name: str) -> Micros:
    """How long the record of this name is on its way."""
    return QUICKEST + crc32(name.encode()) % (SLOWEST - QUICKEST)


@lru_cache(maxsize=4096)  # flights leave on whole minutes: most instants come again and again
def rfc3339(at: Micros) -> str:
    """An instant as a user's field spells it."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{at % SECOND:06d}Z"
