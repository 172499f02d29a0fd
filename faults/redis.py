"""Redis broken under steady load: killed, paused, slow, emptied, set back, refusing writes.

What must hold: no answer fails, none that is not flagged is wrong, what the broken Redis adds is bounded, and
answers are whole again in time.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Sequence

from faults.proxy import Line
from faults.redis_site import Site, good, running, until
from faults.table import Fault, Outcome
from hotpath.clock import wait
from hotpath.errors import Unavailable

BEFORE_S, BROKEN_S, AFTER_S = 4.0, 6.0, 2.0
RECOVERED_S = 10.0
ADDED_S = 0.020
OPENED_S = 1.0
"""By then the breaker is open: the figure is of what comes after it."""
SLOW = Line(delay_s=0.05)
Step = Callable[[], object]


def _run(found: Site, break_it: Step, mend: Step | None, said: bool = True) -> Outcome:
    """Some time whole, some broken, mended until whole again. `mend`: None where it must
    mend by itself, counted from the break. `said`: flags are due meanwhile."""
    clock = found.clock
    whole = clock.elapsed()  # what came before warmed up
    wait(BEFORE_S)
    broken = clock.elapsed()
    break_it()
    wait(BROKEN_S)
    mended = clock.elapsed() if mend else broken
    if mend:
        mend()
    until(found, lambda: found.answers[-1].at > mended and good(found), "whole answers")
    wait(AFTER_S)
    recovered = max([a.at - mended for a in found.answers if a.degraded and a.at > mended], default=0.0)
    before = [a.took for a in found.answers if whole <= a.at < broken]
    during = [a.took for a in found.answers if broken + OPENED_S <= a.at < broken + BROKEN_S]
    added = _p99(during) - _p99(before)
    degraded = sum(a.degraded for a in found.answers if a.at >= broken)
    wrong = sum(not a.right for a in found.answers)
    figures = {
        "answers": len(found.answers),
        "failed": found.failed,
        "wrong": wrong,
        "degraded": degraded,
        "longest_ms": round(max(a.took for a in found.answers if a.at >= broken) * 1e3, 2),
        "added_p99_ms": round(added * 1e3, 3),
        "recovery_s": round(recovered, 2),
        "refills": found.follower.counts["refills"],
    }
    holds = not found.failed and not wrong and added <= ADDED_S and recovered <= RECOVERED_S
    return Outcome(holds and (degraded > 0 or not said), figures)


def _p99(found: Sequence[float]) -> float:
    return sorted(found)[int(len(found) * 0.99)]


def killed(seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """It comes back empty."""
    with running() as (found, _):
        return _run(found, lambda: found.signal_redis(signal.SIGKILL), found.start_redis)


def paused(seed: int) -> Outcome:  # noqa: ARG001
    """It takes connections and answers none."""
    with running() as (found, _):
        return _run(
            found, lambda: found.signal_redis(signal.SIGSTOP), lambda: found.signal_redis(signal.SIGCONT)
        )


def slow(seed: int) -> Outcome:  # noqa: ARG001
    """Every answer comes, far too late."""
    with running(slow=True) as (found, proxy):
        if proxy is None:
            raise Unavailable("proxy", None, "one")
        return _run(found, lambda: proxy.worsen(SLOW), proxy.mend)


def emptied(seed: int) -> Outcome:  # noqa: ARG001
    """While it runs; the follower notices by itself, so answers may be whole again before anyone sees it."""
    with running() as (found, _), found.client() as client:
        return _run(found, client.flushall, None, said=False)


def restored(seed: int) -> Outcome:  # noqa: ARG001
    """An old snapshot in place of what it held."""
    with running() as (found, _):
        with found.client() as client:
            client.save()
        shutil.copy(found.folder / "dump.rdb", found.folder / "old.rdb")

        def set_back() -> None:
            found.signal_redis(signal.SIGKILL)
            shutil.copy(found.folder / "old.rdb", found.folder / "dump.rdb")
            found.start_redis()

        return _run(found, set_back, None, said=False)


def refusing(seed: int) -> Outcome:  # noqa: ARG001
    """It is full: what it holds grows old, and that is said."""
    with running() as (found, _), found.client() as client:
        return _run(
            found,
            lambda: client.config_set("maxmemory", "1"),
            lambda: client.config_set("maxmemory", "0"),
        )


FAULTS = (
    Fault("Redis killed", "SIGKILL under load; it comes back empty", killed),
    Fault("Redis paused", "SIGSTOP under load", paused),
    Fault("Redis slow", "50 ms each way by a proxy", slow),
    Fault("Redis emptied", "FLUSHALL under load", emptied),
    Fault("Redis set back", "killed, and started with an old snapshot", restored),
    Fault("Redis refusing writes", "maxmemory below what it holds", refusing),
)
