"""Kafka records in, the lake's tables out: every record in exactly one dataset, or counted as empty.

Pure. A decoder never raises, so one record's bytes cannot cost its neighbours anything (law 8).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from hotpath.clock import Micros
from hotpath.contract.decode import Decoded, Rejected, Skipped
from hotpath.lake import INSTANT, PLACE, REJECTED, Dataset
from transform.arrival import Arrivals
from transform.columns import NOTHING, Rows, Taken
from transform.streams import REJECTED_FOLDER, Stream

RECORDS = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp", INSTANT),
        ("arrived", pa.binary()),
        ("value", pa.binary()),
    ]
)
"""Kafka records as Spark hands them over: place, broker's stamp, header of the arrival, value."""
NO_CONSENT = Rejected("consent: expected true")


@dataclass(frozen=True)
class Landed:
    """Tables by dataset and folder, and how many records were what.

    `counts`: records by dataset (of those rejected also `rejected.DATASET`, by what they should have been),
    `skipped` records with an empty value, and `unknown_fields` in those that landed.
    """

    tables: Mapping[tuple[Dataset, str], pa.Table]
    counts: Counter[str]


class Decoding:
    """Composed once for many batches of records: topic to decoder, schema and columns."""

    def __init__(self, streams: Iterable[Stream], arrivals: Arrivals, landed_at: Micros) -> None:
        self._streams = {s.topic: (s, s.decoder(), s.take()) for s in streams}
        self._arrivals, self._landed_at = arrivals, landed_at

    def land(self, batch: pa.RecordBatch) -> Landed:
        """Decode records (RECORDS). The tables' columns are the lake's, their rows in the records' order."""
        places, found = self._places(batch), _Found()
        for topic, rows in _by_topic(batch):
            stream, decode, take = self._streams[topic]
            values = batch.column("value").take(pa.array(rows)).to_pylist()
            taken = NOTHING if take is None else take(values)
            found.took(stream, taken, rows)
            for n in np.setdiff1d(np.arange(len(rows)), taken.rows):
                found.add(stream, decode(values[n]), values[n] or b"", rows[n])
        return Landed(found.tables([s for s, _, _ in self._streams.values()], places), found.counts)

    def _places(self, batch: pa.RecordBatch) -> pa.Table:
        """Every record's last columns in the lake."""
        topics, partitions, offsets, stamps, claims = (batch.column(name) for name in RECORDS.names[:5])
        arrived = self._arrivals.stamped(stamps.cast(pa.int64()).to_numpy())
        imported = np.zeros(len(batch), bool)
        # Where a header claims an arrival, which only imports do, record by record.
        for n in np.flatnonzero(claims.is_valid()) if self._arrivals.imports else ():
            of = (
                column[n].as_py() for column in (topics, partitions, offsets, stamps.cast(pa.int64()), claims)
            )
            arrived[n], imported[n] = self._arrivals.of(*of)
        landed = pa.repeat(pa.scalar(self._landed_at, INSTANT), len(batch))
        found = [topics, partitions, offsets, pa.array(arrived).cast(INSTANT), landed, pa.array(imported)]
        return pa.table(found, pa.schema(PLACE))


Part = tuple[Rows, list[pa.Array]]
"""Which records of a batch, and their decoded columns."""


@dataclass
class _Found:
    """Records sorted by what became of them; each by its row in the batch."""

    taken: dict[str, Part] = field(default_factory=dict)
    kept: defaultdict[str, list[tuple[int, Mapping[str, object]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    rejected: list[tuple[int, str, bytes]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def took(self, stream: Stream, taken: Taken, rows: Rows) -> None:
        if len(taken.rows):
            self.taken[stream.topic] = rows[taken.rows], [*taken.columns]
            self.counts[stream.dataset] += len(taken.rows)

    def add(self, stream: Stream, found: Decoded | Rejected | Skipped, raw: bytes, row: int) -> None:
        if stream.consent is not None:
            # Of a record that does not decode it is not known either: its place is accounted for, no more.
            found, raw = _consented(found, stream.consent), b""
        match found:
            case Decoded(values, unknown):
                self.kept[stream.topic].append((row, values))
                self.counts[stream.dataset] += 1
                self.counts["unknown_fields"] += len(unknown)
            case Rejected(reason):
                self.rejected.append((row, reason, raw))
                self.counts["rejected"] += 1
                self.counts[f"rejected.{stream.dataset}"] += 1
            case Skipped():
                self.counts["skipped"] += 1

    def tables(self, streams: Iterable[Stream], places: pa.Table) -> dict[tuple[Dataset, str], pa.Table]:
        found = {
            (s.dataset, s.fingerprint): _table(s.schema, [*self._parts(s)], places)
            for s in streams
            if s.topic in self.taken or s.topic in self.kept
        }
        if self.rejected:
            rows, reasons, raws = zip(*sorted(self.rejected), strict=True)
            columns = [pa.array(reasons, pa.string()), pa.array(raws, pa.binary())]
            found["rejected", REJECTED_FOLDER] = _table(REJECTED, [(np.array(rows), columns)], places)
        return found

    def _parts(self, stream: Stream) -> Iterator[Part]:
        if stream.topic in self.taken:
            yield self.taken[stream.topic]
        if kept := self.kept[stream.topic]:
            rows, values = zip(*kept, strict=True)
            columns = [*stream.schema][: -len(PLACE)]
            yield np.array(rows), [pa.array([v.get(c.name) for v in values], c.type) for c in columns]


def _consented(found: Decoded | Rejected | Skipped, consent: str) -> Decoded | Rejected | Skipped:
    return NO_CONSENT if isinstance(found, Decoded) and found.values[consent] is not True else found


def _by_topic(batch: pa.RecordBatch) -> Iterator[tuple[str, Rows]]:
    topics = batch.column("topic").dictionary_encode()
    numbers = topics.indices.to_numpy()
    for number, topic in enumerate(topics.dictionary.to_pylist()):
        yield topic, np.flatnonzero(numbers == number)


def _table(schema: pa.Schema, parts: list[Part], places: pa.Table) -> pa.Table:
    tables = [
        pa.Table.from_arrays([*columns, *places.take(pa.array(rows)).columns], schema=schema)
        for rows, columns in parts
    ]
    if len(tables) == 1:
        return tables[0]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    return pa.concat_tables(tables).take(pa.array(order))
