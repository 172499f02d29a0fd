"""A lake of a small contract with aggregates, and its tiler on a log in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.handoffs import TILES
from hotpath.kafka import MemoryLog
from hotpath.lake import File, Lake, Manifest, Offsets, schema
from hotpath.points import Points
from hotpath.tiles import Reader, Tiles, unpacked
from tests.contract.samples import CONTRACT
from transform.standing import Shelf, stood
from transform.tiler import Seen, Tiler

START: Micros = 1_800_000_000 * SECOND
AGGREGATES = """\
aggregates:
  sizes: {over: events, by: who, value: size, digits: 1, tile: 10s, horizon: 60s, delay: 20s, grace: 5s}
  truths: {over: labels, by: who, value: truth, tile: 10s, horizon: 30s, delay: 20s, grace: 5s}
features:
  sizes_mean: mean(sizes)
  sizes_std: std(sizes, "30s")
  sizes_last: last(sizes)
  asked: count(sizes, "20s")
  truths_share: mean(truths)
  truths_age: age(truths)
"""
TILED = Contract.from_yaml(CONTRACT.replace("features:\n", AGGREGATES), "small.yaml")
Row = Mapping[str, object]


def event(who: str, at: float, size: float | None = 1.0) -> Row:
    """A question that arrives `at` seconds after START."""
    plain = {"id": "i", "host": "h", "at": START, "level": None, "flag": True, "count": 1}
    return {**plain, "who": who, "size": size, "arrived_at": START + int(at * SECOND)}


def label(who: str, at: float, truth: bool = True) -> Row:
    """A label that arrives `at` seconds after START."""
    return {"who": who, "truth": truth, "seen": START, "arrived_at": START + int(at * SECOND)}


def land(lake: Lake, contract: Contract, events: Sequence[Row], labels: Sequence[Row] = ()) -> Manifest:
    """Publish the next batch; one partition a topic, offsets go on from batch to batch."""
    newest = lake.newest()
    batch = 0 if newest is None else newest + 1
    before = None if newest is None else lake.manifest(newest)
    start: Offsets = {s.topic: {0: 0} for s in contract.sources.values()} if before is None else before.end
    end: Offsets = {}
    files = []
    for name, rows in (("events", events), ("labels", labels)):
        source = contract.source(name)
        first = start[source.topic][0]
        end[source.topic] = {0: first + len(rows)}
        place = {"topic": source.topic, "partition": 0, "landed_at": START, "imported": False}
        said = [{**row, **place, "offset": first + n} for n, row in enumerate(rows)]
        columns = schema([(f.name, f.type) for f in source.fields], {f.name: f.unit for f in source.fields})
        table = pa.Table.from_pylist(said, schema=columns)
        path = lake.folder / name / f"schema={source.fingerprint[:16]}" / f"batch_id={batch}"
        path.mkdir(parents=True, exist_ok=True)
        path /= f"{uuid4().hex}.parquet"
        pq.write_table(table, path, compression="zstd")
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        files.append(File(path.relative_to(lake.folder).as_posix(), name, len(rows), len(data), digest))
    counts = {"events": len(events), "labels": len(labels)}
    made = Manifest(batch, start, end, tuple(f for f in files if f.rows), counts, START)
    lake.publish(made)
    return made


@dataclass
class Site:
    """A lake, what is told of it, and the process that tells."""

    folder: Path
    contract: Contract = TILED
    log: MemoryLog = field(default_factory=MemoryLog)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lake = Lake(self.folder, self.contract.name)
        self.start()

    def start(self) -> None:
        """The process anew."""
        clock = Clock()
        self.tiler = Tiler(self.lake, Shelf(self.log, clock), clock, Points(self.log, clock, {}))
        self.tiler.follow([self.contract], stood(self.log))

    def land(self, events: Sequence[Row], labels: Sequence[Row] = ()) -> None:
        """A batch of all that stands in the topics."""
        manifest = land(self.lake, self.contract, events, labels)
        self.ends = {(t, p): end for t, parts in manifest.end.items() for p, end in parts.items()}

    def turn(self, at: float | None = None) -> None:
        """A turn, in which a mark is seen or none."""
        self.tiler.turn(None if at is None else Seen(START + int(at * SECOND), self.ends))

    def topic(self) -> dict[str, bytes]:
        """What stands on `hotpath.tiles`, by key."""
        found: dict[str, bytes] = {}
        for entry in (e for e in self.log.entries if e.topic == TILES):
            found.pop((entry.key or b"").decode(), None)
            if entry.value is not None:
                found[(entry.key or b"").decode()] = entry.value
        return found

    def own(self) -> list[Tiles]:
        """The layouts' own records."""
        topic = self.topic()
        return [unpacked(topic[layout.id], layout) for layout in self.contract.layouts]

    def read(self, who: str, at: float) -> dict[str, Value]:
        """What a row of that instant reads of the topic."""
        reader, topic = Reader.of(self.contract), self.topic()
        found = [unpacked(topic.get(layout.key(who), topic[layout.id]), layout) for layout in reader.layouts]
        return reader.read(found, START + int(at * SECOND))
