"""A site for the producers' process: a data folder, a contract with its own topics, a clock, one broker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import orjson

from hotpath import progress
from hotpath.clock import Clock, Segment
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.handoffs import topics
from hotpath.kafka import Entry, KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Import, Lake
from hotpath.settings import PROJECT
from hotpath.settings import load as load_settings
from ingest import ledger
from ingest.plan import plan
from ingest.records import Due
from ingest.sources import SOURCES, Records, Start


@dataclass
class Site:
    """The broker plays both sites; the clock stands at the first instant of a replay."""

    folder: Path
    kafka: str
    contract: Contract
    clock: Clock
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def topics(self) -> tuple[str, str]:
        return self.contract.events.topic, self.contract.labels.topic

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """`python -m COMMAND`; the producers where none is named."""
        env = {
            "HOTPATH__DATA": str(self.folder),
            "HOTPATH__PIPELINES": str(self.folder),
            "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": self.kafka,
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": self.kafka,
        }
        asked = [sys.executable, "-m", *(command or ("ingest.job", self.contract.name))]
        self.running.append(subprocess.Popen(asked, env={**os.environ, **env}, process_group=0))
        return self.running[-1]

    def records(self) -> Records:
        """What the process replays, composed here."""
        return SOURCES[self.contract.name](load_settings(), self.contract, Start(self.first, self.begins))

    @property
    def first(self) -> int:
        return self.clock.timeline().segments[0].virtual

    @property
    def begins(self) -> int:
        return ledger.begins(self.folder / "ledger", self.contract.name, self.clock.now())

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

    def imports(self) -> tuple[Import, ...]:
        return Lake(self.folder / "cloud" / "lake", self.contract.name).imports()

    def said(self) -> dict[str, progress.Shown]:
        return progress.read(self.folder / "state" / f"ingest-{self.contract.name}.json")


@contextmanager
def site(name: str, folder: Path, kafka: str) -> Iterator[Site]:
    """A site of the pipeline `name`; its processes end with it."""
    pipelines, own = PROJECT / "config" / "pipelines", uuid4().hex
    text = (pipelines / f"{name}.yaml").read_text()
    (folder / f"{name}.yaml").write_text(text.replace(f"topic: {name}.", f"topic: {own}."))
    shutil.copytree(pipelines / name, folder / name)
    contract = load(folder / f"{name}.yaml")
    Admin(kafka).ensure(topics([contract]), "onprem", 3)
    clock = Clock(folder / "clock.jsonl")
    clock.append(Segment(clock.real(), plan(clock.real()).starts_at, 0))
    found = Site(folder, kafka, contract, clock)
    try:
        yield found
    finally:
        for process in found.running:
            process.kill()
            process.wait()


def ids(records: list[Due]) -> Counter[str]:
    """How often each id is to be sent."""
    return Counter(record.id for record in records)
