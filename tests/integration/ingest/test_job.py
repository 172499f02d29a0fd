"""The producers' process against a real broker, which plays both sites: history, kills, the seam.

One story in order: the import is killed and done again, then the replay is killed, meets the present and is
stopped. Every record is there once throughout.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from hotpath import progress
from hotpath.clock import MINUTE, SECOND, Clock, Segment
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.handoffs import ARRIVED_HEADER, MARKS, Mark, topics
from hotpath.kafka import Entry, KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.settings import PROJECT
from ingest import ledger, nycflights
from ingest.flights import WRONG_CLOCKS, Flights
from ingest.plan import plan
from tests.conftest import until

RATE = 20_000.0
"""Fast enough for the replay to meet the present within seconds."""


@dataclass
class Site:
    """A data folder, a contract with topics of its own, and the producers' process."""

    folder: Path
    kafka: str
    contract: Contract
    clock: Clock
    flights: Flights
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def topics(self) -> tuple[str, str]:
        return self.contract.events.topic, self.contract.labels.topic

    def start(self) -> subprocess.Popen[bytes]:
        env = {
            "HOTPATH__DATA": str(self.folder),
            "HOTPATH__PIPELINES": str(self.folder),
            "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": self.kafka,
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.kafka,
        }
        command = [sys.executable, "-m", "ingest.job", "flights"]
        self.running.append(subprocess.Popen(command, env={**os.environ, **env}, process_group=0))
        return self.running[-1]

    def noted(self) -> Counter[str]:
        return Counter(name for topic in self.topics for name in ledger.read(self.folder / "ledger", topic))

    def noted_bytes(self) -> int:
        return sum(file.stat().st_size for file in (self.folder / "ledger").glob("*.ids"))

    def stood(self) -> list[Entry]:
        log = KafkaLog(self.kafka)
        return [entry for topic in self.topics for entry in standing(log, topic)]

    def named(self, entry: Entry) -> str:
        field = self.contract.events.id if entry.topic == self.topics[0] else self.contract.labels.entity
        return str(orjson.loads(entry.value or b"")[field])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Site]:
    folder, own = tmp_path_factory.mktemp("ingest"), uuid4().hex
    text = (PROJECT / "config" / "pipelines" / "flights.yaml").read_text()
    (folder / "flights.yaml").write_text(text.replace("topic: flights.", f"topic: {own}."))
    contract = load(folder / "flights.yaml")
    Admin(kafka).ensure(topics([contract]), "onprem", 3)
    clock = Clock(folder / "clock.jsonl")
    played = plan(clock.real())
    clock.append(Segment(clock.real(), played.starts_at, 0))
    found = Site(
        folder,
        kafka,
        contract,
        clock,
        nycflights.flights(played, contract.events, contract.labels, WRONG_CLOCKS),
    )
    yield found
    for process in found.running:
        process.kill()
        process.wait()


def test_an_import_that_was_killed_is_completed_and_nothing_is_sent_twice(site: Site) -> None:
    killed = site.start()
    until(lambda: site.noted_bytes() > 1_000_000, "a part of the history is noted")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not Lake(site.folder / "cloud" / "lake", "flights").imports()

    site.start()
    lake = Lake(site.folder / "cloud" / "lake", "flights")
    until(lambda: bool(lake.imports()), "the import is recorded")
    played = site.flights.plan
    history = {r.id: r.at for r in site.flights.due(played.history_from, played.starts_at)}
    stood = site.stood()
    assert len(history) > 140_000
    assert Counter(map(site.named, stood)) == Counter(history.keys()), "each record stands once"
    assert site.noted() == Counter(history.keys()), "and is noted once"
    assert all(int(e.headers[ARRIVED_HEADER]) == history[site.named(e)] for e in stood)
    (done,) = lake.imports()
    assert all(done.covers(e.topic, e.partition, e.offset) for e in stood)


def test_a_replay_that_was_killed_meets_the_present_with_each_record_once_and_none_early(site: Site) -> None:
    """V0 |-- 20,000 times --x kill, restart ------ the present | -- real time --"""
    imported = site.noted()
    until(lambda: _said(site)["state"] == "waiting for the clock", "ready")
    site.clock.append(Segment(site.clock.real(), site.flights.plan.starts_at, RATE))
    before = site.noted_bytes()
    until(lambda: site.noted_bytes() > before + 20_000, "a part of the replay is noted")
    site.running[-1].send_signal(signal.SIGKILL)
    site.running[-1].wait()
    met = site.start()
    present = site.clock.real()
    until(lambda: site.clock.now() >= present, "virtual time meets the present")
    beyond = site.clock.now() + 5 * SECOND
    until(lambda: int(str(_said(site).get("virtual", 0))) > beyond, "some seconds in the present")
    met.send_signal(signal.SIGTERM)
    assert met.wait(10) == 0

    replayed = [e for e in site.stood() if ARRIVED_HEADER not in e.headers]
    starts = site.flights.plan.starts_at
    due = {r.id: r.at for r in site.flights.due(starts, site.clock.now())}
    sent = Counter(map(site.named, replayed))
    line = site.clock.timeline()
    assert {name for name, at in due.items() if at <= beyond} <= sent.keys() <= due.keys()
    assert set(sent.values()) == {1}
    assert site.noted() == imported + sent
    # The broker stamps whole milliseconds, so its stamp may lie one before the instant of sending.
    early = [e for e in replayed if line.virtual(e.at + 1000) < due[site.named(e)]]
    assert early == []


def test_the_line_was_marked_each_second_with_the_clock_of_the_site(site: Site) -> None:
    marks = [Mark.from_bytes(e.value) for e in standing(KafkaLog(site.kafka), MARKS)]
    assert [m.sequence for m in marks] == sorted(m.sequence for m in marks)
    assert marks[-1].at >= site.flights.plan.starts_at + 12 * 60 * MINUTE


def _said(site: Site) -> dict[str, progress.Shown]:
    return progress.read(site.folder / "state" / "ingest.json")
