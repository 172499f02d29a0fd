"""A real lake, the watch over its files, and the window that Spark builds of it: what a wrong clock teaches.

The events of a generated fleet land batch by batch. Each carries in `weight` whether a wrong clock stamped
it, so that a skewed row shows in what the trainer reads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from benchmarks.fleet import RULES, START, TEN_YEARS, Events
from hotpath import spark
from hotpath.clock import HOUR, SECOND, Clock, Micros
from hotpath.errors import Bug
from hotpath.handoffs import HOSTS
from hotpath.kafka import MemoryLog, standing
from hotpath.lake import Lake, Manifest
from hotpath.points import Points
from monitoring.clock_watch import ClockWatch
from tests.integration.train.lakes import Row, land, place
from tests.integration.train.parcels import CONTRACT
from train.account import SIDES, Account
from train.build import CONF, build
from train.clocks import Clocks
from train.folder import Folder
from train.sources import held


@dataclass
class Site:
    """A lake, the watch over it and the trainer's window."""

    folder: Path
    session: SparkSession

    def landed(self, events: Events, wild: int | None = None) -> dict[str, Micros]:
        """Land all events as their batches; which hosts the watch announced, and at which landing.

        `wild`: this event comes once more, by itself ten years ahead.
        """
        self.lake, self.log = Lake(self.folder / "lake", CONTRACT.name), MemoryLog()
        clock = Clock()
        points = Points(self.log, clock, {})
        watch = ClockWatch(self.lake, CONTRACT, RULES, self.log, points, clock, self.folder / "memory")
        flagged: dict[str, Micros] = {}
        for number, (landed, rows) in enumerate(self._batches(events, wild)):
            land(self.lake, CONTRACT, number, rows, [_label(row) for row in rows])
            watch.take(self._manifest(number))
            watch.tick()
            bad = [name for name, host in watch.hosts().items() if host.state in ("ahead", "behind")]
            flagged = {**dict.fromkeys(bad, landed), **flagged}
        self.files = self._files()
        return flagged

    def window(self) -> Account:
        """The window at the end, without what the announced entries say was wrong."""
        clocks = Clocks.standing(standing(self.log, HOSTS), CONTRACT.name, RULES.limit)
        (self.folder / "run").mkdir()
        lake, now = held(self.lake, CONTRACT), START + 2 * HOUR
        return build(self.session, lake, CONTRACT, now, Folder(self.folder / "run"), clocks)

    def skewed(self) -> int:
        """Rows of the window that a wrong clock had stamped."""
        total: float | None = pc.sum(self._rows()["feature.weight"]).as_py()
        return int(total or 0)

    def rewritten(self) -> int:
        """Files of the lake that are not what they were when they landed."""
        now = self._files()
        return len([path for path, data in self.files.items() if now.get(path) != data])

    def differing(self, other: Site) -> int:
        """Rows of the two windows that are not the same, in their order."""
        mine, others = self._rows().to_pylist(), other._rows().to_pylist()
        differ = [a for a, b in zip(mine, others, strict=False) if a != b]
        return len(differ) + abs(len(mine) - len(others))

    def _rows(self) -> pa.Table:
        folder = Folder(self.folder / "run")
        return pa.concat_tables(pq.read_table(p) for part in SIDES for p in folder.files(part))

    def _batches(self, events: Events, wild: int | None) -> Iterator[tuple[Micros, list[Row]]]:
        wrong, offset = events.wrong(RULES.limit).tolist(), 0
        for landed, table in events.batches():
            rows = [_event(offset + n, row, wrong[offset + n]) for n, row in enumerate(table.to_pylist())]
            if wild is not None and offset <= wild < offset + len(rows):
                again = rows[wild - offset]
                time = int(str(again["time"])) + TEN_YEARS
                strange = place("parcels.sent", 1, 0, int(str(again["arrived_at"])))
                rows.append({**again, "id": "wild", "parcel": "wild", "time": time, **strange})
            offset += table.num_rows
            yield landed, rows

    def _manifest(self, number: int) -> Manifest:
        found = self.lake.manifest(number)
        if found is None:
            raise Bug(f"manifest {number}", None, "the batch that was landed just now")
        return found

    def _files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.lake.folder.rglob("*") if path.is_file()}


def _event(offset: int, row: Row, wrong: bool) -> Row:
    """Of a parcel of its own; `weight` is 1 where a wrong clock stamped it."""
    return {
        "id": f"id-{offset}",
        "parcel": f"parcel-{offset}",
        "host": row["host"],
        "time": row["time"],
        "carrier": "ups",
        "weight": float(wrong),
        "pieces": offset,
        "fragile": None,
        **place("parcels.sent", 0, offset, int(str(row["arrived_at"]))),
    }


def _label(event: Row) -> Row:
    """Known a second after its event arrived."""
    partition, offset = int(str(event["partition"])), int(str(event["offset"]))
    arrived = int(str(event["arrived_at"])) + SECOND
    late = offset % 3 == 0
    return {"parcel": event["parcel"], "late": late, **place("parcels.arrived", partition, offset, arrived)}


@contextmanager
def a_site() -> Iterator[Site]:
    """An empty one, gone afterwards; Spark stays for the next."""
    session = spark.session("hotpath faults", "local[2]", "1g", conf=CONF)
    with tempfile.TemporaryDirectory(prefix="hotpath-clocks-") as folder:
        yield Site(Path(folder), session)
