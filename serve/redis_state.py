"""Redis as the scorer reads it: one connection, all keys of a request in one pipelined round trip.

redis-py makes the connection (address, TLS, login); the request path then writes and reads its socket
itself, with hiredis: redis-py's own way costs as much again as the round trip. The deadline (real) is of the
whole trip. After a failure the connection is gone: a reply that comes after its deadline is never taken for
the next one's. One key a command, so that a cluster's client can stand here one day. Its twin: `MemoryStore`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis import RedisError
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.retry import Retry

from hotpath.errors import Unavailable
from serve.state import PREFIX

CONNECT_S = 1.0
"""For address, TLS and login: nobody on the request path waits for them."""
PROBED = PREFIX + b"position"
RECEIVED = 65_536
_WHAT, _EXPECTED, _TODO = "Redis", "answers in time", "see redis.* in the settings, and Redis' own log"


class RedisStore:
    """`state.Store` over one connection to the Redis at `url`; `elapsed`: real seconds."""

    def __init__(self, url: str, deadline_s: float, elapsed: Callable[[], float]) -> None:
        retry = Retry(NoBackoff(), 0)
        # Protocol 2: nothing comes that was not asked for.
        self._pool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=CONNECT_S, socket_connect_timeout=CONNECT_S, retry=retry
        )
        self._deadline_s, self._elapsed = deadline_s, elapsed
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader()

    def connect(self) -> None:
        """See `Store.connect`."""
        self._drop()
        connection: Any = self._pool.make_connection()
        try:
            connection.connect()
        except RedisError as error:
            raise Unavailable(_WHAT, str(error), _EXPECTED, _TODO) from error
        # Ours from now on: redis-py's object closes what it still has when it goes.
        opened, connection._sock = connection._sock, None
        self._reader = hiredis.Reader()
        self._socket = opened
        self.got([PROBED])

    def got(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.got`."""
        if (opened := self._socket) is None:
            raise Unavailable(_WHAT, "no connection", _EXPECTED, _TODO)
        try:
            return self._trip(opened, keys)
        except (OSError, hiredis.HiredisError) as error:
            self._drop()
            raise Unavailable(_WHAT, str(error), _EXPECTED, _TODO) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._drop()

    def _trip(self, opened: socket.socket, keys: Sequence[bytes]) -> list[bytes | None]:
        end, count, reader = self._elapsed() + self._deadline_s, len(keys), self._reader
        opened.settimeout(self._deadline_s)
        opened.sendall(b"".join([b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(key), key) for key in keys]))
        replies: list[bytes | None] = []
        while True:
            if not (received := opened.recv(RECEIVED)):
                raise ConnectionResetError("Redis closed the connection")
            reader.feed(received)
            while (reply := reader.gets()) is not False:
                replies.append(reply if reply is None or type(reply) is bytes else _typed(reply))
            if len(replies) >= count:
                return replies
            if (left := end - self._elapsed()) <= 0:
                raise TimeoutError("timed out half way")
            opened.settimeout(left)  # of the whole trip: replies that drip do not prolong it

    def _drop(self) -> None:
        opened, self._socket = self._socket, None
        if opened is not None:
            with suppress(OSError):
                opened.close()


def _typed(reply: object) -> bytes:
    """b"" for a key of another type. Raises HiredisError where Redis refuses to answer at all."""
    if str(reply).startswith("WRONGTYPE"):
        return b""
    raise hiredis.ProtocolError(str(reply))


@dataclass
class MemoryStore:
    """The twin of `RedisStore` in memory; a value that is no bytes is one of another type.

    `away`: it does not answer; `trips`: the keys of each one that it answered.
    """

    values: dict[bytes, object] = field(default_factory=dict)
    away: bool = False
    connected: bool = False
    trips: list[Sequence[bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, records: Mapping[str, bytes]) -> MemoryStore:
        """One that holds these records of `hotpath.tiles`."""
        return cls({PREFIX + key.encode(): value for key, value in records.items()})

    def connect(self) -> None:
        """See `Store.connect`."""
        self.connected = not self.away
        if self.away:
            raise Unavailable(_WHAT, "away", _EXPECTED, _TODO)

    def got(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Store.got`."""
        if self.away or not self.connected:
            self.connected = False
            raise Unavailable(_WHAT, "away", _EXPECTED, _TODO)
        self.trips.append(tuple(keys))
        found = (self.values.get(key) for key in keys)
        return [value if value is None or isinstance(value, bytes) else b"" for value in found]
