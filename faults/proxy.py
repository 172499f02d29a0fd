"""The line between the sites as a TCP proxy that can be cut, slow and lossy, like the network.

Runs in a thread of its own; `cut` ends every connection and refuses new ones until `mend`. A line delays, it
does not throttle unless it is told to: what was read is written when it is due, much may be under way.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import cast

MOST_UNDER_WAY = 64 * 1024 * 1024
"""Bytes of a connection and direction: far more than any rate that is measured times any delay."""
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Line:
    """How the line is. `delay_s`: each direction's, half a round trip. `bytes_per_s`: of a connection and
    direction. `life_s`: a connection breaks at random, on average after so long. None: no bound, never.
    """

    delay_s: float = 0.0
    bytes_per_s: float | None = None
    life_s: float | None = None


class Proxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target` between `with` and its end.

    `broken` counts the connections that a lossy line has ended.
    """

    def __init__(self, port: int, target: int, line: Line | None = None, seed: int = 0) -> None:
        self._port, self._target = port, target
        self._good = self._line = line or Line()
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self.broken = 0

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Nothing crosses from now on."""
        self._do(self._cut())

    def worsen(self, line: Line) -> None:
        """From now on the line is this one; what was under way is lost."""
        self._line = line
        self._do(self._break())

    def mend(self) -> None:
        """The line is back, as good as at the beginning."""
        self._line = self._good
        self._do(self._mend())

    def _do(self, step: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(PATIENCE_S)

    async def _mend(self) -> None:
        await self._break()
        if self._server is None:
            self._server = await self._loop.create_server(self._end, "127.0.0.1", self._port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._break()

    async def _break(self) -> None:
        for transport in list(self._open):
            transport.abort()

    def _end(self) -> _End:
        """The near end of a connection that was accepted; it opens the far one."""
        return _End(self._loop, self._line, self._open, self._connect)

    def _connect(self, near: _End) -> None:
        far = _End(self._loop, near.line, self._open, None, near)
        task = self._loop.create_task(self._reach(near, far))
        near.reaching = task
        if near.line.life_s is not None:
            self._loop.call_later(self._chance.expovariate(1 / near.line.life_s), self._dies, near)

    async def _reach(self, near: _End, far: _End) -> None:
        try:
            await self._loop.create_connection(lambda: far, "127.0.0.1", self._target)
        except OSError:
            near.abort()

    def _dies(self, near: _End) -> None:
        self.broken += near in {transport.get_protocol() for transport in self._open}
        near.abort()


class _End(asyncio.Protocol):
    """One end of a forwarded connection: what it reads the other one writes when it is due."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        line: Line,
        opened: set[asyncio.Transport],
        connect: Callable[[_End], None] | None,
        other: _End | None = None,
    ) -> None:
        self.line, self.other, self.reaching = line, other, cast("asyncio.Task[None] | None", None)
        self._loop, self._opened, self._connect = loop, opened, connect
        self._transport: asyncio.Transport | None = None
        self._free, self._under_way = 0.0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read nothing before there is somebody to write it."""
        self._transport = cast("asyncio.Transport", transport)
        self._opened.add(self._transport)
        if self.other is None and self._connect is not None:
            self._transport.pause_reading()
            self._connect(self)
        elif self.other is not None:
            self.other.other = self
            self.other.read_on()

    def data_received(self, data: bytes) -> None:
        """Due once the line is free for it, and its delay later."""
        now = self._loop.time()
        took = 0.0 if self.line.bytes_per_s is None else len(data) / self.line.bytes_per_s
        self._free = max(self._free, now) + took
        self._under_way += len(data)
        if self._under_way > MOST_UNDER_WAY and self._transport is not None:
            self._transport.pause_reading()
        self._loop.call_at(self._free + self.line.delay_s, self._arrive, data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the port's signature
        """The other end ends after all that is under way."""
        if self._transport is not None:
            self._opened.discard(self._transport)
        if self.other is not None:
            self._loop.call_at(max(self._free, self._loop.time()) + self.line.delay_s, self.other.close)

    def pause_writing(self) -> None:
        """Whoever reads here is slow: the other end reads on when it has caught up."""
        if self.other is not None and self.other._transport is not None:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """It has."""
        if self.other is not None:
            self.other.read_on()

    def read_on(self) -> None:
        """Read again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Write what has come over the line."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End once all is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End now, both ends."""
        for end in (self, self.other):
            if end is not None and end._transport is not None:
                end._transport.abort()

    def _arrive(self, data: bytes) -> None:
        if self._under_way > MOST_UNDER_WAY >= self._under_way - len(data):
            self.read_on()
        self._under_way -= len(data)
        if self.other is not None:
            self.other.write(data)
