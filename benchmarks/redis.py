"""What keyed state costs a request: twenty readings of five aggregates, 72 tiles a key.

redis_features          keys that no copy answers over one bare round trip: a raw socket with the same
                        deadline, GET of one such value. A key comes again with the bytes that it had, as it
                        does for minutes: the trip is paid, its windows are not computed again
redis_features_changed  the same with bytes that were never seen: decoding and windows too
redis_cached            keys that copies answer over the same readings computed from decoded tiles in memory
"""

from __future__ import annotations

import random
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from redis import Redis

from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import Clock, Micros
from hotpath.contract.aggregates import Layout
from hotpath.contract.model import Contract
from hotpath.contract.statistics import Part
from hotpath.contract.types import Value
from hotpath.errors import Bug
from hotpath.local import redisd
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from hotpath.readings import Reads
from hotpath.tiles import Reader, Tiles, packed
from serve.redis_state import RedisStore
from serve.stages import Sums
from serve.state import MOST_COPIES, PREFIX, Held, State

AT: Micros = 1_795_000_000_000_000
KEYS = 500
CALLS = 4_000
DEADLINE_S = 1.0
"""Longer than a scorer's, for both sides: a busy machine must not open the breaker of a benchmark."""
BY = ("carrier", "origin", "dest", "route", "tail")
_READINGS = ("count({0}, '1h')", "mean({0}, '1h')", "mean({0}, '3h')", "mean({0}, '6h')")


def contract() -> Contract:
    """Five aggregates, four readings of each."""
    gap = "\n  "
    aggregates = [
        f"late_{by}: {{over: labels, by: {by}, value: delay, digits: 1, tile: 5m, horizon: 6h, delay: 2m}}"
        for by in BY
    ]
    features = [f"{by}_{n}: {text.format(f'late_{by}')}" for by in BY for n, text in enumerate(_READINGS)]
    keys = f"{gap}  ".join(f"{by}: {{type: category}}" for by in BY)
    return Contract.from_yaml(
        f"""
name: stops
question: Will it be late?
events:
  topic: stops.asked
  id: event_id
  entity: stop_id
  host: host
  time: event_time
  fields:
    event_id: {{type: string}}
    stop_id: {{type: string}}
    host: {{type: string}}
    event_time: {{type: timestamp}}
    {keys}
labels:
  topic: stops.done
  entity: stop_id
  fields:
    stop_id: {{type: string}}
    late: {{type: bool}}
    delay: {{type: double, min: -1000, max: 10000}}
    {keys}
  target: late
  horizon: 24h
aggregates:
  {gap.join(aggregates)}
features:
  {gap.join(features)}
train: {{window: 30d, holdout: 20%, retrain_every: 2h}}
gate: {{auc: ">= 0.60"}}
serve: {{fresh: 3h, expired: 24h}}
""",
        "stops.yaml",
    )


