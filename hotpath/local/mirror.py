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
        "offset.flush.interval.ms": 1000,
        "producer.linger.ms": 5,
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())


def _flow(topics: Iterable[Topic], direction: Direction) -> dict[str, object]:
    named = sorted({re.escape(t.name) for t in topics if t.direction == direction})
    # A properties file reads a backslash as its own escape.
    pattern = ",".join(named).replace("\\", "\\\\")
    return {f"{direction}.enabled": "true", f"{direction}.topics": pattern}


def run_command(config: Path) -> list[str]:
    """Runs MirrorMaker 2 in the foreground."""
    return java("384m", "org.apache.kafka.connect.mirror.MirrorMaker", str(config))
