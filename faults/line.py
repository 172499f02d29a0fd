"""The line between the sites: cut, or slow and lossy, then mended and drained.

On real brokers, mirror, stream job and monitoring.

Twelve honest hosts produce at sixty times the present's pace; the mirror reaches the cloud through a proxy
of ours. What must hold: a lag alarm that begins and ends, no host named, nothing lost or duplicated.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from faults.proxy import Line, Proxy
from faults.table import Fault, Outcome
from hotpath import keys
from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Clock, wait
from hotpath.contract.load import load
from hotpath.errors import Unavailable
from hotpath.handoffs import HOSTS, MARKS, POINTS, HostClock, Mark, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local import mirror, one_broker, timekeeper
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.points import Point
from hotpath.settings import PROJECT
from ingest.records import rfc3339

CUT_S = 30.0
"""Thirty virtual minutes at sixty times."""
SLOW_S = 60.0
SLOW = Line(delay_s=0.5, bytes_per_s=1_000, life_s=5.0)
HOSTS_HONEST = 12
EVERY_S = 0.05
DEADLINE_S = 240.0
LINE_ALARM = "line_silence"
PARTS = ("onprem", "cloud", "line", "proxy", "mirror", "console")
CLOCK_ALARMS = ("host_flagged", "events_ahead", "monitor_clock", "onprem_clock")


@dataclass
class Producer:
    """Steady events of honest hosts, and the marks, until stopped; `acknowledged` is the ledger outside."""

    log: KafkaLog
    clock: Clock
    topic: str
    chance: random.Random
    acknowledged: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """The thread's whole life."""
        number = second = 0
        while not self.stopping.wait(EVERY_S):
            for _ in range(2):
                number += 1
                self._send(f"e{number}")
            if (present := self.clock.real() // SECOND) > second:
                second = present
                mark = Mark("onprem", second, self.clock.now())
                self.log.send(MARKS, mark.to_bytes(), b"onprem")
        self.log.flush(10.0)

    def _send(self, name: str) -> None:
        now = self.clock.now()
        entity = f"f-{name}"
        event = {
            "event_id": name,
            "flight_id": entity,
            "station_host": f"host-{self.chance.randrange(HOSTS_HONEST)}",
            "event_time": rfc3339(now - self.chance.randrange(SECOND // 50, 3 * SECOND)),
            "departs_at": rfc3339(now - now % MINUTE + HOUR),
            "carrier": "UA",
            "origin": "EWR",
            "dest": "IAH",
            "distance": 1400.0,
        }

        def told(error: Exception | None) -> None:
            if error is None:
                self.acknowledged[name] += 1

        self.log.send(self.topic, orjson.dumps(event), entity.encode(), on_delivery=told)


@dataclass
class Site:
    """The parts of one run."""

    folder: Path
    processes: Processes
    clock: Clock
    ports: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in PARTS})

    @property
    def address(self) -> Mapping[str, str]:
        return {site: f"127.0.0.1:{self.ports[site]}" for site in ("onprem", "cloud")}

    @property
    def env(self) -> dict[str, str]:
        return {
            "HOTPATH__DATA": str(self.folder / "run"),
            "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": self.address["onprem"],
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.address["cloud"],
            "HOTPATH__CLOCKS__WINDOW_S": "10",
            "HOTPATH__CONSOLE__PORT": str(self.ports["console"]),
        }

    def hosts(self) -> list[HostClock]:
        return [HostClock.from_bytes(e.value) for e in standing(self._cloud(), HOSTS) if e.value]

    def alarms(self) -> list[tuple[str, float]]:
        """(monitor, level) in the order in which they were said."""
        found = [Point.parse((e.value or b"").decode()) for e in standing(self._cloud(), POINTS)]
        return [(p.tags["monitor"], float(p.fields["level"] or 0)) for p in found if p.measurement == "alarm"]

    def good(self) -> set[str]:
        return {h.host for h in self.hosts() if h.state == "good"}

    def lag_levels(self) -> list[float]:
        return [level for name, level in self.alarms() if name == LINE_ALARM]

    def landed(self) -> Counter[str]:
        table = Lake(self.folder / "run" / "cloud" / "lake", "flights").read("events", ["event_id"])
        return Counter(table["event_id"].to_pylist() if table.num_rows else ())

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end = self.clock.elapsed() + DEADLINE_S
        while not holds():
            if self.clock.elapsed() > end:
                raise Unavailable(what, "not yet", f"within {DEADLINE_S:.0f} s", f"see {self.processes.logs}")
            if ended := self.processes.ended():
                raise Unavailable(what, sorted(ended), "parts that run", f"see {self.processes.logs}")
            wait(0.25)

    def _cloud(self) -> KafkaLog:
        return KafkaLog(self.address["cloud"])


def cut(seed: int, cut_s: float = CUT_S) -> Outcome:
    """Cut the line for `cut_s` real seconds under load, mend it, wait until all is drained."""
    return _trouble(seed, Proxy.cut, cut_s)


def slow(seed: int, slow_s: float = SLOW_S) -> Outcome:
    """Half a second each way, 1 KB/s and a connection that breaks every few seconds; mended, drained."""
    return _trouble(seed, lambda line: line.worsen(SLOW), slow_s)


def _trouble(seed: int, begin: Callable[[Proxy], None], lasts_s: float) -> Outcome:
    with _site() as site, Proxy(site.ports["proxy"], site.ports["line"], seed=seed) as line:
        contract = _started(site)
        log = KafkaLog(site.address["onprem"])
        producer = Producer(log, site.clock, contract, random.Random(seed))
        thread = threading.Thread(target=producer.run, name="producer")
        thread.start()
        try:
            site.until(lambda: len(site.good()) >= HOSTS_HONEST, "every host judged good")
            begin(line)
            wait(lasts_s)
            line.mend()
            site.until(lambda: site.lag_levels()[-1:] == [0.0], "the lag alarm has ended")
        finally:
            producer.stopping.set()
            thread.join()
        site.until(lambda: not producer.acknowledged - site.landed(), "all has landed")
        outcome = _judged(site, producer, lasts_s)
        return Outcome(outcome.holds, {**outcome.figures, "connections_broken": line.broken})


def _judged(site: Site, producer: Producer, lasts_s: float) -> Outcome:
    said = site.lag_levels()
    landed, acknowledged = site.landed(), producer.acknowledged
    flagged = sorted({h.host for h in site.hosts() if h.state in ("ahead", "behind")})
    clock_alarms = sorted({name for name, level in site.alarms() if name in CLOCK_ALARMS and level > 0})
    figures = {
        "lasted_s": lasts_s,
        "acknowledged": acknowledged.total(),
        "lost": (acknowledged - landed).total(),
        "duplicated": (landed - acknowledged).total(),
        "honest_hosts_flagged": len(flagged),
        "clock_alarms": len(clock_alarms),
        "lag_alarm_level": max(said, default=0.0),
    }
    none = ("lost", "duplicated", "honest_hosts_flagged", "clock_alarms")
    return Outcome(all(figures[name] == 0 for name in none) and max(said, default=0) > 0, figures)


@contextmanager
def _site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="hotpath-line-") as folder:
        clock = Clock(Path(folder) / "run" / "clock.jsonl")
        site = Site(Path(folder), Processes(Path(folder) / "logs"), clock)
        try:
            yield site
        finally:
            site.processes.stop_all(["monitoring", "transform", "mirror"])


