"""Real parts that the faults of brokers, stream job, disks and checkpoints share, without the demonstration.

One broker that plays the cloud, and the stream job of `flights`; where the mirror matters, a broker on-prem
and MirrorMaker 2 before them. Everything ends with the site.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from faults.load import Load
from hotpath import progress
from hotpath.child import Child
from hotpath.clock import Clock, wait
from hotpath.contract.load import load as load_contract
from hotpath.errors import Unavailable
from hotpath.handoffs import Site as Place
from hotpath.handoffs import topics
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local import mirror, one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.settings import PROJECT

CONTRACT = load_contract(PROJECT / "config" / "pipelines" / "flights.yaml")
KILLED = Path(__file__).with_name("killed_job.py")
POINTS = ("before the write", "mid-file", "before the manifest", "after the manifest")
PARTITIONS = 2
LOOK_S = 0.1
DEADLINE_S = 120.0
TRIGGER_S = "0.2"


@dataclass
class StreamSite:
    """The parts of one run. `lake_root`: where the lake stands, if not in the data folder."""

    folder: Path
    processes: Processes
    mirrored: bool = False
    lake_root: Path | None = None
    clock: Clock = field(default_factory=Clock)
    ports: Mapping[str, int] = field(
        default_factory=lambda: {name: free_port() for name in ("onprem", "cloud", "mirror")}
    )
    lives: int = 0

    @property
    def data(self) -> Path:
        """The deployment's data folder."""
        return self.folder / "run"

    @property
    def checkpoint(self) -> Path:
        """The stream job's own memory."""
        return self.data / "cloud" / "checkpoints" / CONTRACT.name

    @property
    def lake(self) -> Lake:
        """What the trainer reads."""
        return Lake(self.lake_root or self.data / "cloud" / "lake", CONTRACT.name)

    @property
    def env(self) -> dict[str, str]:
        """What a part of this deployment finds in its environment."""
        found = {
            "HOTPATH__DATA": str(self.data),
            "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": self.address("onprem"),
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.address("cloud"),
            "HOTPATH__SPARK__TRIGGER_S": TRIGGER_S,
            # A life lasts seconds: the first compiler alone makes it ready soonest.
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        }
        return found if self.lake_root is None else {**found, "HOTPATH__LAKE__URL": str(self.lake_root)}

    @property
    def sent_to(self) -> str:
        """The broker that producers know."""
        return self.address("onprem" if self.mirrored else "cloud")

    def address(self, site: Place) -> str:
        """A broker's."""
        return f"127.0.0.1:{self.ports[site]}"

    def start_broker(self, site: Place) -> None:
        """Start it, or start it again on its own data; returns once it answers."""
        one_broker.start(site, self.folder, self.ports[site], self.processes)

    def start_mirror(self) -> None:
        """MirrorMaker 2, both ways, as the deployment renders it."""
        config = self.folder / "mm2.properties"
        sites = self.address("onprem"), self.address("cloud")
        config.write_text(mirror.properties(topics([CONTRACT]), *sites, self.ports["mirror"]))
        self.processes.start("mirror", mirror.run_command(config))

    def start_job(self, *command: str) -> Child:
        """The stream job, or `python COMMAND` in its place."""
        self.lives += 1
        asked = command or ("-m", "transform.job", CONTRACT.name)
        return self.processes.start(f"transform-{self.lives}", [sys.executable, *asked], env=self.env)

    @property
    def job(self) -> Child:
        """The stream job of now."""
        return self.processes.running[f"transform-{self.lives}"]

    def said(self) -> str:
        """What the stream job says it is doing."""
        return str(progress.read(self.data / "state" / f"transform-{CONTRACT.name}.json").get("state"))

    def stop_job(self) -> int | None:
        """SIGTERM; its exit code."""
        job = self.job
        self.processes.stop(f"transform-{self.lives}")
        return job.code()

    def kill_job(self) -> None:
        """SIGKILL to driver, JVM and workers together."""
        kill_tree(self.processes.running.pop(f"transform-{self.lives}"))

    def kill_at(self, point: str) -> None:
        """Run the job until a further batch reaches `point`, then kill it there."""
        marker = self.folder / f"reached-{self.lives}"
        landed = self.lake.newest()
        job = self.start_job(str(KILLED), str(marker), point, str(0 if landed is None else landed + 2))
        self.until(marker.exists, point, job)
        self.kill_job()

    def kill_after(self, batches: int) -> None:
        """Run the job for so many batches more, then kill it, whatever it is doing."""
        landed = self.lake.newest()
        goal = batches if landed is None else landed + batches
        job = self.start_job()
        self.until(lambda: (self.lake.newest() or 0) >= goal, f"batch {goal}", job)
        self.kill_job()

    def kill(self, part: str) -> None:
        """SIGKILL: it hears nothing of its end."""
        kill_tree(self.processes.running.pop(part))

    def pause(self, part: str, seconds: float) -> None:
        """SIGSTOP for so long, then SIGCONT, whatever happens."""
        child = self.processes.running[part]
        os.killpg(child.pid, signal.SIGSTOP)
        try:
            wait(seconds)
        finally:
            os.killpg(child.pid, signal.SIGCONT)

    def landed(self) -> int:
        """Records that the manifests count."""
        counts = self.lake.counts()
        return counts["events"] + counts["labels"] + counts["rejected"]

    def drained(self, load: Load) -> None:
        """Wait until everything that an ended load has acknowledged is landed, or more."""
        self.until(lambda: self.landed() >= load.total, "everything has landed", self.job)

    def until(
        self, holds: Callable[[], bool], what: str, job: Child | None = None, within_s: float = DEADLINE_S
    ) -> float:
        """Wait for a condition; the real seconds it took. Raises Unavailable where it does not come true."""
        began = self.clock.elapsed()
        while not holds():
            if self.clock.elapsed() > began + within_s:
                raise Unavailable(what, "not yet", f"within {within_s:.0f} s", f"see {self.processes.logs}")
            if job is not None and job.code() is not None:
                raise Unavailable(what, f"exit code {job.code()}", "a job that runs", job.last_words())
            wait(LOOK_S)
        return self.clock.elapsed() - began


def kill_tree(child: Child) -> None:
    """SIGKILL to a child and all below it: Spark's workers are in a group of their own."""
    tree = [psutil.Process(child.pid)]
    tree += tree[0].children(recursive=True)
    for each in tree:
        # A worker whose driver is gone may end before its turn comes.
        with suppress(psutil.NoSuchProcess):
            each.kill()
    child.end()
    psutil.wait_procs(tree[1:], timeout=20)


@contextmanager
def stream_site(
    mirrored: bool = False, lake_root: Path | None = None, folder: Path | None = None
) -> Iterator[StreamSite]:
    """Broker (two and the mirror where `mirrored`) and topics; the caller starts the stream job."""
    with tempfile.TemporaryDirectory(prefix="hotpath-stream-", dir=folder) as name:
        here = Path(name)
        site = StreamSite(here, Processes(here / "logs"), mirrored, lake_root)
        site.data.mkdir()
        places: tuple[Place, ...] = ("onprem", "cloud") if mirrored else ("cloud",)
        try:
            for place in places:
                site.start_broker(place)
                Admin(site.address(place)).ensure(topics([CONTRACT]), place, PARTITIONS)
            if mirrored:
                site.start_mirror()
            yield site
        finally:
            site.processes.stop_all([f"transform-{site.lives}", "mirror"])
