"""One real broker for tests, faults and benchmarks: formatted, started, waited for.

The demonstration starts its brokers through its table of parts (`hotpath.local.stack`), both at once.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.kafka_admin import Admin
from hotpath.local import broker
from hotpath.local.processes import Processes

LOOK_S = 0.05
DEADLINE_S = 60.0


def start(
    name: str, folder: Path, port: int, processes: Processes, line: tuple[int, int] | None = None
) -> str:
    """Its bootstrap address, once it answers; its data and its file are named `name` below `folder`.

    `line`: as `broker.properties` takes it. Raises Unavailable where it does not answer within a minute.
    """
    config = folder / f"{name}.properties"
    config.write_text(broker.properties(port, port + 1, folder / name, line))
    subprocess.run(broker.format_command(name, config), check=True, capture_output=True, timeout=DEADLINE_S)
    processes.start(name, broker.run_command(config))
    address, clock = f"127.0.0.1:{port}", Clock()
    end = clock.elapsed() + DEADLINE_S
    while True:
        try:
            Admin(address).topics(1.0)
            return address
        except Unavailable:
            if clock.elapsed() > end:
                raise
            wait(LOOK_S)
