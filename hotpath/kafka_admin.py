"""A Kafka cluster as an operator's tools see it: topics, their settings, where they end.

Raises Unavailable where a broker does not answer in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from hotpath.errors import BadConfig, Unavailable
from hotpath.handoffs import Site, Topic

T = TypeVar("T")
DEADLINE_S = 20.0
REACHABLE = "an address that answers", "check kafka.*.bootstrap_servers and that the broker runs"

Place = tuple[str, int]
"""Topic and partition."""


class Logs(Protocol):
    """What each partition of some topics holds, of those that exist. Everything raises Unavailable."""

    def ids(self, topics: Iterable[str]) -> dict[str, str]:
        """What tells a topic from an earlier one of its name."""

    def starts(self, topics: Iterable[str]) -> dict[Place, int]:
        """The first offset that is still held."""

    def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """One past the last offset."""


@dataclass
class MemoryLogs:
    """The twin of `Admin` in memory: each topic's id, and where each partition starts and ends."""

    named: dict[str, str] = field(default_factory=dict)
    held: dict[Place, tuple[int, int]] = field(default_factory=dict)

    def ids(self, topics: Iterable[str]) -> dict[str, str]:
        """See `Logs.ids`."""
        return {topic: self.named[topic] for topic in topics if topic in self.named}

    def starts(self, topics: Iterable[str]) -> dict[Place, int]:
        """See `Logs.starts`."""
        known = self.ids(topics)
        return {place: start for place, (start, _) in self.held.items() if place[0] in known}

    def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """See `Logs.ends`."""
        known = self.ids(topics)
        return {place: end for place, (_, end) in self.held.items() if place[0] in known}


class Admin:
    """What an operator's tools ask of a cluster. `patience_s`: how long an answer is waited for."""

    def __init__(self, bootstrap_servers: str, patience_s: float = DEADLINE_S) -> None:
        self._servers, self._patience_s = bootstrap_servers, patience_s
        self._client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})

    def topics(self, deadline_s: float | None = None) -> dict[str, int]:
        """Partitions by topic, internal ones left out. Raises Unavailable."""
        try:
            found = self._client.list_topics(timeout=deadline_s or self._patience_s).topics
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error
        return {name: len(t.partitions) for name, t in found.items() if not name.startswith("__")}

    def configs(self, topic: str) -> dict[str, str]:
        """A topic's settings. Raises Unavailable, or BadConfig where the topic is not there."""
        asked = self._client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)])
        try:
            (answer,) = (future.result(timeout=DEADLINE_S) for future in asked.values())
        except (KafkaException, TimeoutError) as error:
            if _code(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise BadConfig(f"topic {topic}", str(error), "a topic that exists") from error
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error
        return {name: entry.value for name, entry in answer.items()}

    def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """One past the last offset of each partition of those topics that exist. Raises Unavailable."""
        return self._offsets(topics, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def committed_ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """As `ends`, but no further than a reader of committed records gets. Raises Unavailable."""
        return self._offsets(topics, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)

    def starts(self, topics: Iterable[str]) -> dict[Place, int]:
        """The first offset that each partition of those topics still holds. Raises Unavailable."""
        return self._offsets(topics, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)

    def ids(self, topics: Iterable[str]) -> dict[str, str]:
        """What tells a topic from an earlier one of its name, of those that exist. Raises Unavailable."""
        there = self.topics()
        if not (wanted := [topic for topic in topics if topic in there]):
            return {}
        asked = self._client.describe_topics(TopicCollection(wanted))
        return {topic: str(self._answer(future).topic_id) for topic, future in asked.items()}

    def purge(self, before: Mapping[Place, int]) -> None:
        """Delete the records before an offset of each partition. Raises Unavailable."""
        asked = self._client.delete_records([TopicPartition(t, p, o) for (t, p), o in before.items()])
        for future in asked.values():
            self._answer(future)

    def delete(self, topic: str) -> None:
        """Delete a topic and all that it holds. Raises Unavailable."""
        for future in self._client.delete_topics([topic]).values():
            self._answer(future)

    def _offsets(
        self, topics: Iterable[str], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[Place, int]:
        there = self.topics()
        places = [TopicPartition(t, p) for t in topics if t in there for p in range(there[t])]
        if not places:
            return {}
        asked = self._client.list_offsets(dict.fromkeys(places, spec), isolation_level=isolation)
        return {(at.topic, at.partition): self._answer(f).offset for at, f in asked.items()}

    def _answer(self, future: Future[T]) -> T:
        try:
            return future.result(timeout=self._patience_s)
        except (KafkaException, TimeoutError) as error:
            raise Unavailable(f"Kafka at {self._servers}", str(error), *REACHABLE) from error

    def ensure(self, wanted: Iterable[Topic], site: Site, partitions_each: int) -> None:
        """Create the topics that this site lacks; those there are left as they are. Raises Unavailable."""
        there = self.topics()
        for topic in wanted:
            if topic.stands_at(site) and topic.name not in there:
                self.create(topic.name, topic.partitions or partitions_each, topic.configs(site))

    def create(self, name: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Create a topic with the cluster's own replication, unless it is there. Raises Unavailable."""
        asked = self._client.create_topics([NewTopic(name, partitions, config=dict(configs))])
        try:
            asked[name].result(timeout=DEADLINE_S)
        except (KafkaException, TimeoutError) as error:
            if _code(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                raise Unavailable(f"topic {name}", str(error), "a topic that can be created") from error


def partitions(bootstrap_servers: str, topic: str, deadline_s: float = DEADLINE_S) -> range:
    """A topic's partitions. Raises BadConfig where there is no such topic, Unavailable."""
    found = Admin(bootstrap_servers).topics(deadline_s)
    if topic not in found:
        raise BadConfig(f"topic {topic}", sorted(found), "a topic that exists", "run hotpath doctor")
    return range(found[topic])


def _code(error: Exception) -> int | None:
    """What a client's error is about; None for one that is not the client's."""
    return int(error.args[0].code()) if isinstance(error, KafkaException) else None
