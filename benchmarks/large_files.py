"""What compaction makes of a lake that landed at the demand's rate: how many bytes are in files of 64 MB.

A round is `SECONDS` of 11.1 MB/s of events of 20 fields, their labels and scores, a batch a second in two
files a dataset, as the stream job writes them. Compaction runs as it does each hour; the newest batch, which
always stands alone, is counted too. The rows are made here: what is in them decides how small they get.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.table import ROUNDS, Row, row
from hotpath import rewriting
from hotpath.clock import SECOND
from hotpath.lake import INSTANT, PLACE, File, Lake, Manifest
from transform.compaction import compact
from transform.ranges import large

SECONDS = 900
"""About what a range holds at this rate."""
RATE = 11_100_000
"""Bytes of JSON a second: 40 GB an hour."""
EVENT_BYTES = 450
LABELLED = 0.5
"""Labels, and scores, by event."""
BEGIN = 1_800_000_000 * SECOND
KINDS = 6
"""Different batches that a round repeats under other places: making each anew would take most of the time."""


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> Sequence[Row]:
    """One row: the share after compaction."""
    return [row("large_files", [_round(n, seconds) for n in range(rounds)], "higher", must=0.9)]


def _round(number: int, seconds: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder), "rides")
        kinds = [_kind(random.Random(100 * number + n)) for n in range(KINDS)]
        for second in range(seconds):
            _land(lake, second, kinds[second % KINDS])
        before, size = large(lake.manifests()), sum(m.size for m in lake.manifests())
        compact(lake)
        found = lake.manifests()
        share = large(found)
        print(
            f"round {number}: {size / 1e6:.0f} MB in {before:.0%} large files, "
            f"then {sum(m.size for m in found) / 1e6:.0f} MB in {share:.1%}",
            flush=True,
        )
        return share


def _land(lake: Lake, second: int, kind: dict[str, pa.Table]) -> None:
    """Publish one batch; every dataset's offsets go on where they ended."""
    files: list[File] = []
    start, end = dict[str, dict[int, int]](), dict[str, dict[int, int]]()
    for dataset, table in kind.items():
        half = len(table) // 2
        begin = second * half
        start[dataset], end[dataset] = {0: begin, 1: begin}, {0: begin + half, 1: begin + half}
        for partition in range(2):
            place = _placed(dataset, partition, begin, half, BEGIN + second * SECOND)
            part = table.slice(partition * half, half)
            whole = pa.Table.from_arrays([*part.columns, *place], names=[*part.column_names, *_NAMES])
            files.append(_written(lake, dataset, second, whole))
    counts = {dataset: sum(f.rows for f in files if f.dataset == dataset) for dataset in kind}
    lake.publish(Manifest(second, start, end, tuple(files), counts, BEGIN + second * SECOND))


_NAMES = [name for name, _ in PLACE]


def _placed(topic: str, partition: int, begin: int, rows: int, at: int) -> list[pa.Array]:
    arrived = pa.array(range(at, at + rows), pa.int64()).cast(INSTANT)
    columns = {
        "topic": pa.repeat(topic, rows),
        "partition": pa.repeat(pa.scalar(partition, pa.int32()), rows),
        "offset": pa.array(range(begin, begin + rows), pa.int64()),
        "arrived_at": arrived,
        "landed_at": pa.repeat(pa.scalar(at, pa.int64()), rows).cast(INSTANT),
        "imported": pa.repeat(False, rows),
    }
    return [columns[name] for name in _NAMES]


def _written(lake: Lake, dataset: str, batch: int, table: pa.Table) -> File:
    path = lake.folder / dataset / "schema=bench" / f"batch_id={batch}" / f"{uuid4().hex}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")
    return rewriting.written(lake, path, dataset, len(table))


def _kind(chance: random.Random) -> dict[str, pa.Table]:
    """A second's records by dataset, without their places."""
    rows = RATE // EVENT_BYTES
    told = int(rows * LABELLED)
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(rows)]
    instants = pa.array([BEGIN + chance.randrange(SECOND) for _ in range(rows)], pa.int64()).cast(INSTANT)
    events = {
        "id": ids,
        "rider": [f"r{chance.randrange(2_000_000)}" for _ in range(rows)],
        "host": [f"host-{chance.randrange(40)}" for _ in range(rows)],
        "at": instants,
        **{f"kind_{n}": chance.choices(["a", "b", "c", "d", "e", "f"], k=rows) for n in range(5)},
        **{f"price_{n}": [round(chance.lognormvariate(3, 1), 2) for _ in range(rows)] for n in range(5)},
        **{f"count_{n}": [chance.randrange(1_000) for _ in range(rows)] for n in range(3)},
        **{f"flag_{n}": [chance.random() < 0.2 for _ in range(rows)] for n in range(3)},
    }
    labels = {"id": ids[:told], "late": [chance.random() < 0.2 for _ in range(told)], "seen": instants[:told]}
    scores = {
        "prediction_id": [f"{chance.getrandbits(64):016x}" for _ in range(told)],
        "entity": ids[:told],
        "features": [f'{{"a": {chance.random()}, "b": {chance.random()}}}' for _ in range(told)],
        "score": [chance.random() for _ in range(told)],
        "asked_at": instants[:told],
    }
    return {"events": pa.table(events), "labels": pa.table(labels), "scores": pa.table(scores)}
