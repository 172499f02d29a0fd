"""The process that tells tiles, on a real broker and a lake that a real stream job lands: both are killed.

Every row and every value on the topic, and so every feature, is then what jobs that nobody disturbed make of
the same topics.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from faults.stream_site import kill_tree
from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.handoffs import MARKS, TILES, Mark, topics
from hotpath.kafka import KafkaLog, MemoryLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local.processes import Processes
from hotpath.points import Points
from hotpath.settings import PROJECT
from hotpath.tiles import Tiles, unpacked
from tests import samples
from tests.conftest import start_broker, until
from transform.standing import Shelf
from transform.tiler import Seen, Tiler

AGGREGATES = """\
aggregates:
  late_at: {over: labels, by: origin, value: late, tile: 1s, horizon: 10m, delay: 5s, grace: 1s}
  far: {over: events, by: carrier, value: distance, tile: 1s, horizon: 10m, delay: 5s, grace: 1s}
"""
FEATURES = """\
  share: mean(late_at, "1m")
  landed: count(late_at)
  spread: std(far, "1m")
  newest: last(far)
"""
FILE = PROJECT / "config" / "pipelines" / "flights.yaml"
ORIGINS = 20
KILLS = 2
START_S = 120.0


def contract() -> Contract:
    """Flights with two aggregates more, and tiles of a second."""
    text = FILE.read_text()
    if "aggregates:\n" in text:
        text = text.replace("aggregates:\n", AGGREGATES, 1)
    else:
        text = text.replace("tables:\n", f"{AGGREGATES}\ntables:\n", 1)
    text = text.replace("  temp: temp\n", f"  temp: temp\n{FEATURES}", 1)
    return Contract.from_yaml(text, "flights.yaml", lambda name: (FILE.parent / name).read_text())


def secondly(contract: Contract) -> list[Layout]:
    """The two that are told every second; the flights' own wait minutes for their grace."""
    return [layout for layout in contract.layouts if layout.aggregate.name in ("late_at", "far")]


@dataclass
class Producer:
    """Events, labels and marks without pause; `acknowledged` labels by origin, outside the pipeline."""

    log: KafkaLog
    contract: Contract
    acknowledged: Counter[str] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)
    silent: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number, clock = 0, Clock()
        while not self.ended.wait(0.02):
            self.log.send(MARKS, Mark("onprem", number, clock.now()).to_bytes(), b"onprem")
            self.log.poll(0)
            number += 1
            if not self.silent.is_set():
                self.send(number)

    def send(self, number: int) -> None:
        origin = f"O{number * number % ORIGINS}"
        event = samples.event(number, origin=origin, distance=float(number % 3000))
        self.log.send(self.contract.events.topic, samples.raw(event), origin.encode())
        label = samples.raw(samples.label(number, origin=origin))

        def told(error: Exception | None) -> None:
            assert error is None
            self.acknowledged[origin] += 1

        self.log.send(self.contract.labels.topic, label, origin.encode(), on_delivery=told)


@contextmanager
def produced(log: KafkaLog, contract: Contract) -> Iterator[Producer]:
    made = Producer(log, contract)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        thread.join()


