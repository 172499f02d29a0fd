"""How fast events of twenty fields become Parquet in the lake, and how fresh it is.

json_to_parquet   MB/s of JSON over the demand's 11.1 (40 GB/h): a broker holds `RECORDS` events, the stream
                  job lands them; the first million warms up, each round is a stretch of batches after it
json_to_parquet_tiles   the same with an aggregate on 100,000 keys, told by the tiles' process beside the job;
                  what that takes after the last batch counts as time too
freshness_p95     under `PER_S` events a second: p95 of (manifest published - arrived on the broker), over the
                  trigger interval; a round is all that arrived in `STRETCH_S` seconds

The stream job is its own process with the settings as shipped. What else runs on the machine is a `Beside`: a
figure with more parts beside the job is one more function like `json_to_parquet`.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.rides import Rides, contract, tiled
from benchmarks.table import ROUNDS, Row, row
from hotpath import progress
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import topics
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake, Manifest
from hotpath.local import one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.settings import Settings
from hotpath.settings import load as load_settings

DEMAND = 11.1
"""MB/s: 40 GB/h."""
WARM, RECORDS = 1_000_000, 3_500_000
PER_S = 2_000
WARM_S, STRETCH_S = 30.0, 10.0
DEADLINE_S = 600.0
LOOK_S, PAUSE_S = 0.25, 0.01

Env = Mapping[str, str]
"""What a process is told by its environment: where data and broker are."""
Beside = Callable[[Processes, Env], None]
"""Starts what else runs while the stream job lands; all of it is stopped with the job."""


def alone(processes: Processes, env: Env) -> None:
    """Nothing beside the stream job."""


def tiles(processes: Processes, env: Env) -> None:
    """The process that tells tiles, and the marks that close them."""
    onprem = {"HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": env["HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS"]}
    processes.start("marks", (sys.executable, "-m", "ingest.marks"), env={**env, **onprem})
    processes.start("tiles", (sys.executable, "-m", "transform.tiles_job"), env=env)


def json_to_parquet(rounds: int = ROUNDS, records: int = RECORDS) -> Sequence[Row]:
    """The stream job alone with the broker."""
    found = throughput(contract(), alone, rounds, records)
    return [row("json_to_parquet", found, "higher", must=2, aim=3)]


def json_to_parquet_tiles(rounds: int = ROUNDS, records: int = RECORDS) -> Sequence[Row]:
    """The stream job with the tiles of 100,000 keys beside it."""
    found = throughput(tiled(), tiles, rounds, records)
    return [row("json_to_parquet_tiles", found, "higher", must=1.3, aim=2)]


def freshness_p95(rounds: int = ROUNDS, per_s: int = PER_S) -> Sequence[Row]:
    """The stream job under a steady load."""
    with _site(contract()) as site:
        site.job(alone)
        with _load(site, per_s) as sent:
            site.landed(sent, per_s)
            begin = site.clock.real() + int(WARM_S * SECOND)
            ends = [begin + int(n * STRETCH_S * SECOND) for n in range(rounds + 1)]
            while site.reached() < ends[-1]:
                site.look()
        found = _waits(site.lake, ends)
    trigger = site.settings.spark.trigger_s
    return [row("freshness_p95", [p95 / trigger for p95 in found], "lower", must=1.5)]


def throughput(
    landed: Contract, beside: Beside, rounds: int = ROUNDS, records: int = RECORDS
) -> Sequence[float]:
    """Times the demand, one figure a round; `landed` takes the events of `Rides`."""
    with _site(landed) as site:
        size, filled = _fill(site, records), site.clock.real()
        site.job(beside)
        site.landed(lambda: records, records)
        manifests = site.lake.manifests()
        share = site.told(manifests, filled)
    return [rate * size / 1e6 / DEMAND * share for rate in rates(manifests, rounds)]


def rates(manifests: Sequence[Manifest], rounds: int, warm: int = WARM) -> Sequence[float]:
    """Events a second in each of `rounds` stretches of whole batches after the first `warm` events.

    The last batch is what was left over, so it is in no stretch.
    """
    total = np.cumsum([m.counts.get("events", 0) for m in manifests])
    first, last = int(np.searchsorted(total, warm)), len(manifests) - 2
    cuts = np.linspace(first, last, rounds + 1).round().astype(int)
    at = np.array([m.landed_at for m in manifests]) / SECOND
    return [float(found) for found in np.diff(total[cuts]) / np.diff(at[cuts])]


@dataclass
class _Site:
    """A broker, a data folder with the deployed contract, and the stream job's lake."""

    contract: Contract
    folder: Path
    address: str
    processes: Processes
    settings: Settings = field(default_factory=load_settings)
    clock: Clock = field(default_factory=Clock)

    @property
    def lake(self) -> Lake:
        return Lake(self.folder / "data" / "cloud" / "lake", self.contract.name)

    def job(self, beside: Beside) -> None:
        env = {
            "HOTPATH__DATA": str(self.folder / "data"),
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.address,
        }
        self.processes.start(
            "transform", (sys.executable, "-m", "transform.job", self.contract.name), env=env
        )
        beside(self.processes, env)

    def look(self) -> None:
        """Wait a little. Raises Unavailable where a process has ended."""
        if self.processes.ended():
            raise Unavailable(
                "benchmark", [*self.processes.ended()], "to run on", f"see {self.processes.logs}"
            )
        wait(LOOK_S)

    def landed(self, wanted: Callable[[], int], least: int) -> None:
        """Wait until so many events are in the lake."""
        end = self.clock.elapsed() + DEADLINE_S
        while wanted() < least or self.lake.counts()["events"] < least:
            if self.clock.elapsed() > end:
                raise Unavailable(
                    "stream job", self.lake.counts(), f"{least} rows", f"see {self.processes.logs}"
                )
            self.look()

    def told(self, manifests: Sequence[Manifest], filled: Micros) -> float:
        """Wait until the tiles of all that arrived before `filled` are told: landing's share of the time."""
        layouts, said = [layout.id for layout in self.contract.layouts], self.settings.state("tiles")
        path = self.folder / "data" / "state" / said.name
        end = self.clock.elapsed() + DEADLINE_S
        while min((_through(path, name) for name in layouts), default=filled) < filled:
            if self.clock.elapsed() > end:
                raise Unavailable("tiles", progress.read(path), "all told", f"see {self.processes.logs}")
            self.look()
        first, last = manifests[0].landed_at, manifests[-1].landed_at
        return (last - first) / (self.clock.real() - first) if layouts else 1.0

    def reached(self) -> Micros:
        """When the newest batch was landed."""
        newest = self.lake.newest()
        found = None if newest is None else self.lake.manifest(newest)
        return 0 if found is None else found.landed_at


