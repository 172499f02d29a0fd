"""The mirror on real parts: both ways, the on-prem broker's stamp, the keys, the headers, the lag."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotpath.clock import HOUR, Clock
from hotpath.contract.load import load
from hotpath.handoffs import ARRIVED_HEADER, MODELS, POINTS, topics
from hotpath.kafka import Entry, KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.local import mirror
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.points import Point
from hotpath.progress import read
from hotpath.settings import PROJECT, Cluster, Kafka
from monitoring.mirror_lag import MirrorLag
from tests.conftest import start_broker, until

DECLARED = topics([load(PROJECT / "config/pipelines/flights.yaml")])
EVENTS = "flights.status"


@dataclass
class Sites:
    """Two real brokers and the one real link between them."""

    kafka: Kafka

    def log(self, site: str) -> KafkaLog:
        return KafkaLog(getattr(self.kafka, site).address)

    def crossed(self, site: str, topic: str, count: int) -> list[Entry]:
        found: list[Entry] = []

        def enough() -> bool:
            found[:] = standing(self.log(site), topic)
            return len(found) >= count

        until(enough, f"{count} records of {topic} at {site}", 90)
        return found


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Iterator[Sites]:
    folder: Path = tmp_path_factory.mktemp("sites")
    addresses = {site: start_broker(f"m-{site}", folder, processes) for site in ("onprem", "cloud")}
    for site in ("onprem", "cloud"):
        Admin(addresses[site]).ensure(DECLARED, "onprem" if site == "onprem" else "cloud", 2)
    config = folder / "mm2.properties"
    config.write_text(mirror.properties(DECLARED, addresses["onprem"], addresses["cloud"], free_port()))
    processes.start("mirror", mirror.run_command(config))
    clusters = {s: Cluster(bootstrap_servers=a, port=1) for s, a in addresses.items()}
    yield Sites(Kafka(onprem=clusters["onprem"], cloud=clusters["cloud"]))
    processes.stop("mirror", "m-onprem", "m-cloud")


def test_an_event_crosses_with_its_key_headers_and_the_on_prem_brokers_stamp(sites: Sites) -> None:
    onprem, clock = sites.log("onprem"), Clock()
    before = clock.real()
    onprem.send(EVENTS, b"skewed", b"f1", {ARRIVED_HEADER: b"123"})
    assert onprem.flush(20) == 0
    after = clock.real()
    (source,) = standing(onprem, EVENTS)
    (copy,) = sites.crossed("cloud", EVENTS, 1)
    assert (copy.key, copy.value, dict(copy.headers)) == (b"f1", b"skewed", {ARRIVED_HEADER: b"123"})
    assert copy.partition == source.partition
    assert copy.at == source.at
    assert before - 1000 <= copy.at <= after < before + HOUR


def test_a_model_comes_back_over_the_same_link_and_its_tombstone_too(sites: Sites) -> None:
    cloud = sites.log("cloud")
    cloud.send(MODELS, b"announced", b"flights/b1")
    cloud.send(MODELS, None, b"flights/b1")
    assert cloud.flush(20) == 0
    found = sites.crossed("onprem", MODELS, 2)
    assert [e.value for e in found] == [b"announced", None]


def test_the_lag_falls_to_nothing_once_all_has_crossed(sites: Sites) -> None:
    onprem = sites.log("onprem")
    for n in range(500):
        onprem.send(EVENTS, b"x", b"%d" % n)
    assert onprem.flush(20) == 0
    watch = MirrorLag(sites.kafka, DECLARED)
    watch.start()
    until(lambda: watch.behind.get(EVENTS) == 0 and watch.behind.get(MODELS) == 0, "no lag", 90)
    watch.stop()
    assert len(sites.crossed("cloud", EVENTS, 501)) == 501


def test_the_agents_points_of_machine_and_mirror_cross_to_the_cloud(
    sites: Sites, processes: Processes, tmp_path: Path
) -> None:
    env = {
        "HOTPATH__DATA": str(tmp_path),
        "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": sites.kafka.onprem.address,
        "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": sites.kafka.cloud.address,
    }
    agent = processes.start("agent", [sys.executable, "-m", "monitoring.agent"], env=env)

    def told() -> dict[str, Point]:
        assert agent.code() is None, agent.log.read_text()
        found = (Point.parse((e.value or b"").decode()) for e in standing(sites.log("cloud"), POINTS))
        return {p.tags.get("topic", p.measurement): p for p in found}

    until(lambda: {"machine", EVENTS, MODELS} <= told().keys(), "machine and mirror stand in the cloud", 90)
    machine = told()["machine"]
    assert machine.tags["site"] == "onprem"
    assert all(0 <= float(machine.fields[name] or 0) <= 100 for name in ("cpu", "memory", "disk"))
    behind = read(tmp_path / "state" / "agent.json")["behind"]
    assert isinstance(behind, dict)
    assert behind[EVENTS] == 0
    processes.stop("agent")
    assert read(tmp_path / "state" / "agent.json")["state"] == "ended"


def test_while_the_cloud_is_away_the_lag_grows_instead_of_standing_still(
    sites: Sites, processes: Processes
) -> None:
    watch = MirrorLag(sites.kafka, DECLARED)
    watch.start()
    until(lambda: watch.behind.get(EVENTS) == 0, "no lag", 90)
    processes.stop("m-cloud")  # the last test here: nobody needs it any more
    onprem = sites.log("onprem")
    for n in range(50):
        onprem.send(EVENTS, b"x", b"%d" % n)
    assert onprem.flush(20) == 0
    until(lambda: watch.behind[EVENTS] == 50, "fifty events wait")
    watch.stop()
