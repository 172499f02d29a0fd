"""A real state follower between a real Kafka and a real Redis: emptied, killed, the topic going on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError

from hotpath.handoffs import HANDOFFS, TILES
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.local import redisd
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.settings import PROJECT
from serve.state import PREFIX
from tests.conftest import until
from tests.integration.serve import bundles
from tests.integration.serve.conftest import ended

KEYS = 3_000
REFILLED_S = 10.0


@dataclass
class Site:
    """A topic with some keys, a Redis, and the follower's process."""

    log: KafkaLog
    port: int
    folder: Path
    processes: Processes
    client: Any
    follower: subprocess.Popen[bytes]

    def start_redis(self) -> None:
        redisd.start("redis-state", self.folder / "redis", self.port, self.processes)

    def say(self, value: str) -> None:
        """A new value for every key, then the layout's own record."""
        for n in range(KEYS):
            self.log.send(TILES, value.encode(), b"p/a@1/%d" % n)
        self.log.send(TILES, value.encode(), b"p/a@1")
        assert self.log.flush(20) == 0

    def holds(self, value: str) -> bool:
        """Whether Redis has it for all of them."""
        keys = [PREFIX + b"p/a@1", *(PREFIX + b"p/a@1/%d" % n for n in range(KEYS))]
        try:
            return set(self.client.mget(keys)) == {value.encode()}
        except RedisError:
            return False


@pytest.fixture
def site(tmp_path: Path, kafka: str, processes: Processes) -> Iterator[Site]:
    Admin(kafka).ensure([t for t in HANDOFFS if t.name == TILES], "onprem", 1)
    port, log = free_port(), KafkaLog(kafka)
    environment = {
        **bundles.environment(tmp_path, free_port(), free_port()),
        "HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS": kafka,
        "HOTPATH__REDIS__PORT": str(port),
    }
    with (tmp_path / "state.log").open("wb") as out:
        command = [sys.executable, "-m", "serve.state_job"]
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=PROJECT, stderr=out, process_group=0
        )
    with Redis(port=port, socket_timeout=2) as client:
        found = Site(log, port, tmp_path, processes, client, process)
        found.start_redis()
        yield found
    process.terminate()
    code = ended(process)
    processes.stop("redis-state")
    assert code == 0, (tmp_path / "state.log").read_text()


def test_redis_is_filled_whatever_becomes_of_it(site: Site) -> None:
    site.say("one")
    until(lambda: site.holds("one"), "Redis is filled")
    site.client.flushall()
    until(lambda: site.holds("one"), "an emptied Redis is filled again", REFILLED_S)
    site.processes.stop("redis-state")
    site.say("two")
    site.start_redis()
    until(lambda: site.holds("two"), "a Redis that came back empty is filled with what is now", REFILLED_S)
    assert site.follower.poll() is None
