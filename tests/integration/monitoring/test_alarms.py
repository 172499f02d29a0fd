"""Alarms arrive at a real HTTP server and by apprise as JSON and mail; a destination away holds up nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hotpath.clock import SECOND, Clock
from hotpath.errors import BadConfig, Unavailable
from hotpath.local.ports import free_port
from monitoring import outbox
from monitoring.board import Alarm
from monitoring.monitors import MONITORS
from monitoring.outbox import Outbox, Service, Webhook, destinations
from monitoring.verdicts import Change
from tests.conftest import until

# Some of apprise's plug-ins import what Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CONSOLE = "http://127.0.0.1:8090"
SILENCE = next(m for m in MONITORS if m.name == "line_silence")
NOW = 1_795_252_820 * SECOND
BEGIN = Alarm(SILENCE, "onprem", Change("begin", "clear", "page", NOW - 20 * SECOND, NOW, 61.0, 60))
END = Alarm(SILENCE, "onprem", Change("end", "page", "clear", NOW - 20 * SECOND, NOW, 0.5, 60))
ALERT = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
GROUP = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip


@dataclass
class Receiver:
    """A server that takes what is posted; `statuses` are its next answers, 200 after them."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = received.statuses.pop(0) if received.statuses else 200
            if status == 200:
                received.bodies.append(json.loads(body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Mailbox:
    """A small SMTP sink of the test's own: takes each mail and keeps its text."""

    port: int = 0
    mails: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        writer.write(b"220 sink\r\n")
        while line := (await reader.readline()).decode().upper().strip():
            if line == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"221 bye\r\n" if line == "QUIT" else b"250 ok\r\n")
            if line == "QUIT":
                break
        writer.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box, loop, up = Mailbox(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(box.talk, "127.0.0.1", 0)
        box.port = server.sockets[0].getsockname()[1]
        up.set()
        await stop.wait()
        server.close()
        await server.wait_closed()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert up.wait(10)
    yield box
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PATIENCE_S", 0.5)


def test_a_webhook_receives_begin_and_end_in_alertmanagers_format(receiver: Receiver) -> None:
    box = Outbox(Webhook("alarms.webhooks[0]", receiver.url, CONSOLE), Clock())
    assert box.put(BEGIN)
    assert box.put(END)
    until(lambda: len(receiver.bodies) == 2, "both arrived", 10)
    box.close(1)
    for body in receiver.bodies:
        assert body.keys() == GROUP
        assert all(alert.keys() == ALERT for alert in body["alerts"])
    assert [body["status"] for body in receiver.bodies] == ["firing", "resolved"]
    assert len({body["alerts"][0]["fingerprint"] for body in receiver.bodies}) == 1
    assert (box.sent, box.dropped) == (2, 0)


def test_a_destination_that_is_away_is_tried_again_and_keeps_the_order(receiver: Receiver) -> None:
    receiver.statuses = [503, 429, 500]
    box = Outbox(Webhook("alarms.webhooks[0]", receiver.url, CONSOLE), Clock(), pauses_s=(0.01,))
    for alarm in (BEGIN, END):
        box.put(alarm)
    until(lambda: len(receiver.bodies) == 2, "both arrived", 10)
    box.close(1)
    assert [body["status"] for body in receiver.bodies] == ["firing", "resolved"]


def test_what_no_retry_can_help_is_dropped_at_once_and_counted(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [404]
    box = Outbox(Webhook("alarms.webhooks[0]", receiver.url, CONSOLE), Clock())
    box.put(BEGIN)
    box.put(END)
    until(lambda: len(receiver.bodies) == 1, "the next one arrived", 10)
    box.close(1)
    assert (box.sent, box.dropped) == (1, 1)
    assert "alarms.webhooks[0]: found 'HTTP 404'" in caplog.text


@pytest.mark.usefixtures("patience")
def test_a_dead_destination_holds_up_nobody_and_its_queue_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "MOST_QUEUED", 5)
    dead = Webhook("alarms.webhooks[0]", f"http://127.0.0.1:{free_port()}", CONSOLE)
    box = Outbox(dead, Clock(), pauses_s=(60,))
    assert [box.put(BEGIN) for _ in range(7)] == [True] * 5 + [False] * 2
    box.close(0)
    assert box.sent == 0
    assert box.dropped == 7


def test_apprise_delivers_json_and_mail(receiver: Receiver, mailbox: Mailbox, tmp_path: Path) -> None:
    urls = tmp_path / "apprise"
    mail = f"mailto://127.0.0.1:{mailbox.port}?smtp=127.0.0.1&mode=insecure&from=hotpath@example.com&to=ops@example.com"
    urls.write_text(f"# chat\n{receiver.url.replace('http', 'json')}\n\n{mail}\n")
    urls.chmod(0o600)
    found = destinations([], urls, CONSOLE)
    assert [d.name for d in found] == [f"{urls}:2", f"{urls}:4"]
    for destination in found:
        destination.send(BEGIN)
    (chat,) = receiver.bodies
    assert (chat["title"], chat["type"]) == ("page: line_silence of onprem", "failure")
    assert SILENCE.todo in chat["message"]
    (text,) = mailbox.mails
    assert "To: ops@example.com" in text
    assert "page: line_silence of onprem" in text


def test_a_file_of_urls_that_others_may_read_is_refused(tmp_path: Path) -> None:
    urls = tmp_path / "apprise"
    urls.write_text("json://127.0.0.1\n")
    urls.chmod(0o640)
    with pytest.raises(BadConfig, match=r"mode 640.*chmod 600"):
        destinations([], urls, CONSOLE)
    with pytest.raises(BadConfig, match=r"alarms\.apprise_file"):
        destinations([], tmp_path / "nowhere", CONSOLE)


@pytest.mark.parametrize("line", ["nope://user:secret@host", "no url secret", "mailto://secret"])
def test_a_url_that_apprise_does_not_know_is_named_by_its_line_and_never_echoed(
    line: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    urls = tmp_path / "apprise"
    urls.write_text(f"json://127.0.0.1\n{line}\n")
    urls.chmod(0o600)
    with pytest.raises(BadConfig, match=f"{urls}:2") as refused:
        destinations([], urls, CONSOLE)
    assert "secret" not in str(refused.value) + caplog.text


@pytest.mark.parametrize("url", ["ftp://host/secret", "secret", "http://", "http://host:secret"])
def test_a_webhook_that_is_no_url_is_named_and_never_echoed(url: str) -> None:
    with pytest.raises(BadConfig, match=r"alarms\.webhooks\[0\]") as refused:
        destinations([url], None, CONSOLE)
    assert "secret" not in str(refused.value)


def test_a_service_that_does_not_answer_may_be_tried_again() -> None:
    service = Service("apprise:1", f"json://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="apprise:1"):
        service.send(BEGIN)
