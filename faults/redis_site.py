"""A Redis, its follower and a scorer under steady load, for faults/redis.py to break.

Real: redis-server, the scorer's own way from a request to its record, the state's follower. In memory: the
topic and the model. Tiles of a second each are published all the time, each with one record of 1, so what
every answer must have read is known: one that is not flagged and read anything else is wrong.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis

from faults.proxy import Proxy
from hotpath.clock import SECOND, Clock, wait
from hotpath.contract.fitted import NOTHING
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.errors import HotpathError, Unavailable
from hotpath.handoffs import TILES
from hotpath.kafka import MemoryLog
from hotpath.local import redisd
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.tiles import Tiles, packed
from serve.decide import Cuts
from serve.generation import Generation, Scored, composed
from serve.metrics import Metrics
from serve.redis_shelf import RedisShelf
from serve.redis_state import RedisStore
from serve.scorer import Scorer
from serve.state import State
from serve.tiles_follower import TilesFollower

EVERY_S = 0.005
DEADLINE_S, COPY_S, LOOK_S = 0.005, 1.0, 0.25
KEYS, WINDOW = 20, 20
_CONTRACT = """
name: seconds
question: Will it be late?
events:
  topic: seconds.asked
  id: event_id
  entity: event_id
  host: host
  time: event_time
  fields:
    event_id: {type: string}
    host: {type: string}
    event_time: {type: timestamp}
    kind: {type: category}
labels:
  topic: seconds.done
  entity: event_id
  fields: {event_id: {type: string}, late: {type: bool}, kind: {type: category}, size: {type: long}}
  target: late
  horizon: 1h
aggregates:
  ones: {over: labels, by: kind, value: size, tile: 1s, horizon: 20s, delay: 4s, default: {count: -1}}
features:
  count: count(ones)
  mean: mean(ones)
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""
CONTRACT = Contract.from_yaml(_CONTRACT, "seconds.yaml")
(LAYOUT,) = CONTRACT.layouts
RIGHT: Sequence[Value] = (WINDOW, 1.0)


@dataclass(frozen=True)
class Answered:
    """One answer: when, how long it took, its flags, whether it is what it must be."""

    at: float
    took: float
    degraded: bool
    right: bool


@dataclass
class Site:
    """The parts of one run; `stopping` ends its threads."""

    folder: Path
    port: int
    processes: Processes
    scorer: Scorer
    follower: TilesFollower
    topic: MemoryLog
    stopping: threading.Event = field(default_factory=threading.Event)
    answers: list[Answered] = field(default_factory=list)
    failed: int = 0

    @property
    def clock(self) -> Clock:
        """The scorer's."""
        return self.scorer.clock

    def client(self) -> Redis:
        """An operator's."""
        return Redis(port=self.port, socket_timeout=2)

    def start_redis(self) -> None:
        """With a snapshot, where one stands in its folder; nothing is switched off."""
        redisd.start("redis", self.folder, self.port, self.processes, "--dbfilename", "dump.rdb")

    def signal_redis(self, number: signal.Signals) -> None:
        """SIGKILL, SIGSTOP or SIGCONT."""
        child = self.processes.running["redis"]
        os.killpg(child.pid, number)
        if number == signal.SIGKILL:
            self.processes.running.pop("redis").end(0)

    # -- threads

    def publish(self) -> None:
        """Each closed tile, as the cloud's part would."""
        aggregate, done = LAYOUT.aggregate, 0
        while not self.stopping.wait(0.1):
            end = (self.clock.now() - SECOND) // aggregate.tile
            if end == done:
                continue
            done, numbers = end, tuple(range(end - 2 * WINDOW, end))
            tiles = Tiles(
                end * aggregate.tile, end, numbers, tuple((1,) * len(numbers) for _ in LAYOUT.parts)
            )
            for key in range(KEYS):
                self.topic.send(TILES, packed(tiles, LAYOUT), LAYOUT.key(f"k{key}").encode())
            own = packed(Tiles(tiles.through, tiles.batch), LAYOUT)
            self.topic.send(TILES, own, LAYOUT.id.encode())

    def follow(self) -> None:
        """As the state job's root does."""
        while not self.stopping.is_set():
            try:
                self.follower.turn()
            except Unavailable:
                self.follower.forget()
                self.stopping.wait(LOOK_S)
            else:
                self.stopping.wait(0.02)

    def tend(self) -> None:
        """The scorer's watcher."""
        while not self.stopping.wait(LOOK_S):
            if self.scorer.state is not None:
                self.scorer.state.tend()

    def ask(self) -> None:
        """Steady load."""
        seen: list[Sequence[Value]] = []
        made, number = generation(seen), 0
        while not self.stopping.wait(EVERY_S):
            number += 1
            self._ask(made, f"k{number % KEYS}", seen)

    def _ask(self, made: Generation, kind: str, seen: list[Sequence[Value]]) -> None:
        body = {"inputs": [{"name": "kind", "datatype": "BYTES", "shape": [1], "data": [kind]}]}
        began = self.clock.elapsed()
        try:
            said = self.scorer.infer(made, body, self.clock.now())
        except HotpathError:
            self.failed += 1
            return
        took = self.clock.elapsed() - began
        parameters = said["parameters"]
        degraded = bool(parameters["degraded"]) if isinstance(parameters, dict) else True
        self.answers.append(Answered(began, took, degraded, degraded or seen.pop() == RIGHT))


