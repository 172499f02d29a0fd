"""Small lakes of answers and labels, and a watch over one. Instants in minutes after START."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath.bundle_store import BundleStore
from hotpath.clock import HOUR, MINUTE, Clock, Micros
from hotpath.contract.model import Contract
from hotpath.kafka import Log, MemoryLog
from hotpath.lake import Dataset, File, Lake, Manifest, schema
from hotpath.local.live_quality import Answer, Label
from hotpath.points import Points
from hotpath.signatures import Pair
from monitoring.outcome_watch import OutcomeWatch
from tests.contract.samples import small
from transform.streams import SCORES

KEY = Ed25519PrivateKey.generate()
PAIR = Pair(KEY, KEY.public_key())
START: Micros = 1_795_000_000_000_000 // HOUR * HOUR
HORIZON = HOUR
LAST = "serve: {fresh: 3h, expired: 24h}\n"
CONTRACT = small("horizon: 24h", "horizon: 1h")
"""Entity `who`, target `truth`; no floor."""


def with_floor(floor: str) -> Contract:
    """The same contract with a floor."""
    return Contract.from_yaml(f"{CONTRACT.canonical().decode()[:-1]},floor: {floor}}}", "small.yaml")


@dataclass(frozen=True)
class Asked:
    """A score record: asked `at` minutes after START, landed under `place`."""

    at: float
    who: str | None
    score: float | None
    place: int = 0
    sequence: int = 1
    id: str = ""
    bundle: str = ""
    threshold: float = 0.5

    @property
    def asked_at(self) -> Micros:
        return START + int(self.at * MINUTE)

    def row(self) -> dict[str, object]:
        return {
            "prediction_id": self.id or f"p{self.place}",
            "entity": self.who,
            "score": self.score,
            "threshold": self.threshold,
            "bundle": self.bundle or f"b{self.sequence}",
            "sequence": self.sequence,
            "asked_at": self.asked_at,
            **_place(self.asked_at, 0, self.place),
        }

    def plain(self) -> Answer:
        return self.who, self.score, self.asked_at


@dataclass(frozen=True)
class Told:
    """A label that arrived `at` minutes after START."""

    at: float
    who: str
    truth: bool | None
    place: int = 0
    partition: int = 0

    @property
    def arrived_at(self) -> Micros:
        return START + int(self.at * MINUTE)

    def row(self) -> dict[str, object]:
        here = _place(self.arrived_at, self.partition, self.place)
        return {"who": self.who, "truth": self.truth, "seen": self.arrived_at, **here}

    def plain(self) -> Label:
        return self.who, bool(self.truth), self.arrived_at, self.partition, self.place


LABELS = schema([(f.name, f.type) for f in CONTRACT.labels.fields])


def land(lake: Lake, batch: int, asked: Sequence[Asked], told: Sequence[Told]) -> Manifest:
    """Publish one batch, landed as late as its newest record arrived."""
    at = max([a.asked_at for a in asked] + [t.arrived_at for t in told], default=START)
    files = (
        *_file(lake, "scores", batch, [a.row() for a in asked], SCORES),
        *_file(lake, "labels", batch, [t.row() for t in told], LABELS),
    )
    manifest = Manifest(batch, {}, {}, files, {}, at)
    lake.publish(manifest)
    return manifest


@dataclass
class Site:
    """A lake, a log and a folder; `watch` begins again with what they hold."""

    root: Path
    contract: Contract = CONTRACT
    log: Log | None = None

    def __post_init__(self) -> None:
        self.lake = Lake(self.root / "lake", self.contract.name)
        self.store = BundleStore(self.root / "store")
        self.folder = self.root / "monitoring"
        self.log = self.log or MemoryLog()
        self.said = MemoryLog()

    def watch(self) -> OutcomeWatch:
        """The watch as a process that has just started would have it."""
        assert self.log is not None
        points, clock = Points(self.said, Clock(), {"pipeline": self.contract.name}), Clock()
        return OutcomeWatch(self.lake, self.contract, self.store, PAIR, self.log, points, clock, self.folder)

    def follow(self, watch: OutcomeWatch, manifests: Iterable[Manifest] | None = None) -> OutcomeWatch:
        """Let it take every batch in and look."""
        for manifest in self.lake.manifests() if manifests is None else manifests:
            watch.take(manifest)
        watch.look()
        return watch


def _place(arrived_at: Micros, partition: int, offset: int) -> dict[str, object]:
    return {
        "topic": "t",
        "partition": partition,
        "offset": offset,
        "arrived_at": arrived_at,
        "landed_at": arrived_at,
        "imported": False,
    }


def _file(
    lake: Lake, dataset: Dataset, batch: int, rows: list[dict[str, object]], columns: pa.Schema
) -> tuple[File, ...]:
    if not rows:
        return ()
    path = lake.folder / dataset / "schema=x" / f"batch_id={batch}" / "part.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=columns), path)
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return (File(str(path.relative_to(lake.folder)), dataset, len(rows), len(data), digest),)
