"""Steady load on a pipeline, and the ledger of what was acknowledged: the count outside the pipeline.

The ledger is a multiset of ids by topic, held against the rows that the trainer's reader sees (files that
manifests list). Never `distinct`: what landed twice must show.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact, Unavailable
from hotpath.kafka import KafkaLog
from hotpath.lake import Dataset, Lake
from tests import samples

EVERY_S = 0.02
AT_ONCE = 5
"""Events of each turn: 250 a second, with a label for every fourth and bad bytes as every fiftieth."""
FLUSH_S = 120
TORN = b'{"event_id": "torn'


@dataclass
class Load:
    """Produces to `servers` until stopped. `acknowledged` is the ledger, `given_up` must stay 0."""

    servers: str
    contract: Contract
    acknowledged: Counter[str] = field(default_factory=Counter)
    garbage: int = 0
    given_up: int = 0
    sent: int = 0
    newest: int = -1
    ended: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """The thread's whole life."""
        log = KafkaLog(self.servers)
        while not self.ended.wait(EVERY_S):
            for _ in range(AT_ONCE):
                self._send(log)
        self.given_up += log.flush(FLUSH_S)
        self.settled.set()

    def end(self) -> None:
        """Stop, and wait until everything sent is acknowledged, or counted as given up."""
        self.ended.set()
        self.settled.wait(FLUSH_S)

    @property
    def total(self) -> int:
        """Records acknowledged, bad ones too."""
        return self.acknowledged.total() + self.garbage

    def _send(self, log: KafkaLog) -> None:
        n, self.sent = self.sent, self.sent + 1
        events, labels = self.contract.events.topic, self.contract.labels.topic
        key = f"f{n // 4}".encode()
        if n % 50 == 49:
            log.send(events, TORN, b"x", on_delivery=self._told_of_garbage)
            return
        log.send(events, samples.raw(samples.event(n)), key, on_delivery=partial(self._told, f"e{n}", n))
        if n % 4 == 0:
            label = samples.raw(samples.label(n // 4))
            log.send(labels, label, key, on_delivery=partial(self._told, f"f{n // 4}", n))

    def _told(self, name: str, number: int, error: Exception | None) -> None:
        if error is not None:
            self.given_up += 1
            return
        self.acknowledged[name] += 1
        self.newest = max(self.newest, number)

    def _told_of_garbage(self, error: Exception | None) -> None:
        self.garbage += error is None
        self.given_up += error is not None


@contextmanager
def load(servers: str, contract: Contract) -> Iterator[Load]:
    """Steady load for as long as the block; after it everything sent is acknowledged, or counted."""
    made = Load(servers, contract)
    thread = threading.Thread(target=made.run, name="load")
    thread.start()
    try:
        yield made
    finally:
        made.end()
        thread.join()


@dataclass(frozen=True)
class Account:
    """The ledger against a lake: every figure must be 0 but `acknowledged`."""

    acknowledged: int
    lost: int
    duplicated: int
    torn: int
    given_up: int

    @property
    def holds(self) -> bool:
        """Whether everything acknowledged is there once, and whole."""
        return self.acknowledged > 0 and not (self.lost or self.duplicated or self.torn or self.given_up)


def account(made: Load, lake: Lake) -> Account:
    """Of an ended load, once all has landed. Raises BadArtifact where the lake cannot be read."""
    seen = ids(lake, made.contract)
    rejected = lake.read("rejected", ["raw"])
    bad = Counter(rejected["raw"].to_pylist() if rejected.num_rows else ())
    due = made.acknowledged + Counter({TORN.decode(): made.garbage})
    landed = seen + Counter({raw.decode(errors="replace"): times for raw, times in bad.items()})
    return Account(
        acknowledged=due.total(),
        lost=(due - landed).total(),
        duplicated=(landed - due).total() + twice(lake),
        torn=torn(lake),
        given_up=made.given_up,
    )


def ids(lake: Lake, contract: Contract) -> Counter[str]:
    """How often each event and each label stands in the lake."""
    found: Counter[str] = Counter()
    named: tuple[tuple[Dataset, str], ...] = (
        ("events", contract.events.id),
        ("labels", contract.labels.entity),
    )
    for dataset, column in named:
        table = lake.read(dataset, [column])
        found.update(table[column].to_pylist() if table.num_rows else ())
    return found


def twice(lake: Lake) -> int:
    """Places (topic, partition, offset) beyond their first row, over all that the load fills."""
    places: Counter[tuple[object, ...]] = Counter()
    columns = ("topic", "partition", "offset")
    named: tuple[Dataset, ...] = ("events", "labels", "rejected")
    for dataset in named:
        table = lake.read(dataset, columns)
        if table.num_rows:
            places.update(zip(*(table[c].to_pylist() for c in columns), strict=True))
    return places.total() - len(places)


def torn(lake: Lake) -> int:
    """Listed files that are absent, cut, or other bytes than their manifest says."""
    return sum(not _whole(lake, f.path, f.bytes, f.sha256) for m in lake.manifests() for f in m.files)


def _whole(lake: Lake, path: str, size: int, sha256: str) -> bool:
    try:
        data = (lake.folder / path).read_bytes()
    except OSError:
        return False
    return len(data) == size and hashlib.sha256(data).hexdigest() == sha256


def readable(lake: Lake) -> bool:
    """Whether the trainer's reader can read all that counts, now."""
    try:
        lake.read("events", ["event_id"])
    except (BadArtifact, Unavailable):
        return False
    return True
