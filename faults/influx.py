"""InfluxDB away: killed under a steady stream of points, and started again much later.

Real parts: a Kafka broker, an influxd, the points' writer. What must hold: every point that was said is in
InfluxDB in the end, and whoever says one never waits. HOTPATH_AWAY_S makes the absence shorter.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.table import Fault, Outcome
from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.handoffs import HANDOFFS, POINTS
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.kafka_group import KafkaGroup
from hotpath.local import influxd, one_broker
from hotpath.local.points_check import written
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.points import Points
from hotpath.settings import Settings, load
from monitoring.influx import read_access, write_access
from monitoring.influx_setup import set_up
from monitoring.writer import GROUP, Writer

AWAY_S = 600.0
BEFORE_S = AFTER_S = 10.0
EVERY_S = 0.02
BLOCKED_S = 0.5
"""A `say` that took longer has waited for something (a busy machine alone takes tens of milliseconds)."""
DEADLINE_S = 120.0


@dataclass
class Talker:
    """Says about fifty points a second; `slowest` is the longest that one of them took to be handed over."""

    points: Points
    clock: Clock
    said: int = 0
    refused: int = 0
    slowest: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """The thread's whole life."""
        while not self.stopping.wait(EVERY_S):
            began = self.clock.elapsed()
            taken = self.points.say("mirror", {"behind": self.said}, {"topic": f"t{self.said % 5}"})
            self.slowest = max(self.slowest, self.clock.elapsed() - began)
            self.said += taken
            self.refused += not taken


@dataclass
class Site:
    """The parts of one run."""

    settings: Settings
    processes: Processes
    clock: Clock

    def start_influxd(self) -> None:
        """Raises Unavailable where there is none to start, or it does not answer."""
        program = influxd.found()
        if program is None:
            raise Unavailable("influxd", None, "one on PATH or in the cache", "run make influxd")
        influxd.folder(self.settings).mkdir(parents=True, exist_ok=True)
        self.processes.start("influxd", influxd.command(self.settings, program))
        set_up(self.settings, self.clock, DEADLINE_S)

    def kill_influxd(self) -> None:
        """SIGKILL: it hears nothing of its end."""
        child = self.processes.running.pop("influxd")
        os.killpg(child.pid, signal.SIGKILL)
        child.end(0)

    def writer(self) -> Writer:
        """As monitoring's root makes it."""
        address = self.settings.kafka.cloud.address
        return Writer(
            open_group=lambda: KafkaGroup(address, POINTS, GROUP),
            sink=write_access(self.settings),
            repair=lambda: set_up(self.settings, self.clock),
            points=Points(KafkaLog(address), self.clock, {}),
            clock=self.clock,
        )


def away(seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """Kill influxd for `HOTPATH_AWAY_S` seconds while points are said, bring it back, count."""
    seconds = float(os.environ.get("HOTPATH_AWAY_S", AWAY_S))
    with _site() as site:
        log = KafkaLog(site.settings.kafka.cloud.address)
        talker = Talker(Points(log, site.clock, {}), site.clock)
        writer, stop = site.writer(), threading.Event()
        threads = [
            threading.Thread(target=talker.run, name="talker"),
            threading.Thread(target=writer.run, args=(stop,), name="writer"),
        ]
        for thread in threads:
            thread.start()
        try:
            _absence(site, seconds)
        finally:
            talker.stopping.set()
            stop.set()
            for thread in threads:
                thread.join()
        log.flush(DEADLINE_S)
        drained = writer.drain(DEADLINE_S)
        writer.close()
        found = written(log, read_access(site.settings))
    figures = {
        "away_s": seconds,
        "said": talker.said,
        "not_taken": talker.refused,
        "written": found.written,
        "lost": found.lost,
        "slowest_say_s": round(talker.slowest, 4),
    }
    holds = drained and found.lost == talker.refused == 0 and found.written >= talker.said
    return Outcome(holds and talker.slowest <= BLOCKED_S, figures)


def _absence(site: Site, seconds: float) -> None:
    """A while with InfluxDB, a while without, a while with it again."""
    wait(BEFORE_S)
    site.kill_influxd()
    wait(seconds)
    site.start_influxd()
    wait(AFTER_S)


@contextmanager
def _site() -> Iterator[Site]:
    """A broker with the points' topic and an InfluxDB that is set up; all ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="hotpath-influx-") as name:
        folder, clock = Path(name), Clock()
        port = free_port()
        site = Site(_settings(folder, port), Processes(folder / "logs"), clock)
        try:
            address = one_broker.start("kafka", folder, port, site.processes)
            Admin(address).ensure([t for t in HANDOFFS if t.name == POINTS], "cloud", 1)
            site.start_influxd()
            yield site
        finally:
            site.processes.stop_all(["influxd", "kafka"])


def _settings(folder: Path, kafka_port: int) -> Settings:
    """A deployment in this folder, its cloud cluster and its InfluxDB on ports of the fault's own."""
    found = load()
    address = f"127.0.0.1:{kafka_port}"
    cloud = found.kafka.cloud.model_copy(update={"bootstrap_servers": address})
    given = {"url": None, "token_file": None, "port": free_port()}
    return found.model_copy(
        update={
            "data": folder / "run",
            "kafka": found.kafka.model_copy(update={"cloud": cloud}),
            "influxdb": found.influxdb.model_copy(update=given),
        }
    )


FAULTS = (
    Fault(
        "InfluxDB away for 10 minutes",
        "SIGKILL of influxd under fifty points a second; started again ten minutes later",
        away,
    ),
)
