"""How a part is told to end: by SIGTERM, or by Ctrl-C."""

from __future__ import annotations

import signal
from threading import Event

ENDINGS = (signal.SIGTERM, signal.SIGINT)


def told_to_end() -> Event:
    """Set once this process is told to end; whoever waits, waits on it. For a root's main thread."""
    told = Event()
    for number in ENDINGS:
        signal.signal(number, lambda *_: told.set())
    return told
