"""The log port and the group port: a broker and its twin in memory answer the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

import pytest

from hotpath.errors import BadInput
from hotpath.handoffs import Topic
from hotpath.kafka import Entry, KafkaLog, Log, MemoryLog, Tail, standing
from hotpath.kafka_admin import Admin
from hotpath.kafka_group import Group, KafkaGroup, MemoryGroup
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


def test_a_tail_begins_where_it_is_told_to(log: Log) -> None:
    topic = f"t-{uuid4().hex}"
    if isinstance(log, KafkaLog):
        Admin(log._servers).ensure([Topic(topic, "cloud->onprem", partitions=1)], "onprem", 1)
    for n in range(5):
        log.send(topic, b"%d" % n)
    log.flush(20)
    with closing(log.tail([topic], since=3)) as tail:
        found: list[Entry] = []
        until(lambda: bool(polled(tail, found)) and tail.at_end(), "the end")
    assert [(e.offset, e.value) for e in found] == [(3, b"3"), (4, b"4")]


def polled(tail: Tail, found: list[Entry]) -> list[Entry]:
    while (entry := tail.poll(0.1)) is not None:
        found.append(entry)
    return found


def test_an_empty_topic_is_at_its_end(log: Log, topic: str) -> None:
    assert standing(log, topic) == []


def test_a_record_that_is_too_large_is_refused_where_it_is_sent(log: Log, topic: str) -> None:
    with pytest.raises(BadInput, match="at most 1 MB"):
        log.send(topic, bytes(1_100_000))
    log.send(topic, b"the next one")
    assert log.flush(20) == 0
    assert [e.value for e in standing(log, topic)] == [b"the next one"]


Join = Callable[[], Group]


@pytest.fixture
def join(request: pytest.FixtureRequest, log: Log, topic: str) -> Join:
    """Makes one member after the other of one and the same group."""
    committed: list[MemoryGroup] = []

    def member() -> Group:
        if isinstance(log, MemoryLog):
            before = committed[-1].committed if committed else 0
            committed.append(MemoryGroup(log, topic, before))
            return committed[-1]
        address: str = request.getfixturevalue("kafka")
        return KafkaGroup(address, topic, f"group-{topic}")

    return member


def sent(log: Log, topic: str, *values: bytes) -> None:
    for value in values:
        log.send(topic, value)
    assert log.flush(20) == 0


def taken(group: Group, count: int) -> list[bytes | None]:
    """The next `count` records; a member needs a moment to be given its partitions."""
    found: list[Entry] = []

    def enough() -> bool:
        found.extend(group.take(count - len(found), 0.2))
        return len(found) >= count

    until(enough, f"{count} records")
    return [entry.value for entry in found]


def test_a_member_takes_in_order_and_no_more_than_it_asks_for(log: Log, topic: str, join: Join) -> None:
    sent(log, topic, b"1", b"2", b"3")
    with closing(join()) as member:
        assert taken(member, 2) == [b"1", b"2"]
        assert taken(member, 1) == [b"3"]


def test_what_was_not_committed_comes_again_to_the_next_member(log: Log, topic: str, join: Join) -> None:
    sent(log, topic, b"1", b"2", b"3")
    with closing(join()) as first:
        assert taken(first, 2) == [b"1", b"2"]
        first.commit()
        assert taken(first, 1) == [b"3"]
    with closing(join()) as second:
        assert taken(second, 1) == [b"3"]


def test_a_commit_counts_once_and_an_empty_one_is_none(log: Log, topic: str, join: Join) -> None:
    sent(log, topic, b"1")
    with closing(join()) as first:
        first.commit()
        assert taken(first, 1) == [b"1"]
        first.commit()
        first.commit()
    sent(log, topic, b"2")
    with closing(join()) as second:
        assert taken(second, 1) == [b"2"]


def test_behind_counts_what_is_not_committed(log: Log, topic: str, join: Join) -> None:
    sent(log, topic, b"1", b"2", b"3")
    with closing(join()) as member:
        taken(member, 2)
        assert member.behind() == 3
        member.commit()
        assert member.behind() == 1


def test_a_member_knows_when_it_has_taken_all(log: Log, topic: str, join: Join) -> None:
    sent(log, topic, b"1", b"2")
    with closing(join()) as member:
        taken(member, 2)
        until(lambda: not member.take(1, 0.2) and member.at_end(), "the end")
        sent(log, topic, b"3")
        assert not member.at_end()
        assert taken(member, 1) == [b"3"]


def test_a_member_of_an_empty_topic_is_at_its_end(log: Log, topic: str, join: Join) -> None:  # noqa: ARG001
    with closing(join()) as member:
        until(lambda: not member.take(1, 0.2) and member.at_end(), "the end")
        assert member.behind() == 0
