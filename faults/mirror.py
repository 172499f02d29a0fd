"""The mirror broken on purpose: what it can never carry is found and sized, what it can is carried once.

Records that are purged while it is down, a topic that is recreated, the process killed in the middle of its
transactions. HOTPATH_KILLS says how often it is killed.
"""

from __future__ import annotations

import os
import random

from faults.mirror_site import EVENTS, PARTITIONS, Load, MirrorSite, crossed, loaded, mirror_site
from faults.table import Fault, Outcome
from hotpath.clock import wait
from hotpath.kafka_admin import Admin
from monitoring.mirror_lag import MirrorLag

KILLS = 20
SOME = 300
"""Records that must have crossed, or wait, before something is broken."""
MUST_FIND_S = 60.0
HEAVY, LARGE = 20, 1024
"""Records at once and bytes of each: 1 MB a second, so that a transaction is open about half the time."""
LATEST_KILL_S = 1.0


def purged(seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """Kill the mirror under load, delete what waits for it, bring it back."""
    with mirror_site() as site, site.watched() as watch:
        admin = Admin(site.address("onprem"))
        with loaded(site.address("onprem"), EVENTS.name) as load:
            _some_have_crossed(site, 0)
            site.kill_mirror()
            waiting = _ended(admin) + SOME
            site.until(lambda: _ended(admin) >= waiting, "some wait")
            admin.purge(admin.ends([EVENTS.name]))
            found_s = site.until(lambda: len(watch.gaps) == PARTITIONS, "the gap is found")
            site.start_mirror()
            _some_have_crossed(site, _copied(site))
        return _judged(site, watch, [load], found_s)


def recreated(seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """Kill the mirror, delete the topic and make it again; it resumes where the old one had been.

    The producers stop for as long as there is no topic: what comes between the watch's last look and the
    deletion nobody could count.
    """
    with mirror_site() as site, site.watched() as watch:
        address = site.address("onprem")
        admin = Admin(address)
        with loaded(address, EVENTS.name) as first:
            _some_have_crossed(site, 0)
            site.kill_mirror()
            waiting = _ended(admin) + SOME
            site.until(lambda: _ended(admin) >= waiting, "some wait")
        lost = (first.acknowledged - crossed(site.address("cloud"), EVENTS.name)).total()
        site.until(lambda: watch.behind.get(EVENTS.name) == lost, "the watch has seen the end")
        positions = max(admin.ends([EVENTS.name]).values())
        admin.delete(EVENTS.name)
        site.until(lambda: EVENTS.name not in admin.topics(), "the topic is gone")
        admin.ensure([EVENTS], "onprem", PARTITIONS)
        with loaded(address, EVENTS.name) as second:
            found_s = site.until(lambda: len(watch.gaps) == PARTITIONS, "the old one's gap is found")
            found = sum(watch.gaps.values())
            site.until(
                lambda: min(admin.ends([EVENTS.name]).values()) > positions, "as much again stands there"
            )
            site.start_mirror()
            _some_have_crossed(site, _copied(site))
            found_s += site.until(lambda: sum(watch.gaps.values()) > found, "the new one's gap is found")
        return _judged(site, watch, [first, second], found_s)


def killed(seed: int, kills: int = KILLS) -> Outcome:
    """Kill the mirror again and again under load, at random; then let it drain."""
    chance = random.Random(seed)
    times = int(os.environ.get("HOTPATH_KILLS", kills))
    with mirror_site() as site, site.watched() as watch:
        with loaded(site.address("onprem"), EVENTS.name, HEAVY, LARGE) as load:
            for _ in range(times):
                _some_have_crossed(site, _copied(site))
                wait(chance.uniform(0, LATEST_KILL_S))
                site.kill_mirror()
                site.start_mirror()
        judged = _judged(site, watch, [load], 0.0)
        everything = crossed(site.address("cloud"), EVENTS.name, committed=False)
        aborted = everything.total() - load.acknowledged.total()
        # Kills that hit no transaction would show nothing.
        holds = judged.holds and judged.figures["lost"] == 0 and aborted > 0
        return Outcome(holds, {**judged.figures, "kills": times, "aborted_in_the_log": aborted})


def _judged(site: MirrorSite, watch: MirrorLag, loads: list[Load], found_s: float) -> Outcome:
    """Once all that can cross has crossed: what is missing is what was told, and nothing came twice."""
    site.until(lambda: watch.behind.get(EVENTS.name) == 0, "all that is left has crossed")
    acknowledged = sum((load.acknowledged for load in loads), start=type(loads[0].acknowledged)())
    there = crossed(site.address("cloud"), EVENTS.name)
    figures = {
        "acknowledged": acknowledged.total(),
        "lost": (acknowledged - there).total(),
        "told_as_lost": sum(watch.gaps.values()),
        "duplicated": (there - acknowledged).total(),
        "given_up": sum(load.given_up for load in loads),
        "found_after_s": round(found_s, 1),
    }
    sized = figures["lost"] == figures["told_as_lost"]
    clean = figures["duplicated"] == figures["given_up"] == 0
    return Outcome(sized and clean and found_s <= MUST_FIND_S, figures)


def _copied(site: MirrorSite) -> int:
    return sum(Admin(site.address("cloud")).committed_ends([EVENTS.name]).values())


def _ended(admin: Admin) -> int:
    return sum(admin.ends([EVENTS.name]).values())


def _some_have_crossed(site: MirrorSite, since: int) -> None:
    site.until(lambda: _copied(site) >= since + SOME, "some have crossed")


FAULTS = (
    Fault(
        "records purged while the mirror is down",
        "SIGKILL of MirrorMaker, all that waits for it deleted, then started again",
        purged,
    ),
    Fault(
        "topic recreated while the mirror is down",
        "SIGKILL of MirrorMaker, the topic deleted and made again, then started again",
        recreated,
    ),
    Fault(
        "MirrorMaker killed mid-transaction",
        "SIGKILL under 1 MB a second, 20 times, started again each time",
        killed,
    ),
)
