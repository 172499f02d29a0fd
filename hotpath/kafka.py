"""Kafka as the stages see it: a log that is sent to and tailed.

`KafkaLog` speaks to a broker through librdkafka; `MemoryLog` is its twin for unit tests and passes the
same tests (tests/integration/test_log.py). Raises Unavailable where a broker does not answer in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from hotpath.clock import Micros
from hotpath.errors import BadInput, Bug, Unavailable
from hotpath.kafka_admin import DEADLINE_S, REACHABLE, partitions

Headers = Mapping[str, bytes]
Delivered = Callable[[Exception | None], None]
"""Called once a record is acknowledged (None) or given up (why)."""

MOST_BYTES = 1_000_000
"""librdkafka's and a topic's usual limit of a record."""
LOOK_S = 0.1


@dataclass(frozen=True)
class Entry:
    """A record as it stands in a topic; `at` is the broker's or producer's timestamp."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    at: Micros


class Tail(Protocol):
    """A reader that follows topics without a group, from their beginning: restart is replay."""

    def poll(self, seconds: float) -> Entry | None:
        """The next record, or None after `seconds` without one."""

    def at_end(self) -> bool:
        """Whether the end of every topic has been reached once since the tail began."""

    def close(self) -> None:
        """Let go of the connection."""


class Log(Protocol):
    """Topics that can be sent to and followed."""

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        """Hand a record over without waiting; False (and nothing sent) where the queue is full.

        Raises BadInput where the record is too large for any topic.
        """

    def flush(self, deadline_s: float) -> int:
        """Wait until all is acknowledged; the number that is not when the deadline passes."""

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        """Follow these topics from their beginning, or only what comes from now on (`newest`).

        `since`: from this offset on, of topics with one partition; where it is not there any more, from the
        beginning.
        """


