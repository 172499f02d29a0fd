"""Host clocks at rate 1: how soon a wrong one is named, and how well its size is known.

Forty generated hosts for a day, through the core that monitoring runs. The mirror is away for half an hour,
a third of the hosts are cut off the broker for another, three honest ones sprinkle events ten years ahead.
One host each: three hours ahead, three behind, one ahead, step and back, a drift of 500 ppm, a new host
with a wrong clock. An honest host that is named is no figure but an error.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.fleet import RULES, START, Events, Fleet, Machine, Seen, crossed, drift, drive, outside, step
from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.errors import Bug

SEED = 4
HOSTS = 40
CUT = (START + 10 * HOUR, START + 10 * HOUR + 30 * MINUTE)
OUTAGE = (START + 15 * HOUR, START + 15 * HOUR + 30 * MINUTE)
WILD = 0.002
MUST_DETECT_S, MUST_ERROR_S = 180, 0.5


def measure(rounds: int = ROUNDS, seed: int = SEED) -> Sequence[Row]:
    """Of each round the worst bad host; the median of the rounds."""
    found = [_round(seed + number) for number in range(rounds)]
    return [
        row("skew_detect_s", [late for late, _ in found], "lower", MUST_DETECT_S),
        row("skew_error_s", [error for _, error in found], "lower", MUST_ERROR_S),
    ]


def fleet(seed: int) -> Fleet:
    """Forty hosts; when the bad ones go wrong is drawn, away from the hours in which nothing lands."""
    draw = random.Random(seed)

    def at(hour: float) -> Micros:
        return START + int((hour + draw.random()) * HOUR)

    bad = [
        Machine("ahead-3h", step(3 * HOUR, at(1))),
        Machine("behind-3h", step(-3 * HOUR, at(3))),
        Machine("ahead-1h", step(HOUR, at(5))),
        Machine("step-and-back", step(20 * SECOND, at(7), at(12)), cut=CUT),
        Machine("drift-500ppm", drift(500, at(16))),
        Machine("new-and-wrong", step(-25 * MINUTE, 0), joins=at(20)),
    ]
    honest = [
        Machine(f"honest-{n}", wild=WILD if n % 11 == 0 else 0.0, cut=CUT if n % 3 == 0 else None)
        for n in range(HOSTS - len(bad))
    ]
    return Fleet([*bad, *honest], START + DAY, OUTAGE)


def _round(seed: int) -> tuple[float, float]:
    events = fleet(seed).events(seed)
    seen = drive(events)
    _proved(events, seen)
    late = {name: (at - crossed(events, name, RULES.limit)) / SECOND for name, at in seen.named.items()}
    return max(late.values()), max(seen.error.values()) / SECOND


def _proved(events: Events, seen: Seen) -> None:
    """Raises Bug where an honest host was named, a bad one not, or its rows were not covered."""
    bad = {m.name for m in events.fleet.machines if not m.name.startswith("honest")}
    if seen.named.keys() != bad:
        raise Bug("hosts that were named", sorted(seen.named), f"{sorted(bad)}, no honest one")
    if left := outside(events, seen, RULES.limit):
        raise Bug("rows of wrong clocks outside every interval", left, "none")
    back = seen.ledger.hosts["step-and-back"]
    if back.wrong:
        raise Bug("host that stepped back", back.state, "good again")
