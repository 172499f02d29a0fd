"""A topic read by a named group: what was committed is never read again, what was not is read once more.

The queue's side of Kafka, for a reader whose own effect must come before the commit (the points writer).
`KafkaGroup` speaks to a broker, `MemoryGroup` is its twin; both pass tests/integration/test_log.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from hotpath.errors import Unavailable
from hotpath.kafka import Entry, MemoryLog, entry
from hotpath.kafka_admin import REACHABLE

MOST_WAIT_S = 0.5
FETCH_MS = 100
SESSION_MS = 10_000
MOST_SILENT_MS = 86_400_000


class Group(Protocol):
    """A topic's records, each taken until its taker has committed it."""

    def take(self, most: int, seconds: float) -> list[Entry]:
        """Up to `most` records in order, what came within `seconds`; sooner where there are so many."""

    def commit(self) -> None:
        """All that was taken is done with. Raises Unavailable where the broker does not take it."""

    def behind(self) -> int:
        """Offsets of the topic that are not committed yet; a transaction's end takes one too.

        Raises Unavailable.
        """

    def at_end(self) -> bool:
        """Whether all that stands in the topic now was taken."""

    def close(self) -> None:
        """Let go of the connection; what was taken and not committed comes again."""


class KafkaGroup:
    """One member of a consumer group, committed records only."""

    def __init__(self, bootstrap_servers: str, topic: str, group: str) -> None:
        self._servers, self._topic = bootstrap_servers, topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                # A marker of a transaction takes an offset that nobody is given: only this tells the end.
                "enable.partition.eof": True,
                # A broker answers a connection's requests in order: `behind` waits for the fetch before it.
                "fetch.wait.max.ms": FETCH_MS,
                # One that was killed is given up soon; one that waits for its own sink may wait for hours.
                "session.timeout.ms": SESSION_MS,
                "max.poll.interval.ms": MOST_SILENT_MS,
                "log_level": 2,
            }
        )
        self._consumer.subscribe([topic])
        self._next: dict[int, int] = {}
        self._ended: dict[int, int] = {}

    def take(self, most: int, seconds: float) -> list[Entry]:
        """See `Group.take`. Raises Unavailable on a fatal error of the client."""
        taken: list[Entry] = []
        for message in self._consumer.consume(most, seconds):
            if (error := message.error()) is None:
                taken.append(entry(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended[message.partition()] = message.offset()
            elif error.fatal():
                raise Unavailable("Kafka", error.str(), *REACHABLE)
        self._next.update({e.partition: e.offset + 1 for e in taken})
        return taken

    def commit(self) -> None:
        """See `Group.commit`."""
        if not self._next:
            return
        ends = [TopicPartition(self._topic, p, offset) for p, offset in self._next.items()]
        try:
            self._consumer.commit(offsets=ends, asynchronous=False)
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error
        self._next.clear()

    def behind(self) -> int:
        """See `Group.behind`."""
        ends = self._ends()
        try:
            committed = self._consumer.committed(self._consumer.assignment(), timeout=MOST_WAIT_S)
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error
        done = {place.partition: place.offset for place in committed}
        return sum(high - max(low, done.get(p, low)) for p, (low, high) in ends.items())

    def at_end(self) -> bool:
        """See `Group.at_end`. Raises Unavailable."""
        # The broker is asked anew: what was the end a moment ago says nothing of what has come since.
        ends = self._ends()
        return bool(ends) and all(self._ended.get(p, -1) >= high for p, (_, high) in ends.items())

    def close(self) -> None:
        """See `Group.close`."""
        self._consumer.close()

    def _ends(self) -> dict[int, tuple[int, int]]:
        """First offset and one past the last of each partition that is ours, as the broker says now."""
        try:
            return {
                place.partition: self._consumer.get_watermark_offsets(place, timeout=MOST_WAIT_S)
                for place in self._consumer.assignment()
            }
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error


@dataclass
class MemoryGroup:
    """The twin of `KafkaGroup` on a MemoryLog; `committed` counts the topic's records that are done with."""

    log: MemoryLog
    topic: str
    committed: int = 0
    _taken: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._taken = self.committed

    def take(self, most: int, seconds: float) -> list[Entry]:  # noqa: ARG002 - the port's signature
        """See `Group.take`: memory never waits."""
        taken = [e for e in self.log.entries if e.topic == self.topic][self._taken : self._taken + most]
        self._taken += len(taken)
        return taken

    def commit(self) -> None:
        """See `Group.commit`."""
        self.committed = self._taken

    def at_end(self) -> bool:
        """See `Group.at_end`."""
        return self._taken == sum(e.topic == self.topic for e in self.log.entries)

    def behind(self) -> int:
        """See `Group.behind`."""
        return sum(e.topic == self.topic for e in self.log.entries) - self.committed

    def close(self) -> None:
        """See `Group.close`."""
        self._taken = self.committed
