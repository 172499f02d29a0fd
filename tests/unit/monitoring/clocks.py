"""Rows of hosts with known clocks, and the ledger that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from hotpath.clock import SECOND, Micros
from monitoring.clocks import Host
from monitoring.ledger import Ledger
from monitoring.windows import Observed, Rules, grouped

RULES = Rules(window=30 * SECOND, limit=5 * SECOND, confirm=2)
START: Micros = 60_000_000 * RULES.window
TEN_YEARS: Micros = 3652 * 86_400 * SECOND
SOUND: Micros = SECOND // 10

Row = tuple[str, Micros, Micros]
"""Host, arrival, arrival less event time."""


def observed(rows: Iterable[Row], imported: bool = False) -> Observed:
    told = list(rows)
    table = pa.table(
        {
            "host": pa.array([host for host, _, _ in told], pa.string()),
            "time": pa.array([at - late for _, at, late in told], pa.int64()),
            "arrived_at": pa.array([at for _, at, _ in told], pa.int64()),
            "imported": pa.array([imported] * len(told), pa.bool_()),
        }
    )
    return grouped(table, RULES)


def fed(
    batches: Iterable[Sequence[Row]], monitor: Micros | None = None, ledger: Ledger | None = None
) -> Ledger:
    found = ledger or Ledger()
    for batch in batches:
        found, _ = found.seen(observed(batch), RULES).settled(monitor, RULES)
    return found


def window(number: int, late_s: Mapping[str, float], events: int = 5) -> list[Row]:
    """A window's rows: of each host some events, the quickest of them so many seconds behind its arrival."""
    start = START + number * RULES.window
    return [
        (host, start + (1 + n) * SECOND, int(late * SECOND) + n * SECOND // 10)
        for host, late in late_s.items()
        for n in range(events)
    ]


def honest(*others: str, **late_s: float) -> dict[str, float]:
    """Six honest hosts, and some others with what they are behind (negative: ahead)."""
    return {**{f"h{n}": 0.05 for n in range(6)}, **dict.fromkeys(others, 0.05), **late_s}


def story(windows: Sequence[Mapping[str, float]], monitor: Micros | None = None) -> Ledger:
    """Window after window, and a row so much later that the last one is closed."""
    told = [window(number, late) for number, late in enumerate(windows)]
    return fed([*told, window(len(told) + 1, {"last": 0.0}, events=1)], monitor)


def wrong(ledger: Ledger) -> dict[str, Host]:
    return {name: host for name, host in ledger.hosts.items() if host.wrong}
