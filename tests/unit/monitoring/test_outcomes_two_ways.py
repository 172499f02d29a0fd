"""One set of records, two ways to the live AUC: decoder, lake and watch; and the topics counted by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from hotpath.clock import HOUR, SECOND, Micros, Segment, Timeline
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER, Score, scores_topic
from hotpath.kafka import Entry, MemoryLog
from hotpath.lake import File, Import, Manifest
from hotpath.local.live_quality import live_quality, read
from tests.unit.kernel.lakes import kafka
from tests.unit.monitoring.answered import CONTRACT, HORIZON, START, Site
from transform.arrival import Arrivals
from transform.decoding import Decoding
from transform.streams import streams

BEGAN = START + 1000 * HOUR
# Stands still, runs at 60, stands still in between: many records share their virtual instant.
TIMELINE = Timeline(
    (
        Segment(BEGAN, START, 0),
        Segment(BEGAN + 20 * SECOND, START, 60),
        Segment(BEGAN + 120 * SECOND, START + 6000 * SECOND, 0),
        Segment(BEGAN + 140 * SECOND, START + 6000 * SECOND, 60),
    )
)
SCORES, LABELS = scores_topic(CONTRACT.name), CONTRACT.labels.topic
IMPORTED = 100
"""The first so many labels of partition 0 are history."""


def entries(draw: random.Random) -> list[Entry]:
    """Answers and labels of few entities with few scores: ties and revisions abound, some are rubbish."""
    found: list[Entry] = []
    for offset in range(400):
        at = BEGAN + offset * SECOND // 2
        for partition in range(2):
            headers = {}
            if partition == 0 and offset < IMPORTED:
                claimed = START - draw.randrange(-2, 3) * HOUR // 2
                headers = {IMPORT_HEADER: b"history", ARRIVED_HEADER: str(claimed).encode()}
            found.append(Entry(LABELS, partition, offset, None, label(draw), headers, at))
            found.append(Entry(SCORES, partition, offset, None, score(draw, at), {}, at + 1000))
    return found


def label(draw: random.Random) -> bytes:
    if draw.random() < 0.05:
        return b"torn"
    who, truth = f"f{draw.randrange(60)}", draw.random() < 0.4
    return orjson.dumps({"who": who, "truth": truth, "seen": "2026-11-20T09:00:00Z"})


def score(draw: random.Random, at: Micros) -> bytes:
    if draw.random() < 0.05:
        return b"{}"
    who = None if draw.random() < 0.05 else f"f{draw.randrange(70)}"
    value = None if draw.random() < 0.05 else draw.randrange(20) / 20
    name, asked = f"p{draw.randrange(600)}", TIMELINE.virtual(at)
    said = Score(name, "small", who, {}, [], value, "accept", 0.5, "b", 1, "f", asked, asked, [])
    return said.to_bytes()


def land(site: Site, batch: int, found: list[Entry]) -> None:
    """As the stream job does, without Spark."""
    history = Import("history", {LABELS: {0: (0, IMPORTED - 1)}})
    landed_at = TIMELINE.virtual(max(e.at for e in found))
    decoding = Decoding(streams(CONTRACT), Arrivals(TIMELINE, (history,)), landed_at)
    rows = [(e.topic, e.partition, e.offset, e.at, e.headers.get(ARRIVED_HEADER), e.value) for e in found]
    files = []
    for (dataset, schema), table in decoding.land(kafka(rows)).tables.items():
        path = site.lake.folder / dataset / f"schema={schema}" / f"batch_id={batch}" / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
        name, size = str(path.relative_to(site.lake.folder)), path.stat().st_size
        files.append(File(name, dataset, table.num_rows, size, ""))
    site.lake.publish(Manifest(batch, {}, {}, tuple(files), {}, landed_at))


@pytest.mark.parametrize("seed", range(3))
def test_both_ways_find_the_same(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    found = entries(draw)
    # The mirror keeps partitions and their order, not offsets; batches cut the topics anywhere.
    onprem = MemoryLog([replace(e, offset=e.offset * 2 + 7) for e in found])
    site = Site(tmp_path)
    batches = [draw.randrange(5) for _ in found]
    for n in range(5):
        land(site, n, [e for e, batch in zip(found, batches, strict=True) if batch == n])

    landed = site.follow(site.watch()).figures()["all"]
    assert isinstance(landed, dict)
    answers, labels = read(onprem, CONTRACT, TIMELINE)
    counted = live_quality(answers, labels, HORIZON)
    assert landed["answers"] == len(answers)
    assert landed["coverage"] == counted.coverage
    assert counted.auc is not None
    assert abs(landed["auc"] - counted.auc) < 1e-9
    assert 0.2 < (counted.coverage or 0) < 0.95
