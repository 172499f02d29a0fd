"""An embedded Kafka broker: its properties and commands. Pure; `parts` starts it.

KRaft, one node that is broker and controller, on loopback. The cluster's identity comes from its name,
so that a data folder that was formatted once can be formatted again without harm.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from hotpath.class_archives import shared
from hotpath.settings import PROJECT

JARS = PROJECT / ".jars" / "kafka"
LOGGING = Path(__file__).with_name("kafka-log4j2.yaml")


def properties(port: int, controller_port: int, data: Path, line: tuple[int, int] | None = None) -> str:
    """server.properties of a one-node cluster with small needs.

    `line`: a further listener's port, and the port under which the other site reaches it (a line that is
    forwarded, or cut).
    """
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 5,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 5,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    if line is not None:
        listens, reached = line
        settings["listeners"] = f"{settings['listeners']},LINE://127.0.0.1:{listens}"
        settings["advertised.listeners"] = f"{settings['advertised.listeners']},LINE://127.0.0.1:{reached}"
        protocols = settings["listener.security.protocol.map"]
        settings["listener.security.protocol.map"] = f"{protocols},LINE:PLAINTEXT"
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def java(heap: str, main: str, *arguments: str, classes: str = "kafka") -> list[str]:
    """Command line of one of the Kafka jars' programs, its collector serial, its logging to stderr.

    `classes`: the archive that it starts from.
    """
    return [
        "java",
        *shared(classes),
        f"-Xmx{heap}",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile=file:{LOGGING}",
        "-cp",
        f"{JARS}/*",
        main,
        *arguments,
    ]


def format_command(name: str, config: Path) -> list[str]:
    """Prepares the data folder; one that is prepared already is left as it is."""
    arguments = ("format", "--ignore-formatted", "-t", cluster_id(name), "-c", str(config))
    return java("128m", "kafka.tools.StorageTool", *arguments)


def cluster_id(name: str) -> str:
    """The cluster's identity, 22 characters of URL-safe base64 (Kafka's Uuid), the same for the same name.

    It never begins with a dash, which the storage tool would take for an option.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return base64.urlsafe_b64encode(bytes([digest[0] & 0x7F]) + digest[1:16]).decode().rstrip("=")


def run_command(config: Path) -> list[str]:
    """Runs the broker in the foreground."""
    return java("384m", "kafka.Kafka", str(config))
