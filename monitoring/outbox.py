"""Alarms on their way out: webhooks and apprise's services (mail, chat, pager), a thread for each.

Owns queue, retries and what is given up; knows no monitors. Nothing here ever holds up a verdict: a full
queue drops and counts. A destination's URL may hold a password, so messages name it by its place in the
settings.
"""

from __future__ import annotations

import logging
import stat
import threading
from collections import deque
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Protocol

import apprise
import httpx

from hotpath.clock import Clock
from hotpath.errors import BadConfig, Unavailable
from monitoring.alarms import notice, webhook
from monitoring.board import Alarm

log = logging.getLogger(__name__)

MOST_QUEUED = 1_000
PATIENCE_S = 900.0
"""How long one alarm is tried; then the next has its turn."""
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
TIMEOUT_S = 5.0
LAST_S = 0.2
"""For a delivery under way when the process ends."""
SERVICE_TIMEOUT_S = 30.0

_KINDS = {"clear": "success", "warn": "warning", "page": "failure"}


class Destination(Protocol):
    """Where alarms go."""

    @property
    def name(self) -> str:
        """What messages call it; never its URL."""

    def send(self, alarm: Alarm) -> None:
        """Deliver one. Raises Unavailable where another try may help, BadConfig where none will."""


class Webhook:
    """One URL that takes Alertmanager's webhook."""

    def __init__(self, name: str, url: str, console: str) -> None:
        self.name, self._url, self._console = name, url, console
        try:
            whole = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise BadConfig(name, "no URL", "http://… or https://…") from error
        if whole.scheme not in ("http", "https") or not whole.host:
            raise BadConfig(name, f"a URL of {whole.scheme or 'no scheme'}", "http://… or https://…")

    def send(self, alarm: Alarm) -> None:
        """See `Destination.send`: 429 and 5xx are tried again, what else is no 2xx is not."""
        body = webhook(alarm, self._console)
        try:
            status = httpx.post(self._url, json=body, timeout=TIMEOUT_S, trust_env=False).status_code
        except httpx.HTTPError as error:
            raise Unavailable(self.name, type(error).__name__, "an answer") from error
        if status == 429 or status >= 500:
            raise Unavailable(self.name, f"HTTP {status}", "2xx")
        if status >= 300:
            raise BadConfig(self.name, f"HTTP {status}", "2xx", "is this the URL of a webhook?")


class Service:
    """One of apprise's services."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        # apprise logs parts of a URL that it cannot read, and in it may stand a password.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        service = apprise.Apprise.instantiate(url)
        if service is None:
            raise BadConfig(name, "a URL that apprise does not know", "one of its services, like mailto://…")
        self._service = apprise.Apprise()
        self._service.add(service)

    def send(self, alarm: Alarm) -> None:
        """See `Destination.send`."""
        said = notice(alarm)
        kind = _KINDS[said.severity]
        if not self._service.notify(said.body, said.title, kind, timeout=SERVICE_TIMEOUT_S):
            raise Unavailable(self.name, "not delivered", "a delivery")


def destinations(webhooks: Iterable[str], apprise_file: Path | None, console: str) -> list[Destination]:
    """Those of the settings' section `alarms`. Raises BadConfig where one can't be used."""
    found: list[Destination] = [
        Webhook(f"alarms.webhooks[{n}]", url, console) for n, url in enumerate(webhooks)
    ]
    if apprise_file is not None:
        found += [Service(f"{apprise_file}:{n}", url) for n, url in _lines(apprise_file)]
    return found


def _lines(file: Path) -> list[tuple[int, str]]:
    try:
        mode, text = file.stat().st_mode, file.read_text()
    except OSError as error:
        raise BadConfig(
            "alarms.apprise_file", str(file), f"a file that can be read ({error.strerror})"
        ) from error
    except UnicodeDecodeError as error:
        raise BadConfig("alarms.apprise_file", str(file), "text in UTF-8, one URL a line") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadConfig(
            str(file), f"mode {stat.S_IMODE(mode):o}", "600: its URLs hold passwords", f"chmod 600 {file}"
        )
    lines = enumerate((line.strip() for line in text.splitlines()), 1)
    return [(n, line) for n, line in lines if line and not line.startswith("#")]


class Outbox:
    """One destination's queue and thread. Counts what was `sent` and what was `dropped`."""

    def __init__(self, to: Destination, clock: Clock, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self.sent = self.dropped = 0
        self._to, self._clock, self._pauses = to, clock, pauses_s
        self._queue: deque[Alarm] = deque()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alarms to {to.name}", daemon=True)
        self._thread.start()

    def put(self, alarm: Alarm) -> bool:
        """Take an alarm without waiting; False (counted) where too many wait already."""
        with self._changed:
            if len(self._queue) >= MOST_QUEUED:
                self.dropped += 1
                return False
            self._queue.append(alarm)
            self._changed.notify()
            return True

    def close(self, seconds: float) -> None:
        """Let the queue run empty for a while, then end; the rest is counted as dropped.

        A delivery that hangs is left to the end of the process: its thread is a daemon.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._queue, seconds)
            self._stop.set()
            self._changed.notify()
        self._thread.join(LAST_S)
        with self._changed:
            self.dropped += len(self._queue)
            self._queue.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stop.is_set())
                if self._stop.is_set():
                    return
                alarm = self._queue[0]
            delivered = self._delivered(alarm)
            with self._changed:
                if not self._queue:  # given up meanwhile, and counted
                    return
                self.sent, self.dropped = self.sent + delivered, self.dropped + (not delivered)
                self._queue.popleft()
                self._changed.notify()

    def _delivered(self, alarm: Alarm) -> bool:
        """Try until it is there, its patience ends or nothing will help."""
        end = self._clock.elapsed() + PATIENCE_S
        for pause in chain(self._pauses, repeat(self._pauses[-1])):
            try:
                self._to.send(alarm)
                return True
            except BadConfig as error:
                log.error("alarm not sent: %s", error)
                return False
            except Unavailable as error:
                if self._clock.elapsed() >= end or self._stop.wait(pause):
                    log.error("alarm given up: %s", error)
                    return False
        return False
