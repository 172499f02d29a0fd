"""A Kafka cluster as an operator's tools see it: topics, their settings, where they end.

Raises Unavailable where a broker does not answer in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from hotpath.errors import BadConfig, Unavailable
from hotpath.handoffs import Site, Topic

DEADLINE_S = 20.0
REACHABLE = "an address that answers", "check kafka.*.bootstrap_servers and that the broker runs"


class Admin:
    """What an operator's tools ask of a cluster."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 2})

    def topics(self, deadline_s: float = DEADLINE_S) -> dict[str, int]:
        """Partitions by topic, internal ones left out. Raises Unavailable."""
        try:
            found = self._client.list_topics(timeout=deadline_s).topics
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

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """One past the last offset of each partition of those topics that exist. Raises Unavailable."""
        there = self.topics()
        places = [TopicPartition(t, p) for t in topics if t in there for p in range(there[t])]
        asked = self._client.list_offsets({place: OffsetSpec.latest() for place in places})
        try:
            return {(tp.topic, tp.partition): f.result(timeout=DEADLINE_S).offset for tp, f in asked.items()}
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
