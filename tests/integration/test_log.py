"""The log port: a broker and its twin in memory answer the same."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from hotpath.errors import BadInput
from hotpath.handoffs import Topic
from hotpath.kafka import KafkaLog, Log, MemoryLog, standing
from hotpath.kafka_admin import Admin
from tests.conftest import until

Logs = Callable[[str], Log]


@pytest.fixture(params=["broker", "memory"])
def log(request: pytest.FixtureRequest) -> Log:
    return KafkaLog(request.getfixturevalue("kafka")) if request.param == "broker" else MemoryLog()


@pytest.fixture
def topic(request: pytest.FixtureRequest, log: Log) -> str:
    name = f"t-{uuid4().hex}"
    if isinstance(log, KafkaLog):
        address: str = request.getfixturevalue("kafka")
        Admin(address).ensure([Topic(name, "onprem->cloud")], "onprem", 1)
    return name


def test_what_was_sent_stands_in_order_with_key_and_headers(log: Log, topic: str) -> None:
    told: list[Exception | None] = []
    for n in range(3):
        assert log.send(topic, b"%d" % n, b"k", {"h": b"x"}, told.append)
    assert log.flush(20) == 0
    found = standing(log, topic)
    assert [(e.offset, e.key, e.value, dict(e.headers)) for e in found] == [
        (n, b"k", b"%d" % n, {"h": b"x"}) for n in range(3)
    ]
    assert told == [None] * 3


def test_a_tail_goes_on_with_what_is_sent_after_its_end(log: Log, topic: str) -> None:
    log.send(topic, b"1")
    log.flush(20)
    tail = log.tail([topic])
    until(lambda: tail.poll(0.1) is not None, "the first record")
    until(lambda: tail.poll(0.1) is None and tail.at_end(), "the end")
    log.send(topic, None, b"gone")
    log.flush(20)
    gone = next(entry for _ in range(100) if (entry := tail.poll(0.1)) is not None)
    assert (gone.key, gone.value) == (b"gone", None)
    tail.close()


def test_an_empty_topic_is_at_its_end(log: Log, topic: str) -> None:
    assert standing(log, topic) == []


def test_a_record_that_is_too_large_is_refused_where_it_is_sent(log: Log, topic: str) -> None:
    with pytest.raises(BadInput, match="at most 1 MB"):
        log.send(topic, bytes(1_100_000))
    log.send(topic, b"the next one")
    assert log.flush(20) == 0
    assert [e.value for e in standing(log, topic)] == [b"the next one"]
