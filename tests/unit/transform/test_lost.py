"""What Spark says of records that are gone is named; the way past them is a batch that says what is not."""

from __future__ import annotations

import pytest

from hotpath.lake import Manifest
from transform.lost import lost, past

PURGED = """org.apache.spark.SparkException: Job aborted
Caused by: KafkaIllegalStateException: [KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE]
 Could not read records in offset [5, 9) for topic partition flights.status-1 with consumer group g."""
FETCHED = (
    "IllegalStateException: Cannot fetch offset 5 (GroupId: g, TopicPartition: flights.status-1). \n"
    "Some data may have been lost because they are not available in Kafka any more"
)
CHANGED = (
    "[KAFKA_DATA_LOSS.PARTITION_OFFSET_CHANGED] Partition flights.status-1 offset was changed from 9 to 3."
)


@pytest.mark.parametrize("said", [PURGED, FETCHED, CHANGED])
def test_topic_and_partition_are_named_and_the_way_back(said: str) -> None:
    error = lost(said)
    assert error is not None
    assert error.thing == "topic flights.status, partition 1"
    assert "'A gap'" in str(error)


def test_another_failure_is_none_of_it() -> None:
    assert lost("OSError: [Errno 28] No space left on device") is None


def test_the_way_past_a_gap_says_what_is_missing_and_goes_on_behind_it() -> None:
    newest = Manifest(7, {"t": {0: 0, 1: 0}}, {"t": {0: 100, 1: 50}}, (), {"events": 150}, 1)
    bridge = past(newest, {("t", 0): 400, ("t", 1): 10, ("u", 0): 5}, now=2)
    assert bridge == Manifest(8, newest.end, {"t": {0: 400, 1: 50}}, (), {"purged": 300}, 2)
    assert newest.end == {"t": {0: 100, 1: 50}}
    assert past(newest, {("t", 0): 100}, now=2) is None


def test_a_partition_that_a_topic_gained_and_whose_first_records_are_gone_is_stepped_over_too() -> None:
    newest = Manifest(7, {"t": {0: 0}}, {"t": {0: 100}}, (), {"events": 100}, 1)
    bridge = past(newest, {("t", 0): 0, ("t", 1): 5}, now=2)
    assert bridge == Manifest(8, newest.end, {"t": {0: 100, 1: 5}}, (), {"purged": 5}, 2)
