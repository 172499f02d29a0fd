"""A pipeline's sample through the real stages, in a folder of its own: landed, windowed, trained, sealed.

The records are decoded and written by the stream job's own worker code, the rest is a whole run of the
trainer with its children, its log being one in memory. Arrival is what the records say: an event's own time,
a label's first instant (without one: a second after its event).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from hotpath import keys
from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import DAY, SECOND, Clock, Micros, Segment
from hotpath.contract import metrics
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.model import Contract
from hotpath.contract.parts import Gate, Rule, Source
from hotpath.contract.types import Type, Value
from hotpath.errors import BadInput
from hotpath.kafka import MemoryLog
from hotpath.lake import File, Lake, Manifest
from hotpath.local.ports import free_port
from hotpath.people.evidence import number
from hotpath.progress import Progress
from hotpath.settings import load as load_settings
from train.attempt import Trainer, attempt
from train.folder import Folder
from transform.arrival import Arrivals
from transform.decoding import RECORDS
from transform.writing import Writing

CLOCK_LIMIT: Micros = 5 * SECOND
WORST = 1e11
"""As bad as a metric of no bound can be in a rule."""


@dataclass(frozen=True)
class Record:
    """A record's bytes and when they arrived."""

    arrived_at: Micros
    value: bytes


@dataclass(frozen=True)
class Rehearsed:
    """What a run came to: the packed bundle (b"" where there is none) and the key it is proved with."""

    run: Run
    packed: bytes
    verify_key: Path


def arrivals(
    contract: Contract, events: Sequence[bytes], labels: Sequence[bytes]
) -> tuple[list[Record], ...]:
    """The lines as records: events, labels. Without consent a line is none.

    Raises BadInput where no event of the sample is left.
    """
    asked = list(_dated(contract.events, events, lambda row: number(row[contract.events.time])))
    if (consent := contract.events.consent) is not None:
        asked = [(record, row) for record, row in asked if row[consent] is True]
    if not asked:
        raise BadInput("sample", "no row that the contract takes", "rows", "see hotpath check")
    latest = {row[contract.events.entity]: record.arrived_at for record, row in asked}
    instants = [f.name for f in contract.labels.fields if f.type == Type.TIMESTAMP and not f.nullable]

    def told(row: Mapping[str, Value]) -> float:
        entity = latest.get(row[contract.labels.entity], asked[-1][0].arrived_at)
        return number(row[instants[0]]) if instants else entity + SECOND

    answered = _dated(contract.labels, labels, told)
    return [record for record, _ in asked], [record for record, _ in answered]


def rehearse(
    contract: Contract, events: Sequence[Record], labels: Sequence[Record], folder: Path
) -> Rehearsed:
    """Train on the records. The gate is opened: whether the model is good enough is the caller's to judge."""
    made = _opened(contract, events)
    now = SECOND + max(record.arrived_at for record in (*events, *labels))
    signing, verifying = folder / "signing.pem", folder / "verify.pem"
    keys.make(signing, verifying)
    clock = Clock(folder / "clock.jsonl")
    clock.append(Segment(0, now, 0))
    land(Lake(folder / "lake", made.name), made, events, labels, now)
    trainer = Trainer(
        contract=made,
        folder=Folder(folder / "run"),
        store=BundleStore(folder / "store"),
        log=MemoryLog(),
        signing=signing,
        verifying=verifying,
        clock=clock,
        progress=Progress(folder / "state.json"),
        clock_limit=CLOCK_LIMIT,
        limits=load_settings().train,
    )
    with _settings(HOTPATH__DATA=str(folder), HOTPATH__LAKE__URL=str(folder / "lake")):
        run = attempt(trainer)
    packed = trainer.store.sealed(run.bundle).packed if run.bundle else b""
    return Rehearsed(run, packed, verifying)


def land(
    lake: Lake, contract: Contract, events: Sequence[Record], labels: Sequence[Record], now: Micros
) -> None:
    """One batch of the lake, decoded and written as the stream job's worker does it."""
    topics = {contract.events.topic: events, contract.labels.topic: labels}
    batches = [_batch(topic, records) for topic, records in topics.items() if records]
    clock = Clock()
    writing = Writing(lake.folder, contract, Arrivals(clock.timeline(), ()), 0, "sample", now)
    files, counts = _written(writing(batches))
    end = {topic: {0: len(records)} for topic, records in topics.items()}
    lake.publish(Manifest(0, {topic: {0: 0} for topic in topics}, end, files, counts, now))


def _dated(
    source: Source, lines: Sequence[bytes], at: Callable[[Mapping[str, Value]], float]
) -> Iterator[tuple[Record, Mapping[str, Value]]]:
    """The lines that decode, each with its values."""
    decode = decoder(source)
    for line in lines:
        found = decode(line)
        if isinstance(found, Decoded):
            yield Record(int(at(found.values)), line), found.values


def _opened(contract: Contract, events: Sequence[Record]) -> Contract:
    """The contract with an open gate, a window that holds the sample, and no search."""
    metric = metrics.of(contract.labels.kind)[0]
    anything = metric.least if metric.better == "higher" else min(metric.most, WORST)
    held = max(r.arrived_at for r in events) - min(r.arrived_at for r in events)
    window = max(contract.train.window, (2 + held // DAY) * DAY)
    opened = Gate((Rule(metric.name, anything, metric.sign),))
    return replace(contract, gate=opened, train=replace(contract.train, window=window, search=None))


def _batch(topic: str, records: Sequence[Record]) -> pa.RecordBatch:
    columns = [
        [topic] * len(records),
        [0] * len(records),
        list(range(len(records))),
        [record.arrived_at for record in records],
        [None] * len(records),
        [record.value for record in records],
    ]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=RECORDS)


def _written(answers: Iterable[pa.RecordBatch]) -> tuple[tuple[File, ...], dict[str, int]]:
    """What the worker says of its files, and its counts."""
    rows = [row for answer in answers for row in answer.to_pylist()]
    counts = Counter(dict(pair for row in rows for pair in row.pop("counts")))
    return tuple(File(**row) for row in rows if row["path"]), dict(counts)


@contextmanager
def _settings(**variables: str) -> Iterator[None]:
    """The trainer's children read the settings from the environment; H2O's port is one of its own."""
    given = {**variables, "HOTPATH__H2O__PORT": str(free_port())}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
