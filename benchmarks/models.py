"""How soon the stream's newest record is in a model that answers.

fresh_model            seconds from the window's last record to the first answer of its model, over those in
                       which H2O grows it: 250,000 events of twenty features (200,000 train), 50 trees
fresh_model_of_decay   the same seconds over the three hours after which a model has begun to decay

Both brokers, the mirror, follower and scorer are real; the lake is filled beforehand. A round is one run of
`python -m train.job NAME --once`, at an instant of its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from benchmarks.table import ROUNDS, Row, row
from hotpath import keys
from hotpath.clock import HOUR, MINUTE, SECOND, Clock, Micros, Segment, wait
from hotpath.contract.example import example_request
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import POINTS, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import File, Lake, Manifest, schema
from hotpath.local import mirror, one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.points import Number, Point
from tests.integration.train.lakes import put_down

EVENTS, BATCHES, KINDS = 250_000, 10, 4
"""A fifth judges the model, so that 200,000 rows train it."""
DECAY_S = 3 * HOUR / SECOND
START: Micros = 1_795_000_000_000_000
WINDOW: Micros = 24 * HOUR
DEADLINE_S, LOOK_S = 300.0, 0.02
JSON = {"Content-Type": "application/json"}

_NUMBERS, _TEXTS = 16, 4
CONTRACT = """\
name: fresh
question: Will it be paid?
events:
  topic: fresh.asked
  id: id
  entity: id
  host: host
  time: time
  fields:
    id: {type: string}
    host: {type: string}
    time: {type: timestamp}
    NUMBERS
    TEXTS
labels:
  topic: fresh.told
  entity: id
  fields: {id: {type: string}, paid: {type: bool}}
  target: paid
  horizon: 12h
features:
  FEATURES
train: {window: 48h, holdout: 20%, retrain_every: 1h}
gate: {auc: ">= 0.55"}
serve: {fresh: 3h, expired: 24h}
"""


def contract() -> Contract:
    """Sixteen numbers and four categories, each of them a feature as it is."""
    numbers = [f"n{place:02d}" for place in range(_NUMBERS)]
    texts = [f"t{place}" for place in range(_TEXTS)]
    lines = {
        "NUMBERS": [f"{name}: {{type: double, nullable: true}}" for name in numbers],
        "TEXTS": [f"{name}: {{type: category, max_levels: 64}}" for name in texts],
        "FEATURES": [f"{name}: {name}" for name in (*numbers, *texts)],
    }
    text = CONTRACT
    for word, found in lines.items():
        indent = "  " if word == "FEATURES" else "    "
        text = text.replace(word, f"\n{indent}".join(found))
    return Contract.from_yaml(text, "fresh.yaml")


def land(lake: Lake, made: Contract, events: int = EVENTS, batches: int = BATCHES, seed: int = 7) -> Micros:
    """So many events over a day and a label for each, minutes later; the instant of the last arrival."""
    draw = np.random.default_rng(seed)
    size, span = events // batches, WINDOW - 20 * MINUTE
    for batch in range(batches):
        first = START + batch * span // batches
        arrived = np.sort(first + draw.integers(0, span // batches, size))
        table = _drawn(draw, arrived, batch * size)
        chance = 1 / (1 + np.exp(-(table["n00"] + 0.7 * table["n01"] * table["n02"] - 1)))
        paid = draw.random(size) < np.nan_to_num(chance, nan=0.3)
        told = arrived + draw.integers(MINUTE, 10 * MINUTE, size)
        labels = {"id": table["id"], "paid": paid, **_place("fresh.told", told, batch * size)}
        events_table = {**table, **_place("fresh.asked", arrived, batch * size)}
        files = tuple(
            _file(lake, made, name, batch, t) for name, t in (("events", events_table), ("labels", labels))
        )
        lake.publish(Manifest(batch, {}, {}, files, {"events": size, "labels": size}, 0))
    return int(START + WINDOW)


@dataclass(frozen=True)
class Place:
    """A deployment with its lake, and what its parts read from the environment."""

    folder: Path
    env: Mapping[str, str]
    processes: Processes
    url: str
    body: bytes
    clock: Clock

    def sequence(self) -> int:
        """Of the model that answers now; 0 where none does."""
        try:
            answer = httpx.post(self.url, content=self.body, headers=JSON, timeout=10)
        except httpx.HTTPError:
            return 0
        if answer.status_code != httpx.codes.OK:
            return 0
        return int(answer.json()["parameters"]["sequence"])


def fresh_model(rounds: int = ROUNDS) -> Sequence[Row]:
    """Runs one after the other, each from its start to the first answer of its model."""
    seconds, ratios = [], []
    with _place_with_lake() as place:
        for number in range(rounds + 1):  # the first warms the machine's caches
            taken, spent = _run(place, number)
            if number:
                seconds.append(taken)
                ratios.append(taken / float(spent["training/grow"]["seconds"] or 0))
    return [
        row("fresh_model", ratios, "lower", must=5, aim=2.5),
        row("fresh_model_of_decay", [s / DECAY_S for s in seconds], "lower", must=0.083, aim=0.028),
    ]


def _told(place: Place) -> Mapping[str, Mapping[str, Number]]:
    """What the newest run's stages told, by stage: `training/grow` is a part of `training`."""
    log = KafkaLog(place.env["HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS"])
    points = [Point.parse((entry.value or b"").decode()) for entry in standing(log, POINTS)]
    return {p.tags["stage"]: p.fields for p in points if p.measurement == "stage"}


