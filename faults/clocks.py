"""Hosts whose clocks are wrong, and a monitor whose own clock jumps: who is named, how soon, what is learned.

Twelve honest hosts and the bad ones, generated at rate 1. Where only the ledger is asked, its core is fed
what would land; where the trainer is, `clock_site` has a real lake, the watch over its files, and Spark.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.fleet import (
    RULES,
    START,
    Events,
    Fleet,
    Machine,
    Marked,
    Monitor,
    crossed,
    drift,
    drive,
    outside,
    step,
    vouched,
)
from faults.clock_site import a_site
from faults.table import Fault, Outcome
from hotpath.clock import HOUR, MINUTE, SECOND, Micros
from train.clocks import FUTURE, REASONS, WRONG

WITHIN_S, ERROR_S = 180.0, 0.5
HONEST = 12
Bad = Callable[[random.Random], Sequence[Machine]]


def _fleet(bad: Sequence[Machine], length: Micros, per_s: float = 0.5) -> Fleet:
    return Fleet([*bad, *(Machine(f"honest-{n}") for n in range(HONEST))], START + length, per_s=per_s)


def _some_time(draw: random.Random, after: Micros = 20 * MINUTE) -> Micros:
    return START + after + draw.randrange(10 * MINUTE)


def three_hours(draw: random.Random) -> Sequence[Machine]:
    """One host three hours ahead, one three behind."""
    return (
        Machine("bad-ahead", step(3 * HOUR, _some_time(draw))),
        Machine("bad-behind", step(-3 * HOUR, _some_time(draw))),
    )


def new_host(draw: random.Random) -> Sequence[Machine]:
    """A host that joins with a wrong clock."""
    return (Machine("bad-new", step(-25 * MINUTE, 0), joins=_some_time(draw)),)


def step_and_back(draw: random.Random) -> Sequence[Machine]:
    """A host that steps 20 s ahead and back again ten minutes later."""
    at = _some_time(draw)
    return (Machine("bad-step", step(20 * SECOND, at, at + 10 * MINUTE)),)


def slow_drift(draw: random.Random) -> Sequence[Machine]:
    """A host that gains 500 ppm: past the limit after 10,000 s."""
    return (Machine("bad-drift", drift(500, _some_time(draw))),)


def most_hosts(draw: random.Random) -> Sequence[Machine]:
    """Sixteen hosts of 28 step three hours ahead within a minute."""
    at = _some_time(draw)
    return [Machine(f"bad-{n}", step(3 * HOUR, at + draw.randrange(MINUTE))) for n in range(16)]


def core(bad: Bad, length: Micros, seed: int) -> Outcome:
    """The ledger of a fleet, against what is known of its clocks."""
    events = _fleet(bad(random.Random(seed)), length).events(seed)
    return _judged(events)


def monitor_jumps(seed: int) -> Outcome:
    """Honest hosts only; the monitor's own clock jumps by an hour, ahead or back."""
    draw = random.Random(seed)
    at, by = _some_time(draw), draw.choice([-1, 1]) * HOUR
    events = _fleet((), HOUR).events(seed)
    seen = drive(events, monitor=Marked(at, by))
    named = seen.votes.get("monitor")
    late = None if named is None else (named - at) / SECOND
    figures = {
        "monitor_named_after_s": late,
        "honest_hosts_flagged": len(seen.named),
        "on_prem_accused": int("onprem" in seen.votes),
        "jump_s": by // SECOND,
    }
    holds = late is not None and late <= WITHIN_S and not seen.named and "onprem" not in seen.votes
    return Outcome(holds, figures)


def _judged(events: Events, monitor: Monitor = vouched) -> Outcome:
    seen = drive(events, monitor=monitor)
    bad = {machine.name for machine in events.fleet.machines if machine.name.startswith("bad")}
    late = [
        (at - crossed(events, name, RULES.limit)) / SECOND for name, at in seen.named.items() if name in bad
    ]
    figures = {
        "named_after_s": max(late, default=None),
        "size_error_s": max((seen.error[name] / SECOND for name in bad & seen.named.keys()), default=None),
        "bad_hosts_missed": len(bad - seen.named.keys()),
        "honest_hosts_flagged": len(seen.named.keys() - bad),
        "skewed_rows_outside_intervals": outside(events, seen, RULES.limit),
    }
    none = ("bad_hosts_missed", "honest_hosts_flagged", "skewed_rows_outside_intervals")
    in_time = late and max(late) <= WITHIN_S and (figures["size_error_s"] or 0) <= ERROR_S
    return Outcome(bool(in_time) and all(figures[name] == 0 for name in none), figures)


# -- with a real lake, the watch over its files, and Spark's window


def learned(seed: int) -> Outcome:
    """Two hosts three hours off; the window that Spark builds once both are known."""
    events = _fleet(three_hours(random.Random(seed)), 40 * MINUTE, per_s=0.1).events(seed)
    with a_site() as site:
        flagged = site.landed(events)
        account = site.window()
        late = {name: (at - crossed(events, name, RULES.limit)) / SECOND for name, at in flagged.items()}
        figures = {
            "named_after_s": max(late.values(), default=None),
            "hosts_flagged": len(flagged),
            "honest_hosts_flagged": sum(name.startswith("honest") for name in flagged),
            "rows": sum(account.rows.values()),
            "rows_left_out": sum(account.left_out[reason] for reason in REASONS),
            "skewed_rows_learned": site.skewed(),
            "files_rewritten": site.rewritten(),
        }
    named = len(late) == 2 and max(late.values()) <= WITHIN_S and figures["honest_hosts_flagged"] == 0
    holds = named and figures["skewed_rows_learned"] == figures["files_rewritten"] == 0
    return Outcome(holds and account.left_out[WRONG] > 0, figures)


def ten_years(seed: int) -> Outcome:
    """One event ten years ahead among honest ones: the window with it and the window without it."""
    events = _fleet((), 10 * MINUTE, per_s=0.1).events(seed)
    with a_site() as without, a_site() as beside:
        without.landed(events)
        flagged = beside.landed(events, wild=random.Random(seed).randrange(len(events.told)))
        plain, with_it = without.window(), beside.window()
        figures = {
            "honest_hosts_flagged": len(flagged),
            "left_out_as_later_than_arrival": with_it.left_out[FUTURE],
            "honest_rows_dropped": sum(plain.rows.values()) - sum(with_it.rows.values()),
            "rows_that_differ": without.differing(beside),
        }
    none = ("honest_hosts_flagged", "honest_rows_dropped", "rows_that_differ")
    holds = with_it.left_out[FUTURE] == 1 and all(figures[name] == 0 for name in none)
    return Outcome(holds, figures)


FAULTS = (
    Fault(
        "host clock three hours ahead and behind",
        "two producers of 14 shifted",
        partial(core, three_hours, HOUR),
    ),
    Fault("wrong clocks and the trainer's window", "as above, in a real lake, to Spark's window", learned),
    Fault("new host with a wrong clock", "joins 25 minutes behind", partial(core, new_host, HOUR)),
    Fault("host clock steps and comes back", "20 s for ten minutes", partial(core, step_and_back, HOUR)),
    Fault(
        "host clock drifts 500 ppm", "crosses the limit after 10,000 s", partial(core, slow_drift, 4 * HOUR)
    ),
    Fault("most hosts' clocks wrong", "16 of 28 three hours ahead", partial(core, most_hosts, HOUR)),
    Fault("the monitor's own clock jumps", "by an hour, ahead or back", monitor_jumps),
    Fault("one event ten years ahead", "in a real lake, to Spark's window", ten_years),
)
