"""The stream job's checkpoint damaged, lost or restored, and two jobs on one checkpoint.

What must hold: the job refuses to start, with an error that names what is wrong and the documented way back;
the way back (`hotpath lake recover`) is really gone, under load, and nothing is lost or lands twice.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from faults.load import account, load
from faults.stream_site import CONTRACT, StreamSite, stream_site
from faults.table import Fault, Outcome
from hotpath.files import replace
from hotpath.kafka_admin import Admin
from transform import lost
from transform.checkpoint import WAY_BACK

BATCHES = 3
"""Landed before the damage, and between a copy and the damage."""
REFUSED_S = 60.0

Damage = Callable[[StreamSite, random.Random], None]
"""Done to the folders of a job that was killed."""


def damaged(damage: Damage, seed: int) -> Outcome:
    """Land, kill, damage; the job must refuse, the way back must lead on."""
    with stream_site() as site, load(site.sent_to, CONTRACT) as made:
        site.kill_after(BATCHES)
        keep_copies(site)
        site.kill_after(BATCHES)
        damage(site, random.Random(seed))
        refused = refusal(site)
        recovered = _hotpath(site, "recover", CONTRACT.name).returncode
        site.start_job()
        before = site.landed()
        site.until(lambda: site.landed() > before, "it lands again", site.job)
        made.end()
        site.drained(made)
        code = site.stop_job()
        found = account(made, site.lake)
    named = "BadArtifact" in refused and WAY_BACK in refused
    figures = {**vars(found), "named": named, "recover_code": recovered}
    return Outcome(found.holds and named and recovered == 0 and code == 0, figures)


def purged(seed: int) -> Outcome:
    """Records leave the cloud's topic before they landed: refused, then stepped over and counted."""
    with stream_site() as site, load(site.sent_to, CONTRACT) as made:
        site.kill_after(BATCHES)
        gone = random.Random(seed).randrange(50, 200)
        site.until(lambda: _waiting(site) > gone, "enough waits to be landed")
        Admin(site.address("cloud")).purge({at: first + gone for at, first in _unread(site).items()})
        refused = refusal(site)
        said = json.loads(_hotpath(site, "recover", CONTRACT.name, "--accept-loss", "--json").stdout)
        site.start_job()
        made.end()
        site.until(lambda: site.landed() + said["lost"] >= made.total, "the rest has landed", site.job)
        code = site.stop_job()
        found = account(made, site.lake)
    named = "BadConfig" in refused and lost.WAY_BACK in refused
    none = not (found.duplicated or found.torn or found.given_up)
    figures = {**vars(found), "stepped_over": said["lost"], "named": named}
    return Outcome(named and none and found.lost == said["lost"] > 0 and code == 0, figures)


def _unread(site: StreamSite) -> dict[tuple[str, int], int]:
    """Where the events' partitions have landed up to."""
    newest = site.lake.newest()
    manifest = None if newest is None else site.lake.manifest(newest)
    topic = CONTRACT.events.topic
    return {} if manifest is None else {(topic, p): end for p, end in manifest.end[topic].items()}


def _waiting(site: StreamSite) -> int:
    """Events beyond that, in the partition that has the fewest."""
    ends = Admin(site.address("cloud")).ends([CONTRACT.events.topic])
    return min(ends[at] - first for at, first in _unread(site).items())


def two_jobs(seed: int) -> Outcome:  # noqa: ARG001 - nothing here is left to chance
    """Start a second job beside one that lands under load."""
    with stream_site() as site, load(site.sent_to, CONTRACT) as made:
        site.start_job()
        site.until(lambda: site.landed() > 0, "the first batch", site.job)
        refused = refusal(site)
        landed = site.landed()
        site.until(lambda: site.landed() > landed, "the first one goes on", site.job)
        made.end()
        site.drained(made)
        code = site.stop_job()
        found = account(made, site.lake)
    named = "BadConfig" in refused and "held by another process" in refused
    return Outcome(found.holds and named and code == 0, {**vars(found), "named": named})


def refusal(site: StreamSite) -> str:
    """What a stream job says that is started now and must end by itself."""
    lives = site.lives
    second = site.start_job()
    name = f"transform-{site.lives}"
    try:
        site.until(lambda: second.code() is not None, "the job refuses", within_s=REFUSED_S)
        return second.log.read_text(errors="replace") if second.code() == 1 else ""
    finally:
        site.processes.stop(name)
        site.lives = lives


def _hotpath(site: StreamSite, *command: str) -> subprocess.CompletedProcess[str]:
    """`hotpath lake COMMAND` under the site's settings."""
    asked = [sys.executable, "-m", "hotpath.cli.main", "lake", *command]
    env = {**os.environ, **site.env}
    return subprocess.run(asked, env=env, timeout=REFUSED_S, check=False, stdout=subprocess.PIPE, text=True)


def keep_copies(site: StreamSite) -> None:
    """Of checkpoint and lake as they are now."""
    shutil.copytree(site.checkpoint, _copy(site.checkpoint))
    shutil.copytree(site.lake.folder, _copy(site.lake.folder))


def _copy(folder: Path) -> Path:
    return folder.parent.parent / f"copy-{folder.parent.name}"


def _restored(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(_copy(folder), folder)


def truncated(site: StreamSite, chance: random.Random) -> None:
    """The newest file of offsets loses its end, as after a power cut."""
    newest = max((site.checkpoint / "offsets").glob("[0-9]*"), key=lambda path: int(path.name))
    data = newest.read_bytes()
    replace(newest, data[: chance.randrange(len(data) - 2)])


def deleted(site: StreamSite, chance: random.Random) -> None:  # noqa: ARG001 - as every damage
    """The checkpoint is gone."""
    shutil.rmtree(site.checkpoint)


def lake_newer(site: StreamSite, chance: random.Random) -> None:  # noqa: ARG001
    """A copy of the checkpoint is put back that is older than the lake."""
    _restored(site.checkpoint)


def lake_older(site: StreamSite, chance: random.Random) -> None:  # noqa: ARG001
    """A copy of the lake is put back that is older than the checkpoint."""
    _restored(site.lake.folder)


DAMAGES: tuple[tuple[str, Damage], ...] = (
    ("truncated", truncated),
    ("deleted", deleted),
    ("older than the lake", lake_newer),
    ("newer than the lake", lake_older),
)
FAULTS = (
    *(
        Fault(f"checkpoint damaged: {name}", (damage.__doc__ or "").strip(), partial(damaged, damage))
        for name, damage in DAMAGES
    ),
    Fault(
        "records purged before they landed",
        "they leave the cloud's topic while the stream job is down; the loss is accepted by a command",
        purged,
    ),
    Fault("two jobs on one checkpoint", "a second stream job beside one that lands", two_jobs),
)