def tiles(layout: Layout, draw: random.Random) -> Tiles:
    """A whole horizon of one key, a record in each tile at least."""
    end, aggregate = layout.aggregate.ended(AT), layout.aggregate
    numbers = tuple(range(end - aggregate.horizon // aggregate.tile, end))
    counts = [draw.randrange(1, 60) for _ in numbers]
    columns = {Part.COUNT: counts, Part.SUM: [draw.randrange(-100, 400) * count for count in counts]}
    return Tiles(end * aggregate.tile, 7, numbers, tuple(columns[part] for part in layout.parts))


def redis_features(rounds: int = ROUNDS, calls: int = CALLS) -> Sequence[Row]:
    """The ratio of two medians, the sides in turns."""
    with _redis() as port:
        bare = _bare(port)
        # Copies of no age at all: each request pays for its trip.
        ask, changed = _asking(port, copy_s=0.0), _asking(port, copy_s=0.0, most=1)
        found = [_ratio(ask, bare, calls) for _ in range(rounds)]
        anew = [_ratio(changed, bare, calls) for _ in range(rounds)]
    return [
        row("redis_features", found, "lower", must=2.5, aim=1.5),
        row("redis_features_changed", anew, "lower"),
    ]


def redis_cached(rounds: int = ROUNDS, calls: int = CALLS) -> Sequence[Row]:
    """The ratio of two medians, the sides in turns."""
    with _redis() as port:
        ask, inside = _asking(port, copy_s=3600.0), _in_memory()
        for number in range(KEYS):
            if ask(number) != inside(number):
                raise Bug("readings", ask(number), f"{inside(number)}, as computed in memory")
        found = [_ratio(ask, inside, calls) for _ in range(rounds)]
    return [row("redis_cached", found, "lower", must=1.05)]


def _question(number: int) -> Mapping[str, Value]:
    return dict.fromkeys(BY, f"K{number % KEYS:04d}")


def _values() -> dict[str, Tiles]:
    draw, layouts = random.Random(5), contract().layouts
    keys = [next(iter(_question(number).values())) for number in range(KEYS)]
    return {layout.key(str(key)): tiles(layout, draw) for layout in layouts for key in keys}


@contextmanager
def _redis() -> Iterator[int]:
    """A real one that holds every key's tiles and the layouts' own records; its port."""
    with tempfile.TemporaryDirectory(prefix="hotpath-redis-") as name:
        processes, port = Processes(Path(name) / "logs"), free_port()
        try:
            redisd.start("redis", Path(name) / "redis", port, processes)
            with Redis(port=port) as client:
                for layout in contract().layouts:
                    client.set(PREFIX + layout.id.encode(), packed(Tiles(AT, 7), layout))
                    for key, value in _values().items():
                        if key.startswith(f"{layout.id}/"):
                            client.set(PREFIX + key.encode(), packed(value, layout))
            yield port
        finally:
            processes.stop_all(["redis"])


def _asking(port: int, copy_s: float, most: int = MOST_COPIES) -> Callable[[int], Mapping[str, Value]]:
    """As the scorer reads: the readings of a question."""
    elapsed, made, sums = Clock().elapsed, Reads.of(contract()), Sums()
    state = State(RedisStore(f"redis://127.0.0.1:{port}", DEADLINE_S, elapsed), elapsed, copy_s, most)
    state.tend()

    def ask(number: int) -> Mapping[str, Value]:
        (held,) = state.read(made, [_question(number)], AT, sums)
        return _whole(held)

    return ask


def _whole(held: Held) -> Mapping[str, Value]:
    if held.degraded:
        raise Bug("readings", held.degraded, "tiles that could be had")
    return held.readings


def _in_memory() -> Callable[[int], Mapping[str, Value]]:
    reader, values = Reader.of(contract()), _values()

    def read(number: int) -> Mapping[str, Value]:
        keys = reader.keys(_question(number))
        found = [values[layout.key(key or "")] for layout, key in zip(reader.layouts, keys, strict=True)]
        return reader.read(found, AT)

    return read


def _bare(port: int) -> Callable[[int], object]:
    """One GET over a raw socket, its reply read but not looked at."""
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.settimeout(DEADLINE_S)
    layout = contract().layouts[0]
    commands = []
    for number in range(KEYS):
        key = PREFIX + layout.key(str(_question(number)[BY[0]])).encode()
        commands.append(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(key), key))
    value = packed(tiles(layout, random.Random(5)), layout)
    size = len(b"$%d\r\n" % len(value)) + len(value) + 2

    def get(number: int) -> object:
        raw.sendall(commands[number % KEYS])
        got = 0
        while got < size:
            got += len(raw.recv(65_536))
        return got

    return get


def _ratio(one: Callable[[int], object], other: Callable[[int], object], calls: int) -> float:
    clock, took = Clock(), ([0.0] * calls, [0.0] * calls)
    for number in range(calls):
        for side, call in enumerate((one, other)):
            began = clock.elapsed()
            call(number)
            took[side][number] = clock.elapsed() - began
    return median(took[0]) / median(took[1])
