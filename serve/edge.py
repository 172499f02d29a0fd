"""The head of a request, bounded in bytes and in time: what uvicorn leaves open, before a route can look.

A head that never ends would be kept, and copied again with every piece that comes, in the one event loop that
answers everybody. Knows uvicorn's httptools protocol, and nothing of what is asked.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 32 * 1024
DEADLINE_S = 5.0


class Edge(HttpToolsProtocol):
    """uvicorn's protocol: a head beyond the limit is 431, one not whole in time 408; then it closes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._heading, self._bytes, self._refused = True, 0, False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that says nothing at all is let go like one that is idle."""
        super().connection_made(transport)
        self._arm(self.timeout_keep_alive)

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer outlives its connection."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes while a head is not whole."""
        if self._refused:
            return
        if self._heading:
            if self._bytes == 0:
                self._arm(DEADLINE_S)
            self._bytes += len(data)
        super().data_received(data)
        if self._heading and self._bytes > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"at most {MOST_BYTES} bytes")

    def on_headers_complete(self) -> None:
        """The head is whole: hand it on, unless it is too large."""
        self._disarm()
        self._heading, self._bytes = False, 0
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"at most {MOST_BYTES} bytes")
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Of a refused request nothing is read."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """From here on the next head is waited for."""
        if not self._refused:
            super().on_message_complete()
        self._heading = True

    def _late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._arm(DEADLINE_S)  # pipelined behind a request that is still being answered
        elif self._bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"within {DEADLINE_S:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, expected: str) -> None:
        self._refused = True
        self._disarm()
        body = orjson.dumps({"error": f"header: expected {expected}"})
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            self.transport.close()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
