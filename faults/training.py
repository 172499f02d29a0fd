"""The trainer and its H2O killed, hung and out of memory; the trainer killed while it publishes.

What must hold: a search goes on where it was or begins anew, and the next model comes at most two periods
late; whatever else is broken becomes a failed run with its reason, and the schedule goes on; half a bundle is
never seen. A scorer beside it, asked all the time, answers on.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from faults.stores import Asking, asked, taught
from faults.stream_site import CONTRACT, StreamSite, kill_tree, stream_site
from faults.table import Fault, Outcome
from hotpath import keys, progress
from hotpath.bundle_store import BundleStore, Run
from hotpath.child import Child
from hotpath.clock import SECOND, Clock, Micros, Segment
from hotpath.deployed import Deployed
from hotpath.handoffs import BUNDLES, MODELS, Announcement
from hotpath.kafka import KafkaLog, standing
from hotpath.local.ports import free_port
from hotpath.publish import POINTS
from serve.parcels import Parcels
from tests.integration.serve.conftest import make_host, start

BUDGET_S = 12
RUN_S = 240.0
HUNG_S = 5
"""What one call to H2O may take here, and what a run may take beside it."""
SMALL = "40m"
KILLED = Path(__file__).with_name("killed_trainer.py")


@dataclass
class TrainSite:
    """A trainer of `flights` whose search is due in its second run, and a scorer that answers meanwhile."""

    site: StreamSite
    now: Micros
    asking: Asking
    env: Mapping[str, str] = field(default_factory=dict)
    lives: int = 0

    @property
    def store(self) -> BundleStore:
        """What the trainer remembers."""
        return BundleStore(self.site.data / "cloud" / "bundles" / CONTRACT.name)

    @property
    def trainer(self) -> Child:
        """The trainer of now."""
        return self.site.processes.running[f"train-{self.lives}"]

    def start(self, *command: str, **env: str) -> None:
        """The trainer, or `python COMMAND` in its place."""
        self.lives += 1
        given = {**self.site.env, "HOTPATH__H2O__PORT": str(free_port()), **env}
        del given["JDK_JAVA_OPTIONS"]
        asked_for = command or ("-m", "train.job", CONTRACT.name)
        self.site.processes.start(f"train-{self.lives}", [sys.executable, *asked_for], env=given)

    def kill(self) -> None:
        """SIGKILL to the trainer and all below it."""
        kill_tree(self.site.processes.running.pop(f"train-{self.lives}"))

    def later(self, periods: int = 1) -> None:
        """So many periods pass at once."""
        self.now += periods * CONTRACT.train.retrain_every
        Clock(self.site.data / "clock.jsonl").append(Segment(self.lives + len(self.runs), self.now, 0))

    @property
    def runs(self) -> tuple[Run, ...]:
        """What became of the runs so far."""
        return self.store.runs()

    def until_runs(self, number: int) -> Run:
        """The run of that number, from 1, once it is noted."""
        self.site.until(lambda: len(self.runs) >= number, f"run {number} is noted", self.trainer, RUN_S)
        return self.runs[number - 1]

    def until_doing(self, state: str, part: str = "", done: int = 0) -> None:
        """Until the trainer says that it is at this stage, and has that part half done."""

        def there() -> bool:
            said = progress.read(self.site.data / "state" / f"train-{CONTRACT.name}.json")
            so_far = said.get("done")
            reached = not done or (isinstance(so_far, int) and so_far >= done)
            return said.get("state") == state and (not part or said.get("part") == part) and reached

        self.site.until(there, f"{state} {part}", self.trainer, RUN_S)

    def h2o(self) -> psutil.Process:
        """The server of the trainer's child."""
        below = psutil.Process(self.trainer.pid).children(recursive=True)
        return next(p for p in below if any(word.endswith("h2o.jar") for word in p.cmdline()))

    def figures(self, **figures: object) -> dict[str, object]:
        """With what the scorer's callers saw."""
        return {**figures, "answers": sum(self.asking.answers.values()), "failed": len(self.asking.failed)}

    @property
    def unaffected(self) -> bool:
        """Whether every question was answered."""
        return not self.asking.failed and sum(self.asking.answers.values()) > 0


@contextmanager
def train_site(seed: int) -> Iterator[TrainSite]:
    """Everything but the trainer, which the caller starts."""
    with stream_site() as site, TemporaryDirectory(prefix="hotpath-host-") as name:
        now = taught(site, seed)
        search = CONTRACT.train.search
        if search is not None:
            shorter = replace(search, budget=BUDGET_S * SECOND)
            quick = replace(CONTRACT, train=replace(CONTRACT.train, search=shorter))
            Deployed(site.data / "deployed").put(quick)
        host = make_host(Path(name))
        host.go_live("numbers", 1)
        with start(host) as running, asked(running) as asking:
            yield TrainSite(site, now, asking)


