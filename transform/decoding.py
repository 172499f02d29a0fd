"""Kafka records in, the lake's tables out: every record in exactly one dataset, or counted as empty.

Pure. A decoder never raises, so one record's bytes cannot cost its neighbours anything (law 8).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from hotpath.clock import Micros
from hotpath.contract.decode import Decoded, Rejected, Skipped
from hotpath.lake import PLACE, REJECTED, Dataset
from transform.arrival import Arrivals
from transform.streams import REJECTED_FOLDER, Stream

Row = tuple[str, int, int, Micros, Sequence[tuple[str, bytes | None]] | None, bytes | None]
"""A Kafka record: topic, partition, offset, broker's stamp, headers, value."""
Place = tuple[str, int, int, Micros, Micros, bool]
"""The lake's last columns: topic, partition, offset, arrived_at, landed_at, imported."""
Kept = tuple[Mapping[str, object], Place]
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
        self._streams = {s.topic: (s, s.decoder()) for s in streams}
        self._arrivals, self._landed_at = arrivals, landed_at

    def land(self, rows: Iterable[Row]) -> Landed:
        """Decode `rows`; the tables' columns are the lake's, in its order."""
        found = _Found()
        for row in rows:
            stream, decode = self._streams[row[0]]
            found.add(stream, decode(row[5]), row[5] or b"", self._place(row))
        tables = {
            (s.dataset, s.fingerprint): _table(s.schema, found.kept[topic])
            for topic, (s, _) in self._streams.items()
            if found.kept[topic]
        }
        if found.rejected:
            tables["rejected", REJECTED_FOLDER] = _table(REJECTED, found.rejected)
        return Landed(tables, found.counts)

    def _place(self, row: Row) -> Place:
        topic, partition, offset, stamped, headers, _ = row
        arrived_at, imported = self._arrivals.of(topic, partition, offset, stamped, headers)
        return topic, partition, offset, arrived_at, self._landed_at, imported


@dataclass
class _Found:
    """Records sorted by what became of them: those that decoded by topic, the rejected ones together."""

    kept: defaultdict[str, list[Kept]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[Kept] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, stream: Stream, found: Decoded | Rejected | Skipped, raw: bytes, place: Place) -> None:
        if stream.consent is not None:
            # Of a record that does not decode it is not known either: its place is accounted for, no more.
            found, raw = _consented(found, stream.consent), b""
        match found:
            case Decoded(values, unknown):
                self.kept[stream.topic].append((values, place))
                self.counts[stream.dataset] += 1
                self.counts["unknown_fields"] += len(unknown)
            case Rejected(reason):
                self.rejected.append(({"reason": reason, "raw": raw}, place))
                self.counts["rejected"] += 1
                self.counts[f"rejected.{stream.dataset}"] += 1
            case Skipped():
                self.counts["skipped"] += 1


def _consented(found: Decoded | Rejected | Skipped, consent: str) -> Decoded | Rejected | Skipped:
    return NO_CONSENT if isinstance(found, Decoded) and found.values[consent] is not True else found


def records(batch: pa.RecordBatch) -> Iterator[Row]:
    """Rows of Spark's Kafka source (columns topic, partition, offset, timestamp, headers, value)."""
    plain: list[Sequence[object]] = [
        batch.column("topic").to_pylist(),
        batch.column("partition").to_pylist(),
        batch.column("offset").to_pylist(),
        batch.column("timestamp").cast(pa.int64()).to_pylist(),
        [_headers(h) for h in batch.column("headers").to_pylist()],
        batch.column("value").to_pylist(),
    ]
    return zip(*plain, strict=True)


def _headers(raw: Sequence[Mapping[str, object]] | None) -> list[tuple[object, object]] | None:
    return [(h["key"], h["value"]) for h in raw] if raw else None


def _table(schema: pa.Schema, rows: Sequence[Kept]) -> pa.Table:
    decoded = [[values.get(name) for values, _ in rows] for name in schema.names[: -len(PLACE)]]
    places = zip(*(place for _, place in rows), strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip([*decoded, *places], schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
