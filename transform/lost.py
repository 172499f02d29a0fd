"""Records that the cloud's topic no longer holds although the stream job had not read them: named. Pure.

Spark says so in words of the JVM and stops (`failOnDataLoss`), which is right: what is missing must not go by
unseen. `past` is the way on once that is accepted: a batch without files that says which offsets are missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hotpath.clock import Micros
from hotpath.errors import BadConfig
from hotpath.lake import Manifest, Offsets

WAY_BACK = "see docs/operations.md, 'A gap'"
PURGED = "purged"
"""In a manifest's counts: offsets that no dataset holds, because the topic lost them first."""
_SIGNS = (
    "KAFKA_DATA_LOSS",
    "not available in Kafka any more",
    "OffsetOutOfRangeException",
    "START_OFFSET_GREATER_THAN_END_OFFSET",
)
_PLACE = re.compile(r"[Pp]artition:? (?P<topic>[A-Za-z0-9._-]+)-(?P<partition>[0-9]+)")


def lost(said: str) -> BadConfig | None:
    """What a query's failure means, where it failed for records that are gone; None where for another reason.

    >>> lost("[KAFKA_DATA_LOSS.PARTITION_OFFSET_CHANGED] Partition t-1 offset was changed from 9 to 3").thing
    'topic t, partition 1'
    """
    if not any(sign in said for sign in _SIGNS):
        return None
    place = _PLACE.search(said)
    thing = f"topic {place['topic']}, partition {place['partition']}" if place else "a topic of the pipeline"
    line = next(line for line in said.splitlines() if any(sign in line for sign in _SIGNS))
    return BadConfig(thing, line.strip(), "every record that has not landed yet", WAY_BACK)


def past(newest: Manifest, starts: Mapping[tuple[str, int], int], now: Micros) -> Manifest | None:
    """The batch after `newest` that steps over what is purged; None where nothing is.

    `starts`: the first offset that the cloud still holds of each partition.
    """
    end: Offsets = {topic: dict(parts) for topic, parts in newest.end.items()}
    missing = 0
    for (topic, partition), start in starts.items():
        # A partition that the topic gained begins at 0; a topic that is new is taken up (transform.joining).
        if topic in end and (landed := end[topic].get(partition, 0)) < start:
            missing += start - landed
            end[topic][partition] = start
    if not missing:
        return None
    return Manifest(newest.batch + 1, newest.end, end, (), {PURGED: missing}, now)
