"""What the host-clock ledger costs the stream job: its throughput with a ledger beside it, and without.

A real broker holds `RECORDS` events of forty hosts. In each round the stream job lands them twice from
nothing, once alone and once with a process that keeps the ledger from the files just landed; the order
alternates. The figure is rows a second from the second manifest to the last: the first batches warm up.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson

from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import MINUTE, SECOND, Clock, wait
from hotpath.contract.load import load
from hotpath.errors import Unavailable
from hotpath.handoffs import topics
from hotpath.kafka import KafkaLog, MemoryLog
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local import one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.points import Points
from hotpath.settings import PROJECT
from hotpath.settings import load as load_settings
from ingest.records import rfc3339
from monitoring.clock_watch import ClockWatch
from monitoring.windows import Rules

RECORDS = 1_000_000
HOSTS = 40
PIPELINE = "flights"
DEADLINE_S = 600.0
WARM = 2
"""Batches that warm up."""

log = logging.getLogger("ledger_cost")


def measure(rounds: int = ROUNDS, records: int = RECORDS) -> Sequence[Row]:
    """One row: throughput with by throughput without."""
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(Path(folder) / "logs")
        try:
            address = one_broker.start("kafka", Path(folder), free_port(), processes)
            _fill(address, records)
            ratios = [_round(Path(folder), processes, address, n, records) for n in range(rounds)]
        finally:
            processes.stop_all([])
    return [row("ledger_cost", ratios, "higher", must=0.95)]


def _round(folder: Path, processes: Processes, address: str, number: int, records: int) -> float:
    sides = (False, True) if number % 2 == 0 else (True, False)
    found = {with_ledger: _landed(folder, processes, address, with_ledger, records) for with_ledger in sides}
    print(f"round {number}: {found[True]:.0f} rows/s with, {found[False]:.0f} without", flush=True)
    return found[True] / found[False]


def _landed(folder: Path, processes: Processes, address: str, with_ledger: bool, records: int) -> float:
    """Rows a second of one landing from nothing."""
    with tempfile.TemporaryDirectory(dir=folder) as data:
        env = {
            "HOTPATH__DATA": data,
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": address,
            "HOTPATH__SPARK__TRIGGER_S": "0",
        }
        processes.start("transform", (sys.executable, "-m", "transform.job", PIPELINE), env=env)
        if with_ledger:
            processes.start("ledger", (sys.executable, "-m", "benchmarks.ledger_cost", data), env=env)
        try:
            return _rate(Lake(Path(data) / "cloud" / "lake", PIPELINE), processes, records)
        finally:
            processes.stop("ledger", "transform")


def _rate(lake: Lake, processes: Processes, records: int) -> float:
    clock = Clock()
    end = clock.elapsed() + DEADLINE_S
    while (landed := lake.counts()["events"]) < records:
        if clock.elapsed() > end or processes.ended():
            raise Unavailable("stream job", f"{landed} rows landed", f"{records}", f"see {processes.logs}")
        wait(0.25)
    manifests = lake.manifests()
    rows = sum(m.counts.get("events", 0) for m in manifests[WARM:])
    return rows / ((manifests[-1].landed_at - manifests[WARM - 1].landed_at) / SECOND)


def _fill(address: str, records: int) -> None:
    contract = load(PROJECT / "config" / "pipelines" / f"{PIPELINE}.yaml")
    Admin(address).ensure(topics([contract]), "onprem", 4)
    kafka, clock, chance = KafkaLog(address, queued=500_000), Clock(), random.Random(4)
    now = clock.real()
    fields = {
        "departs_at": rfc3339(now - now % MINUTE), "carrier": "UA", "origin": "EWR", "dest": "IAH",
        "distance": 1400.0, "temp": 60.1, "dewp": 50.0, "humid": 70.2, "wind_speed": 10.4, "precip": 0.0,
        "pressure": 1012.5, "visib": 10.0,
    }  # fmt: skip
    for n in range(records):
        event = {
            **fields,
            "event_id": f"e{n}",
            "flight_id": f"f{n // 4}",
            "station_host": f"host-{chance.randrange(HOSTS)}",
            "event_time": rfc3339(clock.real() - SECOND),
        }
        while not kafka.send(contract.events.topic, orjson.dumps(event), key=b"%d" % (n // 4)):
            kafka.poll(0.1)
    while kafka.flush(1.0):
        pass


def keep_ledger(data: Path) -> None:
    """The process beside: a ledger from every manifest as it appears, as the monitoring job keeps it."""
    settings = load_settings()
    contract, clock = load(settings.pipelines / f"{PIPELINE}.yaml"), Clock()
    lake, sink = Lake(data / "cloud" / "lake", PIPELINE), MemoryLog()
    rules = Rules(
        int(settings.clocks.window_s * SECOND), int(settings.clocks.limit_s * SECOND), settings.clocks.confirm
    )
    watch = ClockWatch(lake, contract, rules, sink, Points(sink, clock, {}), clock, data / "ledger")
    while os.getppid() != 1:
        while (manifest := lake.manifest(watch.cursor)) is not None:
            watch.take(manifest)
        watch.tick()
        sink.entries.clear()
        wait(0.5)


if __name__ == "__main__":
    keep_ledger(Path(sys.argv[1]))
