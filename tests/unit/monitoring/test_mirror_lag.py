"""The mirror's lag is told by its own offsets and the source's ends."""

from __future__ import annotations

import pytest

from hotpath.handoffs import Topic
from hotpath.settings import load
from monitoring.mirror_lag import MirrorLag
from monitoring.mirror_way import lag, mirrored


def test_what_has_crossed_is_read_from_the_mirrors_own_offsets() -> None:
    key = b'["MirrorSourceConnector",{"cluster":"onprem","partition":2,"topic":"flights.status"}]'
    assert mirrored(key, b'{"offset":41}') == ("flights.status", 2, 42)
    assert mirrored(key, None) is None
    assert mirrored(b'["MirrorHeartbeatConnector",{"sourceClusterAlias":"a"}]', b'{"offset":0}') is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"", b"{}"),
        (b"no JSON", b'{"offset":1}'),
        (b'["MirrorSourceConnector",{"partition":2,"topic":"t"}]', b'{"offset":"many"}'),
        (b'["MirrorSourceConnector",{"topic":"t"}]', b'{"offset":1}'),
        (b'{"a":1}', b"[]"),
        (b"\xff", b"1"),
    ],
)
def test_what_the_mirror_did_not_write_is_passed_over(key: bytes, value: bytes) -> None:
    assert mirrored(key, value) is None


def test_lag_is_what_stands_at_the_source_and_has_not_crossed() -> None:
    ends = {("t", 0): 10, ("t", 1): 4, ("u", 0): 3}
    assert lag(ends, {("t", 0): 7, ("t", 1): 4}) == {"t": 3, "u": 3}


def test_the_topics_of_a_pipeline_that_is_deployed_later_are_told_of_too() -> None:
    first, later = Topic("asked", "onprem->cloud"), Topic("said", "cloud->onprem")
    lag = MirrorLag(load().kafka, [first])
    lag.follow([first, later])
    assert [way.topics for way in lag._ways] == [(first,), (later,)]
