"""Two real brokers, the mirror between them over a line of ours, a steady load and the agent's own watch.

The ledger is what the on-prem broker acknowledged to the producer, a multiset of ids; it is held against the
committed records of the cloud's topic, which are what the stream job reads.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from faults.proxy import Line, Proxy
from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.handoffs import Site, Topic
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.local import mirror, one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.settings import Cluster, Kafka
from monitoring.mirror_lag import MirrorLag

EVENTS = Topic("mirrored.events", "onprem->cloud")
ANSWERS = Topic("mirrored.answers", "cloud->onprem")
TOPICS = (EVENTS, ANSWERS)
SITES: tuple[Site, ...] = ("onprem", "cloud")
PARTITIONS = 2
EVERY_S = 0.02
FLUSH_S = 60.0
LOOK_S = 0.1
DEADLINE_S = 180.0


@dataclass
class Load:
    """About `at_once` times fifty records a second to `topic` until stopped; `acknowledged` is the ledger.

    `size`: bytes of a record's value, which do not compress.
    """

    address: str
    topic: str
    at_once: int = 4
    size: int = 0
    acknowledged: Counter[bytes] = field(default_factory=Counter)
    given_up: int = 0
    sent: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """The thread's whole life."""
        log = KafkaLog(self.address)
        while not self.stopping.wait(EVERY_S):
            for _ in range(self.at_once):
                name, self.sent = b"%d" % self.sent, self.sent + 1
                value = random.randbytes(self.size)
                log.send(self.topic, value, name, on_delivery=partial(self._told, name))
        self.given_up += log.flush(FLUSH_S)

    def _told(self, name: bytes, error: Exception | None) -> None:
        self.given_up += error is not None
        self.acknowledged[name] += error is None


@contextmanager
def loaded(address: str, topic: str, at_once: int = 4, size: int = 0) -> Iterator[Load]:
    """Steady load for as long as the block; after it everything sent is acknowledged, or given up."""
    load = Load(address, topic, at_once, size)
    thread = threading.Thread(target=load.run, name="load")
    thread.start()
    try:
        yield load
    finally:
        load.stopping.set()
        thread.join()


@dataclass
class MirrorSite:
    """The parts of one run. `line`: between the mirror and the cloud's broker."""

    folder: Path
    processes: Processes
    line: Proxy
    ports: Mapping[str, int]
    clock: Clock = field(default_factory=Clock)

    def address(self, site: Site) -> str:
        """A broker's."""
        return f"127.0.0.1:{self.ports[site]}"

    @property
    def across(self) -> str:
        """The cloud's broker as it is known on-prem."""
        return f"127.0.0.1:{self.ports['proxy']}"

    def start_mirror(self) -> None:
        """As the deployment renders it, over the line."""
        config = self.folder / "mm2.properties"
        sites = self.address("onprem"), self.across
        config.write_text(mirror.properties(TOPICS, *sites, self.ports["mirror"]))
        self.processes.start("mirror", mirror.run_command(config))

    def kill_mirror(self) -> None:
        """SIGKILL: it hears nothing of its end."""
        child = self.processes.running.pop("mirror")
        os.killpg(child.pid, signal.SIGKILL)
        child.end(0)

    @contextmanager
    def watched(self) -> Iterator[MirrorLag]:
        """The agent's watch, over the line as the mirror; what it remembers is kept for the next."""
        addresses = self.address("onprem"), self.across
        onprem, cloud = (Cluster(bootstrap_servers=address, port=1) for address in addresses)
        watch = MirrorLag(Kafka(onprem=onprem, cloud=cloud), TOPICS, self.folder / "seen")
        watch.start()
        try:
            yield watch
        finally:
            watch.stop()

    def until(self, holds: Callable[[], bool], what: str, within_s: float = DEADLINE_S) -> float:
        """Wait for a condition; the real seconds it took. Raises Unavailable where it does not come true."""
        began = self.clock.elapsed()
        while not holds():
            if self.clock.elapsed() > began + within_s:
                raise Unavailable(what, "not yet", f"within {within_s:.0f} s", f"see {self.processes.logs}")
            wait(LOOK_S)
        return self.clock.elapsed() - began


def crossed(address: str, topic: str, committed: bool = True) -> Counter[bytes]:
    """How often each key stands in a topic, all partitions read to their end; also what was aborted."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "hotpath-ledger",
            "enable.auto.commit": False,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.partition.eof": True,
        }
    )
    unread = set(range(Admin(address).topics()[topic]))
    consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in unread])
    found: Counter[bytes] = Counter()
    while unread:
        message = consumer.poll(FLUSH_S)
        if message is None:
            raise Unavailable(f"topic {topic}", f"{found.total()} records", "its end")
        if (error := message.error()) is None:
            found[message.key()] += 1
        elif error.code() == KafkaError._PARTITION_EOF:
            unread.discard(message.partition())
    consumer.close()
    return found


@contextmanager
def mirror_site(line: Line | None = None) -> Iterator[MirrorSite]:
    """Both brokers, their topics and the mirror, which has spoken: the first records have crossed."""
    with tempfile.TemporaryDirectory(prefix="hotpath-mirror-") as name:
        folder, ports = Path(name), {p: free_port() for p in ("onprem", "cloud", "line", "proxy", "mirror")}
        processes = Processes(folder / "logs")
        try:
            one_broker.start("onprem", folder, ports["onprem"], processes)
            forwarded = ports["line"], ports["proxy"]
            one_broker.start("cloud", folder, ports["cloud"], processes, forwarded)
            with Proxy(ports["proxy"], ports["line"], line) as proxy:
                site = MirrorSite(folder, processes, proxy, ports)
                for place in SITES:
                    Admin(site.address(place)).ensure(TOPICS, place, PARTITIONS)
                site.start_mirror()
                yield site
        finally:
            processes.stop_all(["mirror"])
