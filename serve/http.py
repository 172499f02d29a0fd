"""The edge of a request: what is refused before anybody looks at its meaning, and the one shape of an error.

Owns content type, body limit and the deadline for a body; every refusal is `{"error": …}` and echoes nothing
of the body. Async lives here and in the app alone.
"""

from __future__ import annotations

import asyncio

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from hotpath.errors import BadInput

MOST_BYTES = 256 * 1024
"""Of a body: 64 rows of a wide event."""
BODY_DEADLINE_S = 5.0


def error(status: int, message: str) -> HTTPException:
    """The refusal to raise."""
    return HTTPException(status, message)


def refusal(status: int, found: BadInput) -> HTTPException:
    """A 4xx that names the field and what was expected, never what was found."""
    return error(status, f"{found.thing}: expected {found.expected}")


def answered(value: object, status: int = 200) -> Response:
    """A JSON answer, never cached."""
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(value), status, media_type="application/json", headers=headers)


def handle_errors(app: FastAPI) -> None:
    """Every refusal and every crash in the one shape."""

    async def refused(_: Request, found: Exception) -> Response:
        if not isinstance(found, StarletteHTTPException):
            return answered({"error": "internal error"}, 500)
        response = answered({"error": found.detail}, found.status_code)
        response.headers.update(found.headers or {})
        return response

    app.add_exception_handler(StarletteHTTPException, refused)
    app.add_exception_handler(Exception, refused)


async def json_body(request: Request) -> bytes:
    """The whole body. Raises 415 on another content type, 413 beyond the limit, 408 past the deadline.

    Raises 400 where the client left half way: nobody reads that answer, but it must not count as ours.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise error(415, "content-type: expected application/json")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > MOST_BYTES:
        raise too_large()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await _read(request)
    except TimeoutError as late:
        raise closing(408, f"body: expected within {BODY_DEADLINE_S:g} s") from late
    except ClientDisconnect as gone:
        raise error(400, "body: expected all of it") from gone


async def _read(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise too_large()
        parts.append(part)
    return b"".join(parts)


def too_large() -> HTTPException:
    """413."""
    return closing(413, f"body: expected at most {MOST_BYTES} bytes")


def closing(status: int, message: str) -> HTTPException:
    """A refusal whose answer ends the connection, because the rest of the body is not read."""
    return HTTPException(status, message, headers={"connection": "close"})
