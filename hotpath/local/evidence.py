"""What a run left behind, gathered for the report: ledgers, lake, receipts, answers.

Reads only; the counting itself is pure (`report`, `replay_check`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hotpath.clock import SECOND, Timeline
from hotpath.contract.model import Contract
from hotpath.handoffs import HOSTS, RECEIPTS, Receipt
from hotpath.hosts import said
from hotpath.kafka import Log, standing
from hotpath.lake import Dataset, Lake
from hotpath.local.report import HostFlagged, Records, quantile, tally
from hotpath.settings import Settings
from train.clocks import for_clocks


def records(settings: Settings, contract: Contract, dataset: Dataset) -> Records:
    """One topic's ledger against the lake, through the reader that training uses."""
    events, labels = contract.events, contract.labels
    topic, key = (events.topic, events.id) if dataset == "events" else (labels.topic, labels.entity)
    lake = Lake(settings.lake_root(), contract.name)
    table = lake.read(dataset, [key, "partition", "offset"])
    refused = lake.read("rejected", ["topic", "raw"])
    return tally(
        acknowledged(settings.data, topic),
        Counter(_column(table, key)),
        _named(refused, topic, key),
        Counter(zip(_column(table, "partition"), _column(table, "offset"), strict=True)),
        _withheld(refused, topic) + lake.counts()[f"forgotten.{dataset}"],
    )


def acknowledged(data: Path, topic: str) -> Counter[str]:
    """The ledger outside the pipeline: one id a line for each record that a broker acknowledged."""
    path = data / "ledger" / f"{topic}.ids"
    return Counter(path.read_text().split("\n")[:-1] if path.exists() else ())


def freshness(lake: Lake, timeline: Timeline) -> dict[str, float]:
    """Real seconds from an event's arrival on-prem until its batch counted; imported history left out."""
    seconds: list[float] = []
    for manifest in lake.each():
        landed = timeline.real(manifest.landed_at)
        if (table := lake.read("events", ["arrived_at", "imported"], [manifest])).num_rows:
            arrived = table.filter(pc.invert(table["imported"]))["arrived_at"].cast(pa.int64())
            seconds += [(landed - timeline.real(at)) / SECOND for at in arrived.to_pylist()]
    seconds.sort()
    return {"p50": round(quantile(seconds, 0.5), 3), "p95": round(quantile(seconds, 0.95), 3)}


def receipts(log: Log) -> list[Receipt]:
    """Every receipt that stands in the topic now; what is none is passed over. Raises Unavailable."""
    return Receipt.readable(entry.value for entry in standing(log, RECEIPTS))


def hosts_flagged(log: Log, pipeline: str, timeline: Timeline) -> list[HostFlagged]:
    """Hosts that the ledger named, each with its first interval. Raises Unavailable.

    A host is named by the first version of its entry that has the interval; what it did before its first live
    record, or before the interval, is not counted.
    """
    found: dict[str, HostFlagged] = {}
    for entry in standing(log, HOSTS):
        told = said(entry, pipeline)
        if told is not None and told.host not in found and (bad := told.bad()):
            began = timeline.real(max(told.first_seen, bad[0].since))
            after = (timeline.real(told.at) - began) / SECOND
            found[told.host] = HostFlagged(told.host, round(bad[0].offset / SECOND, 3), round(after, 1))
    return [found[host] for host in sorted(found)]


def rows_left_out(runs: Sequence[Mapping[str, Any]]) -> int:
    """Events that the newest window left out for their host's clock."""
    counted = [run["left_out"] for run in runs if run.get("left_out")]
    return for_clocks(counted[-1]) if counted else 0


def runs(settings: Settings, pipeline: str) -> list[dict[str, Any]]:
    """What the trainer noted of each of its runs, oldest first."""
    folder = settings.bundle_store() / pipeline / "runs"
    paths = sorted(folder.glob("*.json"), key=lambda p: int(p.stem))
    return [json.loads(p.read_bytes()) for p in paths]


def _column(table: pa.Table, name: str) -> list[Any]:
    return table[name].to_pylist() if table.num_rows else []


def _withheld(refused: pa.Table, topic: str) -> int:
    """Records that were not landed for want of consent: their bytes are not kept."""
    if not refused.num_rows:
        return 0
    places = zip(refused["topic"].to_pylist(), refused["raw"].to_pylist(), strict=True)
    return sum(place == topic and raw == b"" for place, raw in places)


def _named(refused: pa.Table, topic: str, key: str) -> Counter[str]:
    """Ids of rejected records, where their bytes still tell one."""
    found: Counter[str] = Counter()
    if refused.num_rows:
        for place, raw in zip(refused["topic"].to_pylist(), refused["raw"].to_pylist(), strict=True):
            if place == topic:
                found[_id(raw, key)] += 1
    return found


def _id(raw: bytes, key: str) -> str:
    try:
        return str(json.loads(raw)[key])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