def _started(site: Site) -> str:
    """Brokers, topics, mirror, stream job, monitoring; the events' topic."""
    contract = load(PROJECT / "config" / "pipelines" / "flights.yaml")
    declared = topics([contract])
    one_broker.start("onprem", site.folder, site.ports["onprem"], site.processes)
    cloud = (site.ports["line"], site.ports["proxy"])
    one_broker.start("cloud", site.folder, site.ports["cloud"], site.processes, cloud)
    Admin(site.address["onprem"]).ensure(declared, "onprem", 2)
    Admin(site.address["cloud"]).ensure(declared, "cloud", 2)
    config = site.folder / "mm2.properties"
    across = f"127.0.0.1:{site.ports['proxy']}"
    config.write_text(mirror.properties(declared, site.address["onprem"], across, site.ports["mirror"]))
    site.processes.start("mirror", mirror.run_command(config))
    run = site.folder / "run"
    run.mkdir()
    keys.make(run / "cloud" / "keys" / "signing.pem", run / "onprem" / "keys" / "verify.pem")
    timekeeper.begin(site.clock, site.clock.real() - DAY)
    timekeeper.run(site.clock)
    env = {**os.environ, **site.env}
    site.processes.start("transform", (sys.executable, "-m", "transform.job", contract.name), env=env)
    site.processes.start("monitoring", (sys.executable, "-m", "monitoring.job"), env=env)
    return contract.events.topic


FAULTS = (
    Fault(
        "line between the sites cut for 30 virtual minutes",
        "the mirror's way to the cloud ends in a proxy that refuses, then carries again",
        cut,
    ),
    Fault(
        "line between the sites slow and lossy",
        "the proxy carries 1 KB/s half a second late and breaks connections every few seconds, for a minute",
        slow,
    ),
)