def generation(seen: list[Sequence[Value]]) -> Generation:
    """Its model puts the features that it was asked with into `seen`."""

    def model(vector: Sequence[Value]) -> Scored:
        seen.append(tuple(vector))
        return Scored(0.5, ())

    clock = Clock()
    return composed(
        CONTRACT, NOTHING, model, sequence=1, bundle="b", trained_at=clock.now(), cuts=Cuts(0.5, 0.5)
    )


@contextmanager
def running(slow: bool = False) -> Iterator[tuple[Site, Proxy | None]]:
    """All of it, answers whole; through a proxy where the line is to be `slow`."""
    with tempfile.TemporaryDirectory(prefix="hotpath-redis-") as name:
        folder, clock, port = Path(name), Clock(), free_port()
        seen_at = free_port() if slow else port
        proxy = Proxy(seen_at, port) if slow else None
        topic = MemoryLog()
        store = RedisStore(f"redis://127.0.0.1:{seen_at}", DEADLINE_S, clock.elapsed)
        state = State(store, clock.elapsed, COPY_S)
        shelf = RedisShelf(f"redis://127.0.0.1:{port}")
        found = Site(
            folder / "redis",
            port,
            Processes(folder / "logs"),
            Scorer("s", clock, MemoryLog(refuse=True), Metrics(), state=state),
            TilesFollower(topic, shelf, lambda: "T", clock.elapsed),
            topic,
        )
        threads = [
            threading.Thread(target=work) for work in (found.publish, found.follow, found.tend, found.ask)
        ]
        try:
            found.start_redis()
            if proxy:
                proxy.__enter__()
            for thread in threads:
                thread.start()
            until(found, lambda: good(found), "answers are whole")
            yield found, proxy
        finally:
            found.stopping.set()
            for thread in threads:
                thread.join()
            if proxy:
                proxy.__exit__(None, None, None)
            shelf.close()
            store.close()
            found.processes.stop_all(["redis"])


def good(found: Site) -> bool:
    last = found.answers[-20:]
    return len(last) == 20 and not any(a.degraded for a in last)


def until(found: Site, holds: Callable[[], bool], what: str, deadline_s: float = 30.0) -> float:
    """Seconds that it took."""
    began = found.clock.elapsed()
    while not holds():
        if found.clock.elapsed() - began > deadline_s:
            raise Unavailable("the site", "not in time", what)
        wait(0.05)
    return found.clock.elapsed() - began
