"""Law 1 on real parts: the stream job is killed, and the lake holds everything exactly once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from hotpath.child import Child
from hotpath.contract.load import load
from hotpath.files import hold
from hotpath.handoffs import topics
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local.processes import Processes
from hotpath.settings import PROJECT
from tests import samples
from tests.conftest import start_broker, until

POINTS = ("before the write", "mid-file", "before the manifest", "after the manifest")
KILLED = Path(__file__).with_name("killed.py")
CONTRACT = load(PROJECT / "config/pipelines/flights.yaml")
START_S = 90.0


@dataclass
class Producer:
    """Sends events, labels and bad bytes without pause; `acknowledged` is the ledger outside the pipeline."""

    servers: str
    acknowledged: Counter[str] = field(default_factory=Counter)
    garbage: int = 0
    sent: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        log = KafkaLog(self.servers)
        while not self.ended.wait(0.02):
            for _ in range(5):
                self._send(log)
        assert log.flush(20) == 0

    def _send(self, log: KafkaLog) -> None:
        n, self.sent = self.sent, self.sent + 1
        if n % 50 == 49:
            self.garbage += 1
            log.send(CONTRACT.events.topic, b'{"event_id": "torn', b"x")
            return
        body, key = samples.raw(samples.event(n)), f"f{n // 4}".encode()
        log.send(CONTRACT.events.topic, body, key, on_delivery=lambda e: self._told(f"e{n}", e))
        if n % 4 == 0:
            label = samples.raw(samples.label(n // 4))
            log.send(CONTRACT.labels.topic, label, key, on_delivery=lambda e: self._told(f"f{n // 4}", e))

    def _told(self, name: str, error: Exception | None) -> None:
        assert error is None
        self.acknowledged[name] += 1


@dataclass
class Job:
    """The stream job of one data folder, started as often as it is killed."""

    data: Path
    servers: str
    processes: Processes
    lives: int = 0

    @property
    def lake(self) -> Lake:
        return Lake(self.data / "cloud" / "lake", "flights")

    def landed(self) -> int:
        counts = self.lake.counts()
        return counts["events"] + counts["labels"] + counts["rejected"]

    def start(self, *command: str) -> Child:
        self.lives += 1
        env = {
            "HOTPATH__DATA": str(self.data),
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.servers,
            "HOTPATH__SPARK__TRIGGER_S": "0.2",
            # A life lasts seconds: the first compiler alone makes it ready soonest.
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        }
        return self.processes.start(f"transform-{self.lives}", [sys.executable, *command], env=env)

    def kill_at(self, point: str) -> None:
        """Run until a batch reaches `point`, then SIGKILL driver, JVM and workers together."""
        marker = self.data / f"reached-{self.lives}"
        landed = len(self.lake.manifests())
        process = self.start(str(KILLED), str(marker), point, str(landed + 1))
        until(lambda: marker.exists() or process.code() is not None, f"{point}; see {process.log}", START_S)
        assert process.code() is None, process.log.read_text()[-2000:]
        kill_tree(process)

    def kill_after_a_batch(self, chance: random.Random) -> None:
        """Run for a batch or a few, then SIGKILL whatever it is doing."""
        goal = len(self.lake.manifests()) + chance.randint(1, 4)
        process = self.start("-m", "transform.job", "flights")
        until(lambda: len(self.lake.manifests()) >= goal, f"batch {goal}; see {process.log}", START_S)
        kill_tree(process)


def kill_tree(process: Child) -> None:
    tree = [psutil.Process(process.pid)]
    tree += tree[0].children(recursive=True)
    for each in tree:
        # A worker whose driver is gone may end before its turn comes.
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.end()
    psutil.wait_procs(tree[1:], timeout=20)


def assert_exactly_once(lake: Lake, producer: Producer) -> None:
    """Lost 0, duplicated 0, torn 0, through the reader that training uses."""
    events, labels, rejected = (lake.read(name) for name in ("events", "labels", "rejected"))
    seen = Counter([*events["event_id"].to_pylist(), *labels["flight_id"].to_pylist()])
    assert seen - producer.acknowledged == Counter(), "duplicated"
    assert producer.acknowledged - seen == Counter(), "lost"
    assert rejected.num_rows == producer.garbage
    places = Counter(
        place
        for table in (events, labels, rejected)
        for place in zip(*(table[c].to_pylist() for c in ("topic", "partition", "offset")), strict=True)
    )
    assert set(places.values()) == {1}, "a record landed twice"
    assert set(rejected["raw"].to_pylist()) == {b'{"event_id": "torn'}


@pytest.fixture
def job(tmp_path: Path, processes: Processes) -> Iterator[Job]:
    servers = start_broker(f"kafka-{tmp_path.name}", tmp_path, processes)
    Admin(servers).ensure(topics([CONTRACT]), "onprem", 2)
    yield Job(tmp_path, servers, processes)
    processes.stop(f"kafka-{tmp_path.name}")


def hold_through_kills(job: Job, kills_each: int) -> None:
    producer = Producer(job.servers)
    thread = threading.Thread(target=producer.run)
    thread.start()
    chance = random.Random(7)
    for _ in range(kills_each):
        for point in POINTS:
            job.kill_at(point)
        job.kill_after_a_batch(chance)
    producer.ended.set()
    thread.join()
    last = job.start("-m", "transform.job", "flights")
    total = producer.acknowledged.total() + producer.garbage
    until(lambda: job.landed() >= total, f"all landed; see {last.log}", START_S)
    job.processes.stop(f"transform-{job.lives}")
    assert last.code() == 0, last.log.read_text()[-2000:]
    assert_exactly_once(job.lake, producer)
    assert len(job.lake.manifests()) > kills_each


def test_a_stream_job_killed_at_every_point_loses_and_repeats_nothing(job: Job) -> None:
    hold_through_kills(job, kills_each=1)


def test_a_second_stream_job_on_one_checkpoint_refuses_and_names_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "cloud" / "checkpoints" / "flights.lock"
    with hold(lock, "stream job a checkpoint"):
        second = subprocess.run(
            [sys.executable, "-m", "transform.job", "flights"],
            env={**os.environ, "HOTPATH__DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
    assert second.returncode == 1
    assert f"BadConfig: {lock}: found 'held by another process'" in second.stderr


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_a_campaign_of_kills_loses_and_repeats_nothing(job: Job) -> None:
    hold_through_kills(job, kills_each=int(os.environ["HOTPATH_KILLS"]))
