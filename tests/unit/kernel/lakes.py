"""A lake as the stream job makes it, without Spark: records go through its own decoding and writing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson
import pyarrow as pa

from hotpath.clock import SECOND, Micros, Timeline
from hotpath.contract.model import Contract
from hotpath.handoffs import Score, scores_topic
from hotpath.lake import File, Lake, Manifest
from transform.arrival import Arrivals
from transform.decoding import RECORDS
from transform.writing import Writing

STAMP: Micros = 1_800_000_000 * SECOND
EVENT: Mapping[str, object] = {
    "id": "a1",
    "who": "w",
    "host": "h",
    "at": "2026-11-20T09:00:00Z",
    "level": "low",
    "flag": True,
    "count": 7,
    "size": 2,
}
LABEL: Mapping[str, object] = {"who": "w", "truth": True, "seen": "2026-11-20T10:00:00Z"}


def kafka(rows: Iterable[Sequence[object]]) -> pa.RecordBatch:
    """Records as Spark hands them over; a row has the columns of RECORDS."""
    columns = [*zip(*rows, strict=True)] or [()] * len(RECORDS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORDS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=RECORDS)


def score(entity: str) -> bytes:
    """A score record about an entity."""
    scored = Score(
        f"p-{entity}",
        "small",
        entity,
        {"who": entity},
        [1.0],
        0.5,
        "accept",
        0.4,
        "b",
        3,
        "f",
        STAMP,
        STAMP,
        [],
    )
    return scored.to_bytes()


def land(
    lake: Lake,
    contract: Contract,
    batch: int,
    events: Sequence[Mapping[str, object] | bytes],
    labels: Sequence[Mapping[str, object]],
    scores: Sequence[bytes],
) -> Manifest:
    """Publish a batch of these records; offsets go on from batch to batch by a hundred."""
    values = {
        contract.events.topic: events,
        contract.labels.topic: labels,
        scores_topic(contract.name): scores,
    }
    rows = [
        [
            topic,
            0,
            100 * batch + number,
            STAMP,
            None,
            value if isinstance(value, bytes) else orjson.dumps(value),
        ]
        for topic, found in values.items()
        for number, value in enumerate(found)
    ]
    writing = Writing(lake.folder, contract, Arrivals(Timeline(), ()), batch, "attempt", STAMP + batch)
    said = [row for out in writing([kafka(rows)]) for row in out.to_pylist()]
    counts: Counter[str] = Counter()
    for row in said:
        counts.update(dict(row.pop("counts")))
    start = {topic: {0: 100 * batch} for topic in values} if batch else {}
    end = {topic: {0: 100 * batch + 100} for topic in values}
    done = Manifest(
        batch, start, end, tuple(File(**row) for row in said if row["path"]), dict(counts), STAMP + batch
    )
    lake.publish(done)
    return done