@dataclass
class Site:
    """What stands on the topic, and the two jobs."""

    contract: Contract
    log: KafkaLog
    processes: Processes
    env: dict[str, str]
    lives: int = 0

    def start(self, module: str, *arguments: str) -> str:
        self.lives += 1
        name = f"{module}-{self.lives}"
        self.processes.start(name, [sys.executable, "-m", module, *arguments], env=self.env)
        return name

    def kill(self, name: str) -> None:
        kill_tree(self.processes.running.pop(name))

    def topic(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for entry in standing(self.log, TILES):
            found.pop((entry.key or b"").decode(), None)
            if entry.value is not None:
                found[(entry.key or b"").decode()] = entry.value
        return found

    def told(self) -> Micros:
        """The instant that the two layouts are told through; 0 where one was never told."""
        topic = self.topic()
        own = [(topic.get(layout.id), layout) for layout in secondly(self.contract)]
        return min(0 if raw is None else unpacked(raw, layout).through for raw, layout in own)


def undisturbed(lake: Lake, contract: Contract, at: Micros) -> dict[str, bytes]:
    """What a tiler tells that reads the whole lake at once, all having landed."""
    log, clock = MemoryLog(), Clock()
    tiler = Tiler(lake, Shelf(log, clock), clock, Points(log, clock, {}))
    tiler.follow([contract], {})
    tiler.turn(Seen(at, {}))
    return {(e.key or b"").decode(): e.value for e in log.entries if e.topic == TILES and e.value is not None}


def rows(lake: Lake) -> list[dict[str, object]]:
    """Every event and label that landed, and where it stood, whatever its batch and when that landed."""
    datasets = (lake.read(name) for name in ("events", "labels") if lake.counts()[name])
    found = [row for table in datasets for row in table.drop_columns(["landed_at"]).to_pylist()]
    return sorted(found, key=lambda row: (row["topic"], row["partition"], row["offset"]))


def values(topic: dict[str, bytes], contract: Contract, end: Micros) -> dict[str, Tiles]:
    """The tiles of each key that ended by `end`, without when and of what batch they were told."""
    found = {}
    for layout in secondly(contract):
        for key, raw in topic.items():
            if key.startswith(f"{layout.id}/"):
                tiles = unpacked(raw, layout)
                count = sum((n + 1) * layout.aggregate.tile <= end for n in tiles.numbers)
                parts = tuple(tuple(part[:count]) for part in tiles.parts)
                found[key] = Tiles(0, 0, tuple(tiles.numbers[:count]), parts)
    return found


def test_killed_while_they_tell_and_land_every_value_is_that_of_an_undisturbed_run(
    tmp_path: Path, processes: Processes
) -> None:
    found = contract()
    address = start_broker("tiles-kafka", tmp_path, processes)
    Admin(address).ensure(topics([found]), "onprem", 2)
    data = tmp_path / "run"
    Deployed(data / "deployed").put(found)
    env = {
        "HOTPATH__DATA": str(data),
        "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": address,
        "HOTPATH__SPARK__TRIGGER_S": "0.2",
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
    }
    site = Site(found, KafkaLog(address), processes, env)
    lake = Lake(data / "cloud" / "lake", found.name)
    with produced(KafkaLog(address), found) as made:
        landing, tiler = site.start("transform.job", found.name), site.start("transform.tiles_job")
        for kill in range(KILLS):
            before = site.told()
            until(lambda before=before: site.told() > before, "tiles are told", START_S)  # type: ignore[misc]
            site.kill(tiler)
            if kill == 1:
                site.kill(landing)
                landing = site.start("transform.job", found.name)
            tiler = site.start("transform.tiles_job")
        made.silent.set()
        assert made.log.flush(20) == 0
        end = Clock().now() + SECOND
        until(lambda: site.told() > end, "all that was sent is told", START_S, lambda: processes.logs)
    processes.stop(tiler, landing)
    calm = Lake(tmp_path / "calm" / "cloud" / "lake", found.name)
    Deployed(tmp_path / "calm" / "deployed").put(found)
    landing = replace(site, env={**env, "HOTPATH__DATA": str(tmp_path / "calm")}).start(
        "transform.job", found.name
    )
    until(
        lambda: len(rows(calm)) == len(rows(lake)), "an undisturbed job landed as much", START_S,
        lambda: (len(rows(calm)), len(rows(lake)), processes.logs),
    )  # fmt: skip
    assert rows(calm) == rows(lake)
    processes.stop(landing)
    topic = site.topic()
    expected = undisturbed(calm, found, end + 10 * SECOND)
    assert values(topic, found, end) == values(expected, found, end)
    _, late_at = secondly(found)
    told = {origin: unpacked(topic[late_at.key(origin)], late_at) for origin in made.acknowledged}
    counts = {origin: sum(tiles.parts[0]) for origin, tiles in told.items()}
    assert counts == dict(made.acknowledged)
    processes.stop("tiles-kafka")
