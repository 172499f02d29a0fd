"""Kafka records in, the lake's tables out: every record in exactly one dataset, or counted as empty.

Pure. A decoder never raises, so one record's bytes cannot cost its neighbours anything (law 8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from hotpath.clock import Micros
from hotpath.contract.decode import Decoded, Rejected
from hotpath.lake import REJECTED, Dataset
from transform.arrival import Arrivals
from transform.streams import Decode, Stream

Row = tuple[str, int, int, Micros, Sequence[tuple[str, bytes | None]] | None, bytes | None]
"""A Kafka record: topic, partition, offset, broker's stamp, headers, value."""
Place = tuple[str, int, int, Micros, Micros, bool]


@dataclass(frozen=True)
class Landed:
    """Tables by dataset, and how many records were what (`skipped`: an empty value)."""

    tables: Mapping[tuple[Dataset, str], pa.Table]
    counts: Counter[str]


class Decoding:
    """Composed once for many batches of records: topic to decoder, schema and columns."""

    def __init__(self, streams: Iterable[Stream], arrivals: Arrivals, landed_at: Micros) -> None:
        self._streams = {s.topic: (s, s.decoder()) for s in streams}
        self._arrivals, self._landed_at = arrivals, landed_at

    def land(self, rows: Iterable[Row]) -> Landed:
        """Decode `rows`; the tables' columns are the lake's, in its order."""
        counts: Counter[str] = Counter()
        kept: dict[str, list[tuple[Mapping[str, object], Place]]] = {}
        rejected: list[tuple[str, bytes, Place]] = []
        for row in rows:
            stream, decode = self._streams[row[0]]
            self._sort(row, stream, decode, kept.setdefault(row[0], []), rejected, counts)
        tables = {
            (s.dataset, s.fingerprint): _table(s.schema, kept[topic])
            for topic, (s, _) in self._streams.items()
            if kept.get(topic)
        }
        if rejected:
            tables["rejected", "rejected-1"] = _rejected(rejected)
        return Landed(tables, counts)

    def _sort(
        self,
        row: Row,
        stream: Stream,
        decode: Decode,
        kept: list[tuple[Mapping[str, object], Place]],
        rejected: list[tuple[str, bytes, Place]],
        counts: Counter[str],
    ) -> None:
        found = decode(row[5])
        if isinstance(found, Decoded):
            kept.append((found.values, self._place(row)))
            counts[stream.dataset] += 1
            counts["unknown_fields"] += len(found.unknown)
        elif isinstance(found, Rejected):
            rejected.append((found.reason, row[5] or b"", self._place(row)))
            counts["rejected"] += 1
            counts[f"rejected.{stream.dataset}"] += 1
        else:
            counts["skipped"] += 1

    def _place(self, row: Row) -> Place:
        topic, partition, offset, stamped, headers, _ = row
        arrived_at, imported = self._arrivals.of(topic, partition, offset, stamped, headers)
        return topic, partition, offset, arrived_at, self._landed_at, imported


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


def _table(schema: pa.Schema, rows: Sequence[tuple[Mapping[str, object], Place]]) -> pa.Table:
    named = schema.names[:-6]
    columns: list[Callable[[], list[object]]]
    columns = [[values.get(name) for values, _ in rows] for name in named]  # type: ignore[misc]
    places = list(zip(*(place for _, place in rows), strict=True))
    arrays = [pa.array(c, f.type) for c, f in zip([*columns, *places], schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _rejected(rows: Sequence[tuple[str, bytes, Place]]) -> pa.Table:
    columns = zip(*((reason, raw, *place) for reason, raw, place in rows), strict=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, REJECTED, strict=True)]
    return pa.Table.from_arrays(arrays, schema=REJECTED)
