"""A real InfluxDB of a test's own: started, killed, started again, set up."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from hotpath.child import Child
from hotpath.clock import Clock
from hotpath.local import influxd
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.settings import Settings, load
from monitoring.influx_setup import set_up
from tests.conftest import DEADLINE_S, until


@dataclass
class Server:
    """One influxd of its own data folder; `settings` are a deployment's around it."""

    settings: Settings
    processes: Processes
    name: str = field(default_factory=lambda: f"influxd-{uuid4().hex[:6]}")

    def start(self) -> Child:
        """Start it, and wait until it is healthy."""
        program = influxd.found()
        assert program is not None, "no influxd: run make influxd"
        influxd.folder(self.settings).mkdir(parents=True, exist_ok=True)
        child = self.processes.start(self.name, influxd.command(self.settings, program))
        until(self.healthy, "influxd is healthy")
        return child

    def kill(self) -> None:
        """SIGKILL."""
        child = self.processes.running.pop(self.name)
        os.killpg(child.pid, signal.SIGKILL)
        child.end(0)
        until(lambda: not self.healthy(), "influxd is gone")

    def hang(self, hangs: bool) -> None:
        """SIGSTOP, or SIGCONT: its port takes connections and nobody answers."""
        os.killpg(self.processes.running[self.name].pid, signal.SIGSTOP if hangs else signal.SIGCONT)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.settings.influxdb.address}/health", timeout=1).is_success
        except httpx.HTTPError:
            return False

    def set_up(self) -> None:
        set_up(self.settings, Clock(), DEADLINE_S)


def settings_in(folder: Path, **changed: object) -> Settings:
    """A deployment's settings in a folder of its own, its InfluxDB on a port of its own."""
    found = load()
    port = {"port": free_port(), **changed}
    return found.model_copy(update={"data": folder, "influxdb": found.influxdb.model_copy(update=port)})
