"""The parts of the system on one machine: what each runs, at which priority, in which order.

A literal table, read top to bottom: the start order; stopping goes the other way. An address in the
settings that exists already takes its part out of the table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from hotpath.files import replace
from hotpath.handoffs import Topic
from hotpath.local import broker, influxd, mirror, redisd
from hotpath.settings import Cluster, Settings
from ingest.sources import SOURCES

SCORING, CARRYING, STREAMING, TRAINING = 0, 2, 10, 19
"""Priorities (nice): answers before transport, transport before the stream job, training last."""


@dataclass(frozen=True)
class Part:
    """A process of the system."""

    name: str
    nice: int
    command: tuple[str, ...]


def parts(settings: Settings) -> tuple[Part, ...]:
    """Every part that all pipelines share, in start order."""
    return (
        *_brokers(settings),
        *_influxdb(settings),
        *_redis(settings),
        Part("mirror", CARRYING, tuple(mirror.run_command(_config(settings, "mirror")))),
        Part("agent", CARRYING, _python("monitoring.agent")),
        Part("marks", CARRYING, _python("ingest.marks")),
        Part("follower", CARRYING, _python("serve.job")),
        Part("state", CARRYING, _python("serve.state_job")),
        Part("scorer", SCORING, _python("serve.app")),
        Part("upkeep", STREAMING, _python("transform.upkeep")),
        Part("monitoring", STREAMING, _python("monitoring.job")),
        Part("tiles", STREAMING, _python("transform.tiles_job")),
        Part("transactions", SCORING, _python("hotpath.local.transactions")),
    )


def of_pipeline(name: str) -> tuple[Part, ...]:
    """The parts of one pipeline, in start order; `ingest-NAME` where its producers are ours."""
    ingest = (Part(f"ingest-{name}", CARRYING, _python("ingest.job", name)),) if name in SOURCES else ()
    return (
        *ingest,
        Part(f"transform-{name}", STREAMING, _python("transform.job", name)),
        Part(f"train-{name}", TRAINING, _python("train.job", name)),
    )


def write_configs(settings: Settings, topics: tuple[Topic, ...]) -> bool:
    """Render the files that the embedded parts read; whether the mirror's is another than it was."""
    redisd.folder(settings).mkdir(parents=True, exist_ok=True)
    for site, cluster in _embedded(settings).items():
        data = settings.data / f"kafka-{site}"
        content = broker.properties(cluster.port, cluster.port + 1, data)
        replace(_config(settings, f"kafka-{site}"), content.encode())
    onprem, cloud = settings.kafka.onprem.address, settings.kafka.cloud.address
    content = mirror.properties(topics, onprem, cloud, settings.mirror.port)
    path = _config(settings, "mirror")
    if changed := not path.exists() or path.read_text() != content:
        replace(path, content.encode())
    return changed


def format_commands(settings: Settings) -> dict[str, list[str]]:
    """What prepares the embedded brokers' data folders, by part."""
    return {
        f"kafka-{site}": broker.format_command(f"{settings.data}-{site}", _config(settings, f"kafka-{site}"))
        for site in _embedded(settings)
    }


def _brokers(settings: Settings) -> tuple[Part, ...]:
    names = (f"kafka-{site}" for site in _embedded(settings))
    return tuple(Part(n, CARRYING, tuple(broker.run_command(_config(settings, n)))) for n in names)


def _influxdb(settings: Settings) -> tuple[Part, ...]:
    """None where an address is given, or no influxd is at hand: then the points wait in Kafka."""
    found = influxd.found() if settings.influxdb.url is None else None
    return () if found is None else (Part("influxdb", CARRYING, tuple(influxd.command(settings, found))),)


def _redis(settings: Settings) -> tuple[Part, ...]:
    """None where an address is given, or no redis-server is at hand: then aggregates are their defaults."""
    found = redisd.found() if settings.redis.url is None else None
    return () if found is None else (Part("redis", SCORING, tuple(redisd.embedded(settings, found))),)


def _embedded(settings: Settings) -> dict[str, Cluster]:
    sites = {"onprem": settings.kafka.onprem, "cloud": settings.kafka.cloud}
    return {name: cluster for name, cluster in sites.items() if cluster.bootstrap_servers is None}


def _config(settings: Settings, part: str) -> Path:
    return settings.data / "config" / f"{part}.properties"


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