def _run(place: Place, number: int) -> tuple[float, Mapping[str, Mapping[str, Number]]]:
    """One run; seconds to the first answer of its model, and what its stages told."""
    before = place.sequence()
    Clock(place.folder / "clock.jsonl").append(Segment(number + 1, START + WINDOW + number * HOUR, 0))
    began = place.clock.elapsed()
    command = (sys.executable, "-m", "train.job", "fresh", "--once")
    child = place.processes.start(f"train-{number}", command, env=dict(place.env))
    _until(place, lambda: place.sequence() > before, "the new model answers")
    taken = place.clock.elapsed() - began
    _until(place, lambda: child.code() is not None, "the trainer ends")
    spent = _told(place)
    seconds = {stage: fields["seconds"] for stage, fields in spent.items()}
    print(f"round {number}: {taken:.1f} s, {seconds}", flush=True)
    return taken, spent


@contextmanager
def _place_with_lake() -> Iterator[Place]:
    made = contract()
    with tempfile.TemporaryDirectory(prefix="hotpath-fresh-") as name:
        folder = Path(name)
        processes = Processes(folder / "logs")
        try:
            yield _started(folder, made, processes)
        finally:
            processes.stop_all(["follower", "mirror"])


def _started(folder: Path, made: Contract, processes: Processes) -> Place:
    ports = {name: free_port() for name in ("onprem", "cloud", "mirror", "serve", "h2o")}
    keys.make(folder / "cloud" / "keys" / "signing.pem", folder / "onprem" / "keys" / "verify.pem")
    Deployed(folder / "deployed").put(made)
    Clock(folder / "clock.jsonl").append(
        Segment(0, land(Lake(folder / "cloud" / "lake", made.name), made), 0)
    )
    sites = {site: f"127.0.0.1:{ports[site]}" for site in ("onprem", "cloud")}
    brokers = folder / "brokers"
    brokers.mkdir()
    for site in ("onprem", "cloud"):
        one_broker.start(site, brokers, ports[site], processes)
        Admin(sites[site]).ensure(topics([made]), site, 1)
    config = folder / "mm2.properties"
    config.write_text(mirror.properties(topics([made]), sites["onprem"], sites["cloud"], ports["mirror"]))
    processes.start("mirror", mirror.run_command(config))
    env = {
        **os.environ,
        "HOTPATH__DATA": str(folder),
        "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": sites["onprem"],
        "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": sites["cloud"],
        "HOTPATH__SERVE__PORT": str(ports["serve"]),
        "HOTPATH__H2O__PORT": str(ports["h2o"]),
    }
    processes.start("follower", (sys.executable, "-m", "serve.job"), env=env)
    processes.start("scorer", (sys.executable, "-m", "serve.app"), env=env)
    url = f"http://127.0.0.1:{ports['serve']}/v2/models/fresh/infer"
    return Place(folder, env, processes, url, json.dumps(example_request(made)).encode(), Clock())


def _until(place: Place, holds: Callable[[], bool], what: str) -> None:
    end = place.clock.elapsed() + DEADLINE_S
    while not holds():
        if place.clock.elapsed() > end:
            raise Unavailable(what, "not yet", f"within {DEADLINE_S:.0f} s", f"see {place.processes.logs}")
        wait(LOOK_S)


def _drawn(draw: np.random.Generator, arrived: np.ndarray, offset: int) -> dict[str, Any]:
    """Columns of an event's own fields; a tenth of the numbers is null."""
    size = len(arrived)
    found: dict[str, Any] = {
        "id": [f"e{offset + n}" for n in range(size)],
        "host": [f"host-{n}" for n in draw.integers(0, 40, size)],
        "time": arrived,
    }
    for place in range(_NUMBERS):
        values = draw.normal(size=size)
        found[f"n{place:02d}"] = np.where(draw.random(size) < 0.1, np.nan, values) if place > 2 else values
    for place in range(_TEXTS):
        found[f"t{place}"] = [f"level-{n}" for n in draw.integers(0, 8 << place, size)]
    return found


def _place(topic: str, arrived: np.ndarray, offset: int) -> dict[str, object]:
    """The columns that the lake adds."""
    size = len(arrived)
    return {
        "topic": [topic] * size,
        "partition": np.zeros(size, np.int32),
        "offset": np.arange(offset, offset + size),
        "arrived_at": arrived,
        "landed_at": arrived,
        "imported": np.zeros(size, bool),
    }


def _file(lake: Lake, made: Contract, name: str, batch: int, columns: Mapping[str, object]) -> File:
    source = made.sources[name]
    wanted = schema([(f.name, f.type) for f in source.fields])
    arrays = [pa.array(columns[f.name], from_pandas=True).cast(f.type) for f in wanted]
    return put_down(lake, name, source, batch, pa.Table.from_arrays(arrays, schema=wanted))
