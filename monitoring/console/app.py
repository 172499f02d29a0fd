"""The console over HTTP: one page, its files, the snapshot once or as a stream. Loopback, GET only.

It asks nobody who they are, so it must not be reached from elsewhere, not even by a page in the operator's
own browser: a Host that is not loopback is refused (DNS rebinding), nothing is sent to other origins, and
nothing here changes anything. The page loads nothing from anywhere else.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import orjson
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable

HERE = Path(__file__).parent
FILES: Mapping[str, tuple[str, str]] = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/console.js": ("console.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/vendor/uPlot.iife.min.js": ("vendor/uPlot.iife.min.js", "text/javascript; charset=utf-8"),
    "/vendor/uPlot.min.css": ("vendor/uPlot.min.css", "text/css; charset=utf-8"),
    "/vendor/LICENSE": ("vendor/LICENSE", "text/plain; charset=utf-8"),
}
"""Every path that there is, beside the snapshot's: its file and type."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MOST_READERS = 50
EVERY_S = 1.0
START_S = 10.0

State = Callable[[], Mapping[str, object]]


class Shared:
    """One snapshot a second for all readers, made by whoever asks first."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.readers = 0
        self._state, self._clock = state, clock
        self._lock = threading.Lock()
        self._made = float("-inf")
        self._bytes = b""

    def newest(self) -> bytes:
        """The newest snapshot as JSON, at most a second old."""
        with self._lock:
            if self._clock.elapsed() - self._made >= EVERY_S * 0.9:
                self._bytes = orjson.dumps(self._state())
                self._made = self._clock.elapsed()
            return self._bytes

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events: a snapshot a second (which is the heartbeat too), until the reader leaves."""
        self.readers += 1
        try:
            yield b"retry: 1000\n\n"
            while True:
                yield b"data: " + await asyncio.to_thread(self.newest) + b"\n\n"
                await asyncio.sleep(EVERY_S)
        finally:
            self.readers -= 1


def application(state: State, clock: Clock | None = None) -> FastAPI:
    """The console's application; `state` makes a snapshot (console/state.py), one call at a time."""
    app = FastAPI(title="Hotpath console", docs_url=None, redoc_url=None, openapi_url=None)
    shared = Shared(state, clock or Clock())
    app.add_middleware(Guard)

    @app.get("/state.json")
    def now() -> Response:
        return Response(shared.newest(), media_type="application/json")

    @app.get("/events")
    async def events() -> Response:
        if shared.readers >= MOST_READERS:
            return Response("too many readers", 503, media_type="text/plain")
        return StreamingResponse(shared.events(), media_type="text/event-stream")

    for path, (name, kind) in FILES.items():
        app.get(path)(_file(HERE / name, kind))
    return app


class Guard:
    """Refuses what does not come from this machine's own names; puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. No middleware of Starlette's: one between a stream and its reader hides that he has left."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        ours = scope["type"] != "http" or _host(Headers(scope=scope).get("host", "")) in LOOPBACK
        app = self._app if ours else Response("the console answers on loopback only", 421)
        await app(scope, receive, guarded)


def _host(header: str) -> str:
    """The name in a Host header, without its port; empty where it is no such header."""
    found = _HOST.fullmatch(header.lower())
    return found[1] if found else ""


def _file(path: Path, kind: str) -> Callable[[], Response]:
    def answer() -> Response:
        return Response(path.read_bytes(), media_type=kind)

    return answer


class Served:
    """The console in a thread of its own."""

    def __init__(self, application: FastAPI, host: str, port: int) -> None:
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer what is being answered, then end."""
        self._server.should_exit = True
        self._thread.join(START_S)

    def ready(self, clock: Clock) -> None:
        """Wait until it listens. Raises Unavailable where it can't, as on a port that is taken."""
        end = clock.elapsed() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or clock.elapsed() >= end:
                raise Unavailable("console", self.url, "an address that is free", "set console.port")
            wait(0.02)

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # uvicorn's way to say that it cannot listen; `ready` says so, monitoring goes on
            return


def serve(application: FastAPI, host: str, port: int, clock: Clock) -> Served:
    """Serve on loopback, in a thread. Raises Unavailable where the address is taken."""
    served = Served(application, host, port)
    served.ready(clock)
    return served
