"""The mirror's rate: MirrorMaker 2, exactly once, from broker to broker over a line with a 40 ms round trip.

Everything real but the line, a TCP proxy that delays and does not throttle; the cloud's broker is known to
the mirror by the proxy's port alone. The records stand on-prem before the mirror starts, as after a cut line;
its rate is told by its own positions, once a million records have crossed.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from benchmarks.table import ROUNDS, Row, row
from faults.proxy import Line, Proxy
from hotpath.clock import Clock, wait
from hotpath.errors import BadConfig, Bug, Unavailable
from hotpath.handoffs import Topic
from hotpath.kafka import KafkaLog, KafkaTail
from hotpath.kafka_admin import Admin
from hotpath.local import mirror, one_broker
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from monitoring.mirror_way import OFFSETS_TOPIC, mirrored

DEMAND = 11.1e6
"""Bytes a second: 40 GB an hour."""
MUST, AIM = 1.0, 2.0
ONE_WAY_S = 0.02
PARTITIONS = 4
"""As `kafka.partitions` of the settings."""
WARM_UP, A_ROUND = 1_000_000, 400_000
DEADLINE_S = 600.0
STARTS_S = 60.0
EVENTS = Topic("mirrored.events", "onprem->cloud")
DISTINCT = 20_000


def measure(rounds: int = ROUNDS, warm_up: int = WARM_UP, a_round: int = A_ROUND) -> Sequence[Row]:
    """Bytes of the records' values that crossed in a second, over the demand's rate."""
    values = events(DISTINCT)
    size = sum(map(len, values)) / len(values)
    with _sites() as (onprem, tail):
        _produced(onprem, values, warm_up + (rounds + 1) * a_round)
        found = [
            a_round * size / seconds / DEMAND for seconds in _crossings(tail(), warm_up, a_round, rounds)
        ]
    return [row("mirror_rate", found, "higher", MUST, AIM)]


def events(count: int, seed: int = 6) -> list[bytes]:
    """Events of twenty fields, about 470 bytes of JSON each."""
    draw = random.Random(seed)
    return [orjson.dumps(_event(number, draw)) for number in range(count)]


def _event(number: int, draw: random.Random) -> dict[str, object]:
    second = draw.randrange(60)
    return {
        "event_id": f"{draw.getrandbits(64):016x}-{number}",
        "entity_id": f"c-{draw.randrange(100_000):06d}",
        "host": f"terminal-{draw.randrange(40):02d}.example",
        "event_time": f"2026-11-21T10:{draw.randrange(60):02d}:{second:02d}.{draw.randrange(1000):03d}Z",
        "booked_at": f"2026-11-21T09:{draw.randrange(60):02d}:{second:02d}Z",
        "merchant": f"m-{draw.randrange(5_000):05d}",
        "category": draw.choice(("grocery", "travel", "fuel", "online", "cash")),
        "country": draw.choice(("DE", "FR", "US", "GB", "PL")),
        "currency": draw.choice(("EUR", "USD", "GBP")),
        "channel": draw.choice(("chip", "contactless", "web")),
        "amount": round(draw.lognormvariate(3, 1), 2),
        "balance": round(draw.uniform(0, 10_000), 2),
        "latitude": round(draw.uniform(-60, 60), 5),
        "longitude": round(draw.uniform(-180, 180), 5),
        "age_days": draw.randrange(4_000),
        "attempts": draw.randrange(4),
        "score_before": round(draw.random(), 6),
        "is_new": draw.random() < 0.1,
        "is_abroad": draw.random() < 0.2,
        "note": None if draw.random() < 0.5 else f"ref {draw.getrandbits(32):08x}",
    }


def _produced(address: str, values: Sequence[bytes], count: int) -> None:
    log = KafkaLog(address, queued=200_000)
    for number in range(count):
        while not log.send(EVENTS.name, values[number % len(values)], b"%d" % (number % 9973)):
            log.flush(0.05)
    if left := log.flush(60):
        raise Unavailable("the benchmark's records", left, "none that is not acknowledged")


def _crossings(tail: KafkaTail, warm_up: int, a_round: int, rounds: int) -> Iterator[float]:
    """Seconds that each `a_round` records took after the first `warm_up`, told by the mirror's positions."""
    clock, crossed = Clock(), dict.fromkeys(range(PARTITIONS), 0)
    end, goal, began, last = clock.elapsed() + DEADLINE_S, warm_up, 0.0, 0
    while rounds >= 0:
        if clock.elapsed() > end:
            raise Unavailable(
                "the mirror", sum(crossed.values()), f"{goal} records within {DEADLINE_S:.0f} s"
            )
        entry = tail.poll(0.1)
        found = None if entry is None else mirrored(entry.key, entry.value)
        if found is None or found[0] != EVENTS.name:
            continue
        crossed[found[1]] = found[2]
        if (total := sum(crossed.values())) < goal:
            continue
        now = clock.elapsed()
        if last:
            # Positions come a transaction at a time: the round is what really crossed in it.
            yield (now - began) * a_round / (total - last)
        began, last, rounds, goal = now, total, rounds - 1, total + a_round
    if not last:
        raise Bug("the mirror's rounds", rounds, "one at least")


@contextmanager
def _sites() -> Iterator[tuple[str, Callable[[], KafkaTail]]]:
    """The on-prem broker's address; what starts the mirror and follows its positions."""
    with tempfile.TemporaryDirectory(prefix="hotpath-mirror-") as name:
        folder = Path(name)
        processes = Processes(folder / "logs")
        ports = {part: free_port() for part in ("onprem", "cloud", "line", "proxy", "mirror")}
        try:
            onprem = one_broker.start("onprem", folder, ports["onprem"], processes)
            line = ports["line"], ports["proxy"]
            cloud = one_broker.start("cloud", folder, ports["cloud"], processes, line)
            Admin(onprem).ensure([EVENTS], "onprem", PARTITIONS)
            Admin(cloud).ensure([EVENTS], "cloud", PARTITIONS)
            with Proxy(ports["proxy"], ports["line"], Line(ONE_WAY_S)):

                def started() -> KafkaTail:
                    config = folder / "mm2.properties"
                    across = f"127.0.0.1:{ports['proxy']}"
                    config.write_text(mirror.properties([EVENTS], onprem, across, ports["mirror"]))
                    processes.start("mirror", mirror.run_command(config))
                    return _positions(cloud)

                yield onprem, started
        finally:
            processes.stop_all(["mirror"])


def _positions(cloud: str) -> KafkaTail:
    """Raises Unavailable where the mirror does not begin within a minute."""
    clock = Clock()
    end = clock.elapsed() + STARTS_S
    while True:
        try:
            return KafkaTail(cloud, [OFFSETS_TOPIC["onprem->cloud"]], False, STARTS_S)
        except BadConfig as error:  # it makes its topic once it has started
            if clock.elapsed() > end:
                raise Unavailable("the mirror", str(error), f"its topic within {STARTS_S:.0f} s") from error
            wait(0.2)
