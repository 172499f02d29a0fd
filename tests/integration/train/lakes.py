"""Small lakes for the trainer's tests: rows as plain mappings, instants in µs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import DAY, HOUR, MINUTE, Micros
from hotpath.contract.model import Contract
from hotpath.contract.parts import Source
from hotpath.lake import File, Lake, Manifest, schema

Row = Mapping[str, object]


def place(topic: str, partition: int, offset: int, arrived_at: Micros) -> dict[str, object]:
    """The columns that the lake adds to a decoded record."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "arrived_at": arrived_at,
        "landed_at": arrived_at,
        "imported": False,
    }


def land(
    lake: Lake,
    contract: Contract,
    batch: int,
    events: Iterable[Row],
    labels: Iterable[Row],
    change: Callable[[pa.Table], pa.Table] = lambda table: table,
    streams: Mapping[str, Iterable[Row]] = MappingProxyType({}),
) -> None:
    """Publish one batch, its tables changed by `change`; `streams`: rows of further streams, by name."""
    rows = {"events": events, "labels": labels, **streams}
    files = tuple(
        _file(lake, name, contract.sources[name], batch, list(found), change) for name, found in rows.items()
    )
    counts: dict[str, int] = {f.dataset: f.rows for f in files}
    lake.publish(Manifest(batch, {}, {}, files, counts, 0))


def _file(
    lake: Lake,
    dataset: str,
    source: Source,
    batch: int,
    rows: Sequence[Row],
    change: Callable[[pa.Table], pa.Table],
) -> File:
    columns = schema([(f.name, f.type) for f in source.fields])
    table = change(pa.Table.from_pylist([dict(r) for r in rows], schema=columns))
    return put_down(lake, dataset, source, batch, table)


def put_down(lake: Lake, dataset: str, source: Source, batch: int, table: pa.Table) -> File:
    """A dataset's one file of a batch, as its manifest lists it."""
    path = lake.folder / dataset / f"schema={source.fingerprint[:16]}" / f"batch_id={batch}" / "part.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(table, path, compression="zstd")
    data, name = path.read_bytes(), str(path.relative_to(lake.folder))
    return File(name, dataset, table.num_rows, len(data), hashlib.sha256(data).hexdigest())


@dataclass
class Flights:
    """Flights with a signal: the later the hour and the harder the wind, the likelier late."""

    contract: Contract
    start: Micros
    random: random.Random

    def land(self, lake: Lake, flights: int, batches: int = 4, spacing: Micros = 90 * 1_000_000) -> Micros:
        """Four questions and a label a flight, in batches by arrival; the instant after the last arrival."""
        events: list[Row] = []
        labels: list[Row] = []
        for number in range(flights):
            self._fly(number, self.start + number * spacing, events, labels)
        end = 1 + max(int(str(r["arrived_at"])) for r in [*events, *labels])
        for batch in range(batches):
            land(lake, self.contract, batch, _share(events, batch, batches), _share(labels, batch, batches))
        return end

    def _fly(self, number: int, first: Micros, events: list[Row], labels: list[Row]) -> None:
        draw = self.random
        departs = first + 3 * HOUR
        wind = None if draw.random() < 0.1 else draw.uniform(0, 40)
        hour = departs % DAY / HOUR
        late = draw.random() < 0.1 + (0.4 if hour > 12 else 0.0) + 0.01 * (wind or 0)
        plain = {
            "flight_id": f"F{number}",
            "station_host": f"station-{number % 12}",
            "departs_at": departs,
            "carrier": draw.choice(["AA", "UA", "DL", "B6"]),
            "origin": draw.choice(["JFK", "LGA", "EWR"]),
            "dest": f"D{draw.randrange(100):02d}",
            "distance": float(draw.randrange(100, 3000)),
            "temp": draw.uniform(20, 90),
            "dewp": draw.uniform(20, 70),
            "humid": draw.uniform(20, 100),
            "wind_speed": wind,
            "wind_gust": None,
            "precip": 0.0,
            "pressure": None if draw.random() < 0.2 else draw.uniform(990, 1030),
            "visib": 10.0,
        }
        for before in (180, 120, 60, 15):
            asked = departs - before * MINUTE
            here = place("flights.status", number % 4, len(events), asked)
            events.append({"event_id": f"F{number}-{before}", "event_time": asked, **plain, **here})
        landed = departs + 2 * HOUR
        here = place("flights.landed", number % 4, len(labels), landed)
        said = {"flight_id": f"F{number}", "origin": plain["origin"], "late": late, "event_time": landed}
        labels.append({**said, **here})


def _share(rows: Sequence[Row], batch: int, batches: int) -> Sequence[Row]:
    return rows[batch::batches]