def killed_search(seed: int) -> Outcome:
    """SIGKILL to the trainer and its children in the middle of a search."""
    with train_site(seed) as at:
        at.start()
        first = at.until_runs(1)
        at.later()
        at.until_doing("search", done=2)
        at.kill()
        at.start()
        after = at.until_runs(2)
        found = at.store.chosen() or {}
    evidence = found.get("evidence", {})
    figures = at.figures(
        first=first.state,
        after=after.state,
        resumed=evidence.get("resumed"),
        tried=evidence.get("tried"),
        periods_late=0,
    )
    went_on = any((evidence.get("resumed") or {}).values())
    return Outcome(first.state == after.state == "trained" and went_on and at.unaffected, figures)


def killed_h2o(seed: int) -> Outcome:
    """SIGKILL to H2O in the middle of a search."""
    with train_site(seed) as at:
        at.start()
        at.until_runs(1)
        at.later()
        at.until_doing("search", done=2)
        at.h2o().kill()
        after = at.until_runs(2)
        evidence = (at.store.chosen() or {}).get("evidence", {})
    figures = at.figures(
        after=after.state, lost=len(evidence.get("lost", [])), resumed=evidence.get("resumed")
    )
    holds = after.state == "trained" and bool(evidence.get("lost")) and any(evidence["resumed"].values())
    return Outcome(holds and at.unaffected, figures)


def hung_h2o(seed: int) -> Outcome:
    """SIGSTOP to H2O while it grows a model; the run fails in time, the next one is as good as ever."""
    with train_site(seed) as at:
        at.start(HOTPATH__H2O__DEADLINE_S=str(HUNG_S))
        at.until_doing("training", "import")
        os.kill(at.h2o().pid, signal.SIGSTOP)
        failed = at.until_runs(1)
        return _over_with(at, failed)


def small_h2o(seed: int) -> Outcome:
    """A heap that holds no window; the run says so, and with room the next one is as good as ever."""
    with train_site(seed) as at:
        at.start(HOTPATH__H2O__MEMORY=SMALL)
        failed = at.until_runs(1)
        at.kill()
        at.start()
        return _over_with(at, failed)


def _over_with(at: TrainSite, failed: Run) -> Outcome:
    """Whether the run failed and the next one, a period later, did not."""
    at.later()
    after = at.until_runs(2)
    figures = at.figures(state=failed.state, why=failed.why[:200], after=after.state, periods_late=1)
    return Outcome(failed.state == "failed" and after.state == "trained" and at.unaffected, figures)


def killed_publishing(seed: int) -> Outcome:
    """SIGKILL to the trainer at each named point of publishing; the next run announces a whole bundle."""
    with train_site(seed) as at:
        halves = 0
        for number, point in enumerate(POINTS):
            marker = at.site.folder / f"reached-{number}"
            at.start(str(KILLED), str(marker), point, CONTRACT.name)
            at.site.until(marker.exists, point, at.trainer, RUN_S)
            at.kill()
            halves += _halves(at.site)
            at.later()
        at.start()
        after = at.until_runs(1)
        halves += _halves(at.site)
    figures = at.figures(points=len(POINTS), halves_seen=halves, after=after.state)
    return Outcome(not halves and after.state == "trained" and at.unaffected, figures)


def _halves(site: StreamSite) -> int:
    """Announcements whose bundle is not whole, as a follower would put it together from the topics."""
    log = KafkaLog(site.address("cloud"))
    key = keys.verify_key(site.data / "onprem" / "keys" / "verify.pem")
    parcels, said = Parcels(), []
    for entry in standing(log, MODELS):
        said.append(Announcement.verified(entry.value or b"", key))
        parcels.announced(said[-1])
    for entry in standing(log, BUNDLES):
        parcels.add(entry.key, entry.value or b"")
    return sum(parcels.whole(one.bundle) is None for one in said)


FAULTS = (
    Fault(
        "trainer killed during the search",
        "SIGKILL to trainer, search and H2O once two models are there, and the trainer started again",
        killed_search,
    ),
    Fault("H2O killed during the search", "SIGKILL to H2O once two models are there", killed_h2o),
    Fault("H2O hung", "SIGSTOP to H2O while it takes a window in", hung_h2o),
    Fault("H2O out of memory", f"a heap of {SMALL}, then the usual one", small_h2o),
    Fault(
        "trainer killed while publishing",
        "SIGKILL before the chunks, between them, before the announcement and after it",
        killed_publishing,
    ),
)
