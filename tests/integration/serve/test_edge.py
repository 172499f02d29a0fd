"""A head that is too large or never whole is closed, and costs nobody else an answer."""

from __future__ import annotations

import socket

import pytest

from tests.integration.serve.conftest import Running

HEAD = b"POST /v2/models/things/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def told(scorer: Running, *pieces: bytes) -> bytes:
    """All that the scorer says until it closes the connection; TimeoutError where it does not."""
    with socket.create_connection(("127.0.0.1", int(scorer.host.environment["HOTPATH__SERVE__PORT"]))) as to:
        to.settimeout(8)
        said = b""
        try:
            for piece in pieces:
                to.sendall(piece)
            while part := to.recv(65_536):
                said += part
        except ConnectionError:  # it closed while more was coming
            pass
        return said


@pytest.mark.parametrize("end", [b"", b"\r\nContent-Length: 0\r\n\r\n"])
def test_a_giant_header_is_431(scorer: Running, end: bytes) -> None:
    said = told(scorer, HEAD + b"X: ", b"a" * 40_000 + end)
    assert said.startswith(b"HTTP/1.1 431 ")
    scorer.ask()


def test_half_a_header_is_closed_within_five_seconds(scorer: Running) -> None:
    assert told(scorer, HEAD).startswith(b"HTTP/1.1 408 ")


def test_requests_on_one_connection_are_still_answered(scorer: Running) -> None:
    asked = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n"
    said = told(scorer, (asked + b"\r\n") * 3 + asked + b"Connection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 200 OK") == 4
