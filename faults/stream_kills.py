"""The stream job killed at named points of a batch, and anywhere: driver, JVM and workers together.

What must hold: every record acknowledged is in the lake once, in whole files. `HOTPATH_KILLS` says how often
each is done (`make kills KILLS=25`).
"""

from __future__ import annotations

import os
import random
from functools import partial

from faults.load import account, load
from faults.stream_site import CONTRACT, POINTS, StreamSite, stream_site
from faults.table import Fault, Outcome

KILLS = 3
ANYWHERE = "anywhere"
MOST_BATCHES = 4


def killed(point: str, seed: int) -> Outcome:
    """Kill it there again and again under load, then let it land the rest."""
    kills = int(os.environ.get("HOTPATH_KILLS", KILLS))
    with stream_site() as site:
        with load(site.sent_to, CONTRACT) as made:
            chance = random.Random(seed)
            for _ in range(kills):
                kill(site, point, chance)
        site.start_job()
        site.drained(made)
        code = site.stop_job()
        found = account(made, site.lake)
        left = len(site.lake.unlisted())
    figures = {**vars(found), "kills": kills, "files_left": left}
    return Outcome(found.holds and not left and code == 0, figures)


def kill(site: StreamSite, point: str, chance: random.Random) -> None:
    """Once, at this point."""
    if point == ANYWHERE:
        site.kill_after(chance.randint(1, MOST_BATCHES))
    else:
        site.kill_at(point)


FAULTS = tuple(
    Fault(
        f"stream job killed {point}",
        "SIGKILL of driver, JVM and workers, again and again under load",
        partial(killed, point),
    )
    for point in (*POINTS, ANYWHERE)
)