def _through(path: Path, layout: str) -> Micros:
    """Through which instant a layout is told; 0 where nobody has said."""
    said = progress.read(path).get("told")
    return int(said.get(layout, 0)) if isinstance(said, dict) else 0


@contextmanager
def _site(landed: Contract) -> Iterator[_Site]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes = Processes(folder / "logs")
        try:
            address = one_broker.start("kafka", folder, free_port(), processes)
            site = _Site(landed, folder, address, processes)
            Admin(address).ensure(topics([landed]), "onprem", site.settings.kafka.partitions)
            Deployed(folder / "data" / "deployed").put(landed)
            yield site
        finally:
            processes.stop_all([name for name in processes.running if name != "kafka"])


def _fill(site: _Site, records: int) -> float:
    """Send so many events at once; the mean of their sizes."""
    rides, kafka, size = Rides(), KafkaLog(site.address, queued=500_000), 0
    now = site.clock.real()
    for number in range(records):
        event = rides.event(number, now + number)
        size += len(event)
        while not kafka.send(site.contract.events.topic, event, key=event[12:28]):
            kafka.poll(0.1)
    while kafka.flush(1.0):
        pass
    return size / records


@contextmanager
def _load(site: _Site, per_s: int) -> Iterator[Callable[[], int]]:
    """So many events each second until the block ends; how many were sent by now."""
    rides, kafka, ended = Rides(), KafkaLog(site.address), threading.Event()
    sent, began = [0], site.clock.elapsed()

    def send() -> None:
        while not ended.wait(PAUSE_S):
            due = int((site.clock.elapsed() - began) * per_s)
            for number in range(sent[0], due):
                event = rides.event(number, site.clock.real())
                kafka.send(site.contract.events.topic, event, key=event[12:28])
            sent[0] = max(sent[0], due)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield lambda: sent[0]
    finally:
        ended.set()
        sender.join()


def _waits(lake: Lake, ends: Sequence[Micros]) -> Sequence[float]:
    """Per stretch, p95 of the seconds from an event's arrival on the broker to its manifest's being there."""
    arrived, waited = [], []
    for manifest in lake.manifests():
        at = lake.read("events", ["arrived_at"], [manifest])["arrived_at"].cast("int64").to_numpy()
        arrived.append(at)
        waited.append(_published(lake, manifest) - at)
    when, took = np.concatenate(arrived), np.concatenate(waited)
    stretches = [took[(when >= a) & (when < b)] for a, b in pairwise(ends)]
    return [float(np.quantile(stretch, 0.95)) / SECOND for stretch in stretches]


def _published(lake: Lake, manifest: Manifest) -> Micros:
    """When the manifest's name was linked, as the file system says."""
    return (lake.folder / "manifest" / f"{manifest.batch}.json").stat().st_ctime_ns // 1000
