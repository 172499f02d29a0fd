"""What must be true before anything starts, and what `hotpath doctor` says of it.

Each check is a function from settings to findings; adding one is one entry in `CHECKS`. A finding that is
`wrong` keeps the demonstration from starting, a `suspicious` one is only said.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from hotpath.contract.load import load
from hotpath.deployed import contracts
from hotpath.errors import BadConfig, HotpathError
from hotpath.files import hold
from hotpath.handoffs import Topic, topics
from hotpath.kafka_admin import Admin
from hotpath.local import influxd, redisd
from hotpath.settings import PROJECT, Settings

NEEDED_BYTES = 6 * 1024**3
"""What the parts take together at their height, of the 8 GB that a machine must have."""
NEEDED_DISK = 4 * 1024**3
JAVA = 17
WEEK_MS = 7 * 86_400_000
ALIVE_S = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    verdict: Literal["ok", "suspicious", "wrong"]
    says: str


def examine(settings: Settings, running: bool = False) -> tuple[Finding, ...]:
    """Every finding, in the order of the table; `running`: a demonstration holds the ports and the memory."""
    checks = [check for check in CHECKS if not (running and check in STARTING)]
    return tuple(finding for check in checks for finding in check(settings))


def is_running(settings: Settings) -> bool:
    """Whether a demonstration runs in this data folder."""
    if not lock(settings).exists():
        return False
    try:
        hold(lock(settings), "demonstration in a data folder").close()
    except BadConfig:
        return True
    return False


def lock(settings: Settings) -> Path:
    """Held while a demonstration runs; beside the data folder, which may be deleted."""
    return settings.data.with_name(f"{settings.data.name}.lock")


def _programs(_: Settings) -> Iterator[Finding]:
    found = shutil.which("java")
    if found is None:
        yield Finding("java", "wrong", "not on PATH; install openjdk-17-jre-headless (make setup does)")
        return
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    version = re.search(r'version "(\d+)', said)
    right = version is not None and int(version[1]) == JAVA
    yield Finding("java", "ok" if right else "wrong", f"{said.splitlines()[0]}; version {JAVA} is needed")


def _jars(_: Settings) -> Iterator[Finding]:
    for name in ("kafka", "spark", "genmodel"):
        there = any((PROJECT / ".jars" / name).glob("*.jar"))
        yield Finding(f"{name} jars", "ok" if there else "wrong", "in place" if there else "run make setup")


def _influxd(settings: Settings) -> Iterator[Finding]:
    if settings.influxdb.url is not None:
        return
    if (found := influxd.found()) is not None:
        yield Finding("influxd", "ok", str(found))
        return
    said = "not found; points wait in Kafka, everything else works; make influxd builds it"
    yield Finding("influxd", "suspicious", said)


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis.url is None:
        found = redisd.found()
        said = "not found: aggregates are their contract's defaults; make system installs it"
        yield Finding("redis-server", "suspicious" if found is None else "ok", str(found or said))


def _memory(_: Settings) -> Iterator[Finding]:
    free = psutil.virtual_memory().available
    said = f"{free / 1024**3:.1f} GiB available, {NEEDED_BYTES / 1024**3:.0f} needed"
    yield Finding("memory", "ok" if free >= NEEDED_BYTES else "wrong", said)


def _ports(settings: Settings) -> Iterator[Finding]:
    for key, port in ports(settings).items():
        free = _free(port)
        said = "free" if free else f"taken: stop what listens there or set {key} to another"
        yield Finding(f"port {port}", "ok" if free else "wrong", said)


def _ports_twice(settings: Settings) -> Iterator[Finding]:
    """Each is free before the start: it is the second part that then finds its port taken by the first."""
    wanted = ports(settings)
    for port, times in Counter(wanted.values()).items():
        if times > 1:
            keys = " and ".join(key for key, same in wanted.items() if same == port)
            yield Finding(f"port {port}", "wrong", f"wanted twice, by {keys}: set one of them to another")


def ports(settings: Settings) -> dict[str, int]:
    """Ports the embedded parts will listen on, by the setting that says so."""
    wanted = {
        "mirror.port": settings.mirror.port,
        "serve.port": settings.serve.port,
        "console.port": settings.console.port,
    }
    for site in ("onprem", "cloud"):
        cluster = getattr(settings.kafka, site)
        if cluster.bootstrap_servers is None:
            wanted[f"kafka.{site}.port"] = cluster.port
            wanted[f"kafka.{site}.port (+1, its controller)"] = cluster.port + 1
    if settings.h2o.url is None:
        wanted["h2o.port"] = settings.h2o.port
        wanted["h2o.port (+1, its own)"] = settings.h2o.port + 1
    if settings.influxdb.url is None:
        wanted["influxdb.port"] = settings.influxdb.port
    if settings.redis.url is None:
        wanted["redis.port"] = settings.redis.port
    return wanted


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _data(settings: Settings) -> Iterator[Finding]:
    there = next(folder for folder in (settings.data, *settings.data.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        yield Finding(f"data {settings.data}", "wrong", f"{there} cannot be written: set data to another")
        return
    free = shutil.disk_usage(there).free
    said = f"{free / 1024**3:.1f} GiB free, {NEEDED_DISK / 1024**3:.0f} for a day"
    yield Finding(f"data {settings.data}", "ok" if free >= NEEDED_DISK else "suspicious", said)


def _contracts(settings: Settings) -> Iterator[Finding]:
    for path in settings.contracts():
        try:
            load(path)
        except HotpathError as error:
            yield Finding(path.name, "wrong", str(error))
        else:
            yield Finding(path.name, "ok", "a valid contract")


def topic_findings(settings: Settings) -> tuple[Finding, ...]:
    """What the user's own topics lack: a reference clock, or enough retention."""
    wanted = [t for t in topics(contracts(settings)) if t.log_append]
    try:
        admin = Admin(settings.kafka.onprem.address)
        there = admin.topics(ALIVE_S)
        return tuple(topic_finding(t, admin.configs(t.name) if t.name in there else None) for t in wanted)
    except HotpathError as error:
        return (Finding("Kafka (on-prem)", "suspicious", f"not reached: {error}"),)


def topic_finding(topic: Topic, configs: dict[str, str] | None) -> Finding:
    """What a topic lacks; `configs` as the broker tells them, None where it does not exist."""
    subject = f"topic {topic.name}"
    if configs is None:
        return Finding(subject, "suspicious", "does not exist yet; hotpath demo makes it")
    if configs["message.timestamp.type"] != "LogAppendTime":
        said = "no LogAppendTime: without the broker's stamp there is no reference clock for its hosts; "
        return Finding(subject, "wrong", said + "set message.timestamp.type=LogAppendTime")
    kept = int(configs["retention.ms"])
    if not topic.compacted and 0 <= kept < WEEK_MS:
        said = f"retention {kept / 3_600_000:.1f} h is shorter than a week: a longer cut of the line loses "
        return Finding(subject, "suspicious", said + "records; set retention.ms=604800000")
    return Finding(subject, "ok", "stamped by the broker, kept long enough")


STARTING = (_memory, _ports)
"""What must be free before a start, and is in use after it."""
CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _programs,
    _jars,
    _influxd,
    _redis,
    _memory,
    _data,
    _ports_twice,
    _ports,
    _contracts,
)
