"""A broker killed or paused under steady load, on real brokers, mirror and stream job.

What must hold: nothing that was acknowledged is lost or lands twice, and the pipeline recovers by itself.
Recovery counts from the instant at which the broker answers again until an event that was sent after that,
and all that was acknowledged before it, has landed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from faults.load import Load, account, ids, load
from faults.stream_site import CONTRACT, StreamSite, stream_site
from faults.table import Fault, Outcome
from hotpath.clock import wait
from hotpath.handoffs import Site as Place

BEFORE_S = AFTER_S = 5.0
AWAY_S = 3.0
"""Between a broker's end and its new start."""
PAUSED_S = 60.0
RECOVERY_S = 30.0
DEADLINE_S = 150.0

Hurt = Callable[[StreamSite], None]
"""Takes a broker away and returns when it answers again."""


def hurt(harm: Hurt, seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """Load, a broker's absence, load again; how long until the pipeline was itself, and what it cost."""
    with stream_site(mirrored=True) as site:
        site.start_job()
        with load(site.sent_to, CONTRACT) as made:
            site.until(lambda: site.landed() > 0, "the first batch", site.job)
            wait(BEFORE_S)
            harm(site)
            recovery = recovered(site, made)
            wait(AFTER_S)
        site.drained(made)
        found = account(made, site.lake)
        code = site.stop_job()
    figures = {**vars(found), "recovery_s": round(recovery, 1)}
    return Outcome(found.holds and recovery <= RECOVERY_S and code == 0, figures)


def recovered(site: StreamSite, made: Load) -> float:
    """Real seconds from now on, as this module's head says."""
    sent = made.sent
    fresh = site.until(lambda: made.newest > sent, "a fresh event is acknowledged", site.job, DEADLINE_S)
    due = made.acknowledged.copy()
    landed = site.until(
        lambda: not due - ids(site.lake, CONTRACT), "all up to it has landed", site.job, DEADLINE_S
    )
    return fresh + landed


def killed(place: Place, site: StreamSite) -> None:
    """SIGKILL, a while without, a new start on the same data."""
    site.kill(place)
    wait(AWAY_S)
    site.start_broker(place)


def paused(place: Place, site: StreamSite) -> None:
    """SIGSTOP for a minute: connections stay, nobody answers."""
    site.pause(place, PAUSED_S)


FAULTS = (
    Fault(
        "on-prem broker killed",
        "SIGKILL of the producers' broker, started again on its data",
        partial(hurt, partial(killed, "onprem")),
    ),
    Fault(
        "cloud broker killed",
        "SIGKILL of the broker that mirror and stream job talk to, started again on its data",
        partial(hurt, partial(killed, "cloud")),
    ),
    Fault(
        "on-prem broker paused 60 s",
        "SIGSTOP of the producers' broker: its connections stay and nobody answers",
        partial(hurt, partial(paused, "onprem")),
    ),
    Fault(
        "cloud broker paused 60 s",
        "SIGSTOP of the broker that mirror and stream job talk to",
        partial(hurt, partial(paused, "cloud")),
    ),
)
