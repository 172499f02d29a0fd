"""The one link between the sites: MirrorMaker 2's properties. How far behind it is: monitoring/mirror_lag.py.

Pure rendering: which topic goes which way is what `hotpath.handoffs` and the contracts declare.
Exactly once in both directions; names stay (IdentityReplicationPolicy) because no topic goes both ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hotpath.handoffs import Direction, Topic
from hotpath.local.broker import java

MIB = 1024 * 1024
MOST_A_POLL = 20_000


def properties(topics: Iterable[Topic], onprem: str, cloud: str, port: int) -> str:
    """mm2.properties of one process that mirrors both ways. `port`: its own REST, on loopback."""
    wanted = tuple(topics)
    settings = {
        "clusters": "onprem, cloud",
        "onprem.bootstrap.servers": onprem,
        "cloud.bootstrap.servers": cloud,
        **_flow(wanted, "onprem->cloud"),
        **_flow(wanted, "cloud->onprem"),
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "onprem.exactly.once.source.support": "enabled",
        "cloud.exactly.once.source.support": "enabled",
        # Exactly once needs the mirror's own reader to see committed records only.
        "onprem.consumer.isolation.level": "read_committed",
        "cloud.consumer.isolation.level": "read_committed",
        # A cut line costs the worker its group; what it had is given back at once, not after five minutes.
        "onprem.scheduled.rebalance.max.delay.ms": 0,
        "cloud.scheduled.rebalance.max.delay.ms": 0,
        "dedicated.mode.enable.internal.rest": "true",
        "listeners": f"http://127.0.0.1:{port}",
        "replication.factor": 1,
        "checkpoints.topic.replication.factor": 1,
        "heartbeats.topic.replication.factor": 1,
        "offset-syncs.topic.replication.factor": 1,
        "offset.storage.replication.factor": 1,
        "status.storage.replication.factor": 1,
        "config.storage.replication.factor": 1,
        "offset.storage.partitions": 1,
        "refresh.topics.interval.seconds": 5,
        # The marks are the heartbeat; consumer groups do not fail over between the sites.
        "emit.heartbeats.enabled": "false",
        "emit.checkpoints.enabled": "false",
        "sync.group.offsets.enabled": "false",
        "refresh.groups.enabled": "false",
        # While one transaction is being committed another one is filled: events go this way.
        "onprem->cloud.tasks.max": 2,
        **_wide("onprem", "cloud"),
        **_wide("cloud", "onprem"),
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())


def _wide(source: str, target: str) -> dict[str, object]:
    """What makes the way from `source` to `target` carry much although its line is long.

    With 40 ms a round trip the clients' defaults carried 0.3 MB/s, all of these together 12 to 16, and 18 to
    21 with two tasks (one run each, on a machine that others kept busy). Which of them buys how much was not
    measured one by one: the size of a poll alone did not do it, so what is said below is what each is for.
    MM2 reads them under a cluster's name only; others it passes over silently.
    """
    return {
        # A transaction a poll, and a commit takes several round trips: so many records share them.
        # monitoring.gaps.MOST_AT_ONCE must not be less.
        f"{source}.consumer.max.poll.records": MOST_A_POLL,
        # Every poll that finds a record is a transaction: of a stream that trickles, five a second at most.
        f"{source}.consumer.fetch.min.bytes": MIB // 16,
        f"{source}.consumer.fetch.max.wait.ms": 200,
        # Read ahead while a transaction is on its way: of each partition more than one poll's worth.
        f"{source}.consumer.max.partition.fetch.bytes": 8 * MIB,
        # Bounds what is read ahead, large records too: the heap is small.
        f"{source}.consumer.fetch.max.bytes": 16 * MIB,
        # Five requests may be under way at once: of 16 KB each in 40 ms that would be 2 MB/s.
        f"{target}.producer.batch.size": MIB // 2,
        f"{target}.producer.linger.ms": 20,
        # A third of the bytes on the line, of generated events of twenty fields.
        f"{target}.producer.compression.type": "lz4",
        # The kernel's own window: 128 KB under way in 40 ms are 3 MB/s.
        f"{target}.producer.send.buffer.bytes": -1,
        f"{source}.consumer.receive.buffer.bytes": -1,
    }


def _flow(topics: Iterable[Topic], direction: Direction) -> dict[str, object]:
    named = sorted({re.escape(t.name) for t in topics if t.direction == direction})
    # A properties file reads a backslash as its own escape.
    pattern = ",".join(named).replace("\\", "\\\\")
    return {f"{direction}.enabled": "true", f"{direction}.topics": pattern}


def run_command(config: Path) -> list[str]:
    """Runs MirrorMaker 2 in the foreground."""
    return java("384m", "org.apache.kafka.connect.mirror.MirrorMaker", str(config), classes="mirror")
