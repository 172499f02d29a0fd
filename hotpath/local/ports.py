"""Loopback ports for tests, faults and benchmarks that nobody else will be given meanwhile.

The system hands ports of its ephemeral range (on Linux 32768 to 60999) to outgoing connections; a part
that starts seconds after its port was chosen there may find it taken. So ports are drawn below that range,
at random, so that two runs on one machine rarely meet. Those that often run beside each other are given a
part each (HOTPATH_PORTS=20000-26000; the processes that they start draw from it too), and never meet.
"""

from __future__ import annotations

import os
import random
import socket
from contextlib import ExitStack

LOW, HIGH = 20_000, 32_000
"""From `LOW` on, below `HIGH`: outside the ephemeral range of Linux, of the BSDs and of Windows alike."""
PART = "HOTPATH_PORTS"
"""The environment variable that says which part of them, from its first on, below its last."""
TRIES = 1_000

_given: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """A port that nobody listens on and that this process was not given before (nor the next one).

    A broker's controller and H2O's inner port stand one above their own. Raises OSError where none is free.
    """
    low, high = map(int, os.environ.get(PART, f"{LOW}-{HIGH}").split("-"))
    for _ in range(TRIES):
        port = _chance.randrange(low, high, 2)
        if port not in _given and _free(port, port + 1):
            _given.add(port)
            return port
    raise OSError(f"no free pair of ports between {low} and {high} in {TRIES} tries")


def _free(*ports: int) -> bool:
    with ExitStack() as held:
        for port in ports:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def part(number: int, of: int) -> str:
    """What `PART` says to the one of that number, from 0 on, among so many."""
    pairs = (HIGH - LOW) // 2 // of
    low = LOW + 2 * pairs * number
    return f"{low}-{low + 2 * pairs}"
