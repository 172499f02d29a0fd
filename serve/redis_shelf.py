"""Redis as the state's follower writes it; `MemoryShelf` is its twin.

Values and place go in as one transaction that is given up where the place has moved meanwhile. redis-py's own
client, with deadlines: nobody waits here for an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from redis import Redis, RedisError, WatchError
from redis.backoff import NoBackoff
from redis.retry import Retry

from hotpath.errors import Unavailable
from serve.state import PREFIX
from serve.tiles_follower import Values, expiry_s, is_layouts

PLACE = PREFIX + b"position"
DEADLINE_S = 5.0
_PAGE = 1_000


class RedisShelf:
    """`tiles_follower.Shelf` in the Redis at `url`."""

    def __init__(self, url: str) -> None:
        retry = Retry(NoBackoff(), 0)
        self._redis: Any = Redis.from_url(
            url, protocol=2, socket_timeout=DEADLINE_S, socket_connect_timeout=DEADLINE_S, retry=retry
        )

    def place(self) -> str | None:
        """See `Shelf.place`."""
        with _said():
            return _text(self._redis.get(PLACE))

    def clear(self, place: str) -> None:
        """See `Shelf.clear`."""
        with _said():
            # Without a place first: half of it gone must not look whole to the follower; and layouts' own
            # records before keys: to a scorer a key that is absent beside its layout's record has no tiles.
            self._redis.delete(PLACE)
            found = list(self._redis.scan_iter(match=PREFIX + b"*", count=_PAGE))
            found.sort(key=lambda key: not is_layouts(key.removeprefix(PREFIX)))
            for start in range(0, len(found), _PAGE):
                self._redis.unlink(*found[start : start + _PAGE])
            self._redis.set(PLACE, place)

    def put(self, values: Values, expected: str, place: str) -> bool:
        """See `Shelf.put`."""
        with _said(), self._redis.pipeline(transaction=True) as pipe:
            pipe.watch(PLACE)
            if _text(pipe.get(PLACE)) != expected:
                return False
            pipe.multi()
            for key, value in values.items():
                if value is None:
                    pipe.delete(PREFIX + key)
                else:
                    pipe.set(PREFIX + key, value, ex=expiry_s(value))
            pipe.set(PLACE, place)
            try:
                pipe.execute()
            except WatchError:
                return False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unavailable("Redis", str(error), "one that takes writes", "see redis.* and its log") from error


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


@dataclass
class MemoryShelf:
    """The twin of `RedisShelf`: `values` as Redis has them, the place among them."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    away: bool = False

    def place(self) -> str | None:
        """See `Shelf.place`."""
        self._there()
        return _text(self.values.get(PLACE))

    def clear(self, place: str) -> None:
        """See `Shelf.clear`."""
        self._there()
        self.values.clear()
        self.values[PLACE] = place.encode()

    def put(self, values: Values, expected: str, place: str) -> bool:
        """See `Shelf.put`."""
        if self.place() != expected:
            return False
        for key, value in values.items():
            self.values.pop(PREFIX + key, None)
            if value is not None:
                self.values[PREFIX + key] = value
        self.values[PLACE] = place.encode()
        return True

    def _there(self) -> None:
        if self.away:
            raise Unavailable("Redis", "away", "one that takes writes")
