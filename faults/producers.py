"""The producers' process killed in the middle of what it sends, again and again, while its records land.

Real parts: a broker that plays both sites, `ingest.job payments` on a clock at three hundred times the
present's pace, the stream job. What must hold: what is due stands in the topics as often as it is due and is
noted as often, and each record of the topics is in the lake once.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from faults.load import twice
from faults.stream_site import StreamSite, stream_site
from faults.table import Fault, Outcome
from hotpath.clock import Segment, wait
from hotpath.lake import Dataset, Lake
from tests.integration.ingest.site import Site, ids
from tests.integration.ingest.site import site as ingest_site

KILLS = 20
RATE = 300.0
WITHIN_S = 1.0
"""Of its first note: the ledger is flushed each second, so that a kill falls anywhere between two flushes."""
LANDED: tuple[Dataset, ...] = ("events", "labels", "rejected")
PLACE = ("topic", "partition", "offset")


def killed(seed: int) -> Outcome:
    """Kill it `KILLS` times, end it gently, let the stream job land the rest, count."""
    chance = random.Random(seed)
    with (
        stream_site() as parts,
        tempfile.TemporaryDirectory(prefix="hotpath-producer-") as name,
        ingest_site("payments", Path(name), parts.address("cloud")) as site,
    ):
        landing = [sys.executable, "-m", "transform.job", site.contract.name]
        own = {"HOTPATH__DATA": name, "HOTPATH__PIPELINES": name}
        parts.processes.start("transform-payments", landing, env={**parts.env, **own})
        try:
            _replayed(site)
            for _ in range(KILLS):
                _kill(parts, site, chance)
            return _judged(parts, site, _ended(parts, site))
        finally:  # before its folder is gone
            parts.processes.stop("transform-payments")


def _replayed(site: Site) -> None:
    """Time runs at once: the import itself is killed too."""
    site.clock.append(Segment(site.clock.real(), site.begins, RATE))


def _kill(parts: StreamSite, site: Site, chance: random.Random) -> None:
    before, running = site.noted_bytes(), site.start()
    parts.until(lambda: site.noted_bytes() > before or running.poll() is not None, "something is noted")
    wait(chance.uniform(0, WITHIN_S))
    running.send_signal(signal.SIGKILL)
    running.wait()


def _ended(parts: StreamSite, site: Site) -> int:
    """A last life until the replay has gone on by a while; its exit code."""
    last: subprocess.Popen[bytes] = site.start()
    goal = site.clock.now()
    parts.until(lambda: int(str(site.said().get("virtual", 0))) > goal, "what was due has been sent")
    last.send_signal(signal.SIGTERM)
    return last.wait(20)


def _judged(parts: StreamSite, site: Site, code: int) -> Outcome:
    stood = site.stood()
    sent, places = Counter(map(site.named, stood)), Counter((e.topic, e.partition, e.offset) for e in stood)
    lake = Lake(site.folder / "cloud" / "lake", site.contract.name)
    parts.until(lambda: sum(lake.counts()[name] for name in LANDED) >= len(stood), "all of it has landed")
    said, plan = int(str(site.said()["virtual"])), site.records()
    due = ids(plan.due(plan.history_from, said))
    may = ids(plan.due(plan.history_from, site.clock.now()))
    noted, landed = site.noted(), _landed(lake)
    figures = {
        "kills": KILLS,
        "acknowledged": noted.total(),
        "lost": (due - sent).total() + (noted - sent).total() + (places - landed).total(),
        "duplicated": (sent - may).total() + (sent - noted).total() + (landed - places).total(),
        "landed_twice": twice(lake),
    }
    none = ("lost", "duplicated", "landed_twice")
    return Outcome(noted.total() > 0 and code == 0 and not any(figures[name] for name in none), figures)


def _landed(lake: Lake) -> Counter[tuple[str, int, int]]:
    found: Counter[tuple[str, int, int]] = Counter()
    for dataset in LANDED:
        table = lake.read(dataset, PLACE)
        if table.num_rows:
            found.update(zip(*(table[name].to_pylist() for name in PLACE), strict=True))
    return found


FAULTS = (
    Fault("producer killed mid-batch", "SIGKILL of ingest.job, twenty times, between any two notes", killed),
)
