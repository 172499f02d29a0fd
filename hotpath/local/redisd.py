"""The embedded Redis: Debian's redis-server, on loopback, keeping nothing on disk.

It can be emptied at any time: the state job refills it from `hotpath.tiles`. What only an operator or an
attacker would ask of it is switched off.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from redis import Redis, RedisError

from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.local.processes import Processes
from hotpath.settings import Settings

OFF = ("CONFIG", "DEBUG", "MODULE", "REPLICAOF", "SLAVEOF", "MIGRATE", "SAVE", "BGSAVE", "SHUTDOWN", "KEYS")
"""FLUSHALL stays: emptying it is an operator's way to have it filled anew."""
MEMORY = "512mb"
LOOK_S, DEADLINE_S = 0.05, 20.0


def found() -> Path | None:
    """The redis-server on PATH; None without one."""
    at = shutil.which("redis-server")
    return Path(at) if at else None


def folder(settings: Settings) -> Path:
    """Its working folder, beside on-prem's other data; nothing is written there."""
    return settings.data / "onprem" / "redis"


def embedded(settings: Settings, program: Path) -> list[str]:
    """The deployment's own; its folder must exist."""
    return command(program, settings.redis.port, folder(settings))


def command(program: Path, port: int, data: Path, *more: str) -> list[str]:
    """Runs it in the foreground; the folder must exist. `more` options stand last, so they win."""
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "protected-mode": "yes",
        "daemonize": "no",
        "dir": str(data),
        "save": "",
        "appendonly": "no",
        "maxmemory": MEMORY,
        # Never drops a key by itself: one that is absent has no tiles. What is full refuses to be written.
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    said = [text for name, value in options.items() for text in (f"--{name}", value)]
    off = [text for name in OFF for text in ("--rename-command", name, "")]
    return [str(program), *said, *(() if more else off), *more]


def start(name: str, data: Path, port: int, processes: Processes, *more: str) -> str:
    """For tests, faults and benchmarks: its URL, once it answers. With `more` no command is switched off.

    Raises Unavailable where there is none, or it does not answer.
    """
    program = found()
    if program is None:
        raise Unavailable("redis-server", None, "one on PATH", "run make system")
    data.mkdir(parents=True, exist_ok=True)
    processes.start(name, command(program, port, data, *more))
    url, clock = f"redis://127.0.0.1:{port}", Clock()
    end = clock.elapsed() + DEADLINE_S
    with Redis(port=port, socket_timeout=1) as client:
        while True:
            try:
                client.ping()
                return url
            except RedisError as error:
                if clock.elapsed() > end:
                    raise Unavailable("redis-server", str(error), f"an answer in {DEADLINE_S} s") from error
                wait(LOOK_S)