class KafkaLog:
    """A Kafka cluster. `queued` bounds the records in flight: a full queue refuses, it never blocks.

    `patience_s`: how long a tail waits for a broker before it says that there is none.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        queued: int = 100_000,
        timeout_ms: int = 120_000,
        patience_s: float = DEADLINE_S,
    ) -> None:
        self._servers, self._patience_s = bootstrap_servers, patience_s
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,
                # Java's partitioner, so that two producers in two languages agree on a key's partition.
                "partitioner": "murmur2_random",
                "compression.type": "zstd",
                "linger.ms": 5,
                "queue.buffering.max.messages": queued,
                "delivery.timeout.ms": timeout_ms,
                "log_level": 2,
            }
        )

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        """See `Log.send`. Raises Unavailable too, where the client takes nothing at all."""
        told = None if on_delivery is None else _delivery(on_delivery)
        carried = list(headers.items()) if headers else None
        try:
            self._producer.produce(topic, value=value, key=key, headers=carried, on_delivery=told)
        except BufferError:
            self._producer.poll(0)
            return False
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error
            raise BadInput("message", f"{len(value or b'')} bytes", "at most 1 MB") from error
        self._producer.poll(0)
        return True

    def poll(self, seconds: float) -> None:
        """Serve delivery callbacks; call it now and then where nothing is sent for long."""
        self._producer.poll(seconds)

    def flush(self, deadline_s: float) -> int:
        """See `Log.flush`."""
        return int(self._producer.flush(deadline_s))

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        """Raises Unavailable where the broker does not answer, BadConfig on an unknown topic."""
        return KafkaTail(self._servers, topics, newest, self._patience_s, since)


class KafkaTail:
    """Every partition of some topics, committed records only."""

    def __init__(
        self, bootstrap_servers: str, topics: Sequence[str], newest: bool, patience_s: float, since: int = 0
    ) -> None:
        places = {(t, p) for t in topics for p in partitions(bootstrap_servers, t, patience_s)}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "hotpath-tail",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                # Positions would not do: a transaction's marker takes an offset that no poll returns.
                "enable.partition.eof": True,
                "log_level": 2,
            }
        )
        self._unread = places.copy()
        self.reached: dict[tuple[str, int], int] = {}
        """By topic and partition how far it has been read, markers of transactions included."""
        first = OFFSET_END if newest else since or OFFSET_BEGINNING
        self._consumer.assign([TopicPartition(t, p, first) for t, p in places])

    def poll(self, seconds: float) -> Entry | None:
        """See `Tail.poll`. Raises Unavailable on a fatal error of the client."""
        while (message := self._consumer.poll(seconds)) is not None:
            if (error := message.error()) is None:
                found = entry(message)
                self.reached[found.topic, found.partition] = found.offset + 1
                return found
            if error.code() == KafkaError._PARTITION_EOF:
                self.reached[message.topic(), message.partition()] = message.offset()
                self._unread.discard((message.topic(), message.partition()))
            elif error.fatal():
                raise Unavailable("Kafka", error.str(), *REACHABLE)
        return None

    def at_end(self) -> bool:
        """See `Tail.at_end`."""
        return not self._unread

    def close(self) -> None:
        """See `Tail.close`."""
        self._consumer.close()


@dataclass
class MemoryLog:
    """The twin of `KafkaLog` in memory: one partition a topic; `refuse` makes the queue full."""

    entries: list[Entry] = field(default_factory=list)
    refuse: bool = False

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        """See `Log.send`."""
        if self.refuse:
            return False
        if len(value or b"") > MOST_BYTES:
            raise BadInput("message", f"{len(value or b'')} bytes", "at most 1 MB")
        offset = sum(e.topic == topic for e in self.entries)
        self.entries.append(Entry(topic, 0, offset, key, value, dict(headers or {}), 0))
        if on_delivery is not None:
            on_delivery(None)
        return True

    def flush(self, deadline_s: float) -> int:  # noqa: ARG002 - the port's signature
        """See `Log.flush`: memory acknowledges at once."""
        return 0

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        """See `Log.tail`."""
        goal = len(self.entries)
        return MemoryTail(self, tuple(topics), goal, goal if newest else 0, since)


@dataclass
class MemoryTail:
    """Follows a MemoryLog."""

    log: MemoryLog
    topics: tuple[str, ...]
    goal: int
    at: int = 0
    since: int = 0

    def poll(self, seconds: float) -> Entry | None:  # noqa: ARG002 - the port's signature
        """See `Tail.poll`: memory never waits."""
        while self.at < len(self.log.entries):
            found = self.log.entries[self.at]
            self.at += 1
            if found.topic in self.topics and found.offset >= self.since:
                return found
        return None

    def at_end(self) -> bool:
        """See `Tail.at_end`."""
        rest = self.log.entries[self.at : self.goal]
        return not any(e.topic in self.topics for e in rest)

    def close(self) -> None:
        """See `Tail.close`."""


def standing(log: Log, topic: str) -> list[Entry]:
    """Every record that stands in a topic now, and a few that come meanwhile.

    Raises Unavailable where the end is not reached within `DEADLINE_S` of silence.
    """
    found: list[Entry] = []
    silent = 0
    with closing(log.tail([topic])) as tail:
        # Until the end was seen once, not until nothing comes: a busy topic never falls silent.
        while not tail.at_end():
            if (stands := tail.poll(LOOK_S)) is not None:
                found.append(stands)
            elif (silent := silent + 1) > DEADLINE_S / LOOK_S:
                raise Unavailable(f"topic {topic}", f"{len(found)} records, no end", "its end", REACHABLE[1])
    return found


def _delivery(told: Delivered) -> Callable[[KafkaError | None, Message], None]:
    def call(error: KafkaError | None, _message: Message) -> None:
        told(None if error is None else Unavailable("delivery", error.str(), *REACHABLE))

    return call


def entry(message: Message) -> Entry:
    """A polled message as an entry."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    if topic is None or partition is None or offset is None:
        raise Bug("a polled record", message, "a record with its place")
    headers = {name: value or b"" for name, value in message.headers() or ()}
    at = message.timestamp()[1] * 1000
    return Entry(topic, partition, offset, message.key(), message.value(), headers, at)
