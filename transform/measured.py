"""What a batch of the stream job comes to in figures, from Spark's own progress of the query. Pure.

Spark commits no offsets to Kafka, so that lag tools see nothing: how far the job is behind is the latest
offsets of its source, as it saw them when the batch was planned, less those the batch ended at.
Source of the format: https://spark.apache.org/docs/latest/streaming/apis-on-dataframes-and-datasets.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hotpath.points import Number

Progress = Mapping[str, Any]
"""A StreamingQueryProgress as JSON has it."""


@dataclass
class Batches:
    """Which progress was told already, and what was rejected in batches whose progress has yet to come."""

    rejected: dict[int, int] = field(default_factory=dict)
    _told: str = ""

    def landed(self, batch: int, counts: Mapping[str, int]) -> None:
        """A batch was landed with these counts."""
        self.rejected[batch] = Counter(counts)["rejected"]

    def fresh(self, recent: Sequence[Progress]) -> Sequence[Mapping[str, Number]]:
        """The measurement `stream` of each of the query's recent progresses that was not told before.

        Two batches may end between two looks: the newest alone would leave one out.
        """
        stamps = [progress["timestamp"] for progress in recent]
        news = recent[stamps.index(self._told) + 1 :] if self._told in stamps else recent
        self._told = stamps[-1] if stamps else self._told
        return [self._fields(progress) for progress in news]

    def _fields(self, progress: Progress) -> Mapping[str, Number]:
        # An idle trigger reports under the number that the next batch will have.
        rows = progress["numInputRows"]
        return {
            "rows": rows,
            "rejected": self.rejected.pop(progress["batchId"], 0) if rows else 0,
            "batch_s": progress["durationMs"].get("triggerExecution", 0) / 1000,
            "behind": behind(progress),
        }


def behind(progress: Progress) -> int | None:
    """Offsets that the batch left unread, over all partitions; None where the source did not tell."""
    ways = [(_offsets(s.get("latestOffset")), _offsets(s.get("endOffset"))) for s in progress["sources"]]
    if not ways or any(latest is None for latest, _ in ways):
        return None
    return sum(
        max(0, latest - (end or {}).get(topic, {}).get(partition, 0))
        for latests, end in ways
        for topic, partitions in (latests or {}).items()
        for partition, latest in partitions.items()
    )


def _offsets(said: object) -> Mapping[str, Mapping[str, int]] | None:
    """{topic: {partition: offset}}; Spark says it as JSON text or as an object."""
    found = json.loads(said) if isinstance(said, str) else said
    return found if isinstance(found, dict) else None
