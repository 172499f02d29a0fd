"""`hotpath demo`: the whole system on this machine, from nothing to models going live.

Composition root. Starts the parts in the order in which they can be of use, waits for what each needs, keeps
them running, and stops everything whatever happens: no process and no lock is left behind.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from hotpath import keys, progress
from hotpath.clock import Clock, wait
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadConfig, HotpathError, Unavailable
from hotpath.files import hold, replace
from hotpath.handoffs import POINTS, Site, Topic, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.lake import Lake
from hotpath.local import stack, timekeeper
from hotpath.local.closing import close_books, crossed, drained, joined
from hotpath.local.points_check import written
from hotpath.local.preflight import examine, lock
from hotpath.local.processes import Processes
from hotpath.local.report import Report, Written, told, unmet
from hotpath.local.rollout import Rollout, history_landed
from hotpath.local.story import Scene, Story
from hotpath.local.supervisor import Supervisor
from hotpath.progress import Progress, Shown
from hotpath.settings import Settings
from ingest.plan import plan
from monitoring.influx import read_access

PIPELINE = "flights"
SITES: tuple[Site, ...] = ("onprem", "cloud")
TICK_S = 0.25
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a kill, a terminal that was closed: each asks for the same orderly end."""
CLOSING_S = 50.0
"""Kept of a run's time for draining, checking the books and stopping."""
DRAIN_S = 30.0
STEP_S = 180.0
"""Longest wait for one step of the start."""
WRITTEN = frozenset(
    (
        "clock.jsonl",
        "cloud",
        "config",
        "deployed",
        "kafka-cloud",
        "kafka-onprem",
        "ledger",
        "logs",
        "onprem",
        "state",
    )
)
"""All that a run puts into its data folder; one that holds more is not ours to remove."""


class Asked(Exception):
    """Somebody asked the run to end: Ctrl-C, SIGTERM, or its time is over."""


@dataclass
class Demo:
    """One run; `seconds` is its whole length, None for until Ctrl-C."""

    settings: Settings
    story: Story
    seconds: float | None = None
    asked: bool = False
    live: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Clock(self.settings.clock_file())
        self.started, self.began = self.clock.elapsed(), self.clock.real()
        self.deployed = Deployed(self.settings.deployed())
        self.contract = self._first()
        self.parts = Supervisor({}, Processes(self.settings.logs()), self.story.say, self.clock.elapsed)
        self.parts.add([*stack.parts(self.settings), *stack.of_pipeline(PIPELINE)])
        self.rollout = Rollout(self.settings, self.parts, self.deployed, self._ensure, self.story.say)
        self.lake = Lake(self.settings.lake_root(), PIPELINE)
        self.progress = Progress(self.settings.state("demo"))

    # -- the story, top to bottom

    def run(self) -> Report | None:
        """Start, run until asked, drain, close the books, stop; None where nothing could land yet.

        Raises HotpathError where a part cannot be kept running or a step of the start takes too long.
        """
        try:
            with self._asked_by_signals():
                self._prepare()
                try:
                    self._start()
                    self._until(lambda: False, "", deadline_s=None)
                except Asked:
                    self.story.say("stopping: producers first, then what is on its way is drained")
                return self._close() if f"transform-{PIPELINE}" in self.parts.running() else None
        finally:
            self.parts.stop_all()
            self.story.say("every process has ended")

    def _prepare(self) -> None:
        self.parts.processes.adopt()
        keys.make(self.settings.signing_key(), self.settings.verify_key())
        last_alive = progress.read(self.settings.state("demo")).get("alive_at")
        if isinstance(last_alive, int) and self.clock.timeline().segments:
            timekeeper.resume(self.clock, last_alive)
            self.story.say("continuing the earlier run (FRESH=1 starts anew)")
        timekeeper.begin(self.clock, plan(self.clock.real()).starts_at)
        stack.write_configs(self.settings, topics(self.deployed.all()))
        for name, command in stack.format_commands(self.settings).items():
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=STEP_S)
            if done.returncode:
                raise Unavailable(f"{name}'s data folder", done.stderr[-500:], "one that can be formatted")

    def _start(self) -> None:
        self.parts.start("kafka-onprem", "kafka-cloud", "influxdb", "redis")
        self._until(self._brokers_answer, "both Kafka clusters answer")
        self._ensure(topics(self.deployed.all()))
        self.parts.start("mirror", "agent", "marks", f"ingest-{PIPELINE}")
        self._until(lambda: bool(self.lake.imports()), "the history is imported and has crossed the mirror")
        self.parts.start(f"transform-{PIPELINE}")
        self._until(lambda: history_landed(self.lake), "the history has landed in the lake")
        timekeeper.run(self.clock)
        self.story.say(f"virtual time runs at {timekeeper.REPLAY_RATE:.0f} times")
        self.parts.start(
            "tiles",
            "upkeep",
            "monitoring",
            f"train-{PIPELINE}",
            "follower",
            "state",
            "scorer",
            "transactions",
        )
        self.rollout.runs(self.contract)
        self._say_where()
        self._until(self._ready, "the scorer is ready", deadline_s=None)

    def _first(self) -> Contract:
        """The pipeline that the demonstration begins with: as deployed, or deployed now."""
        file = load(self.settings.pipelines / f"{PIPELINE}.yaml")
        found = self.deployed.get(PIPELINE)
        if found is None:
            self.deployed.put(file)
        elif found != file:
            self.story.say(f"{PIPELINE}.yaml is not what runs: `hotpath deploy {PIPELINE}` deploys it")
        return found or file

    def _ensure(self, wanted: Sequence[Topic]) -> None:
        for site in SITES:
            self._admin(site).ensure(wanted, site, self.settings.kafka.partitions)

    def _say_where(self) -> None:
        """Where to look; that there is no InfluxDB is said too: everything else works without."""
        self.story.say(f"the console is at http://{self.settings.console.host}:{self.settings.console.port}")
        if self.settings.influxdb.url is None and "influxdb" not in self.parts.parts:
            self.story.say("no InfluxDB 2 was found: points wait in Kafka (make influxd builds it)")

    def _close(self) -> Report:
        """Stop what produces, wait until all of it has landed and been joined, then compare the books."""
        end = self.clock.elapsed() + DRAIN_S

        def in_time() -> bool:
            return self.clock.elapsed() < end

        # What a pipeline has not landed yet that was deployed just now is not lost: it goes on next time.
        contracts = self.rollout.landed() or [self.contract]
        contract = next(contract for contract in contracts if contract.name == PIPELINE)
        names = [*self.rollout.taken] or [PIPELINE]
        self.parts.stop("transactions", *(f"ingest-{n}" for n in names), *(f"train-{n}" for n in names))
        for one in contracts:
            drained(self.settings, one, in_time)
        live = joined(self.settings, contract, self.clock, in_time)
        # Who measures ends before who writes, so that the last points are written too.
        self.parts.stop(
            "scorer", "follower", *(f"transform-{n}" for n in names), "agent", "tiles", "upkeep", "state"
        )
        crossed(self.settings, in_time)
        self.parts.stop("monitoring")
        points = self._points()
        others = [one for one in contracts if one is not contract]
        return close_books(self.settings, contract, others, self.clock, self.began, live, points)

    def _points(self) -> Written:
        """Nothing is written, and nothing lost, where there is no InfluxDB: the points stand in Kafka."""
        if self.settings.influxdb.url is None and "influxdb" not in self.parts.running():
            return Written()
        log = KafkaLog(self.settings.kafka.cloud.address)
        try:
            return written(log, read_access(self.settings))
        except Unavailable as error:
            self.story.say(str(error))
            return Written(0, len(standing(log, POINTS)))

    # -- conditions

    def _brokers_answer(self) -> bool:
        try:
            return all(self._admin(site).topics(deadline_s=1) is not None for site in SITES)
        except Unavailable:
            return False

    def _ready(self) -> bool:
        try:
            url = f"http://{self.settings.serve.host}:{self.settings.serve.port}/v2/health/ready"
            return httpx.get(url, timeout=1).is_success
        except httpx.HTTPError:
            return False

    # -- keeping it going

    def _until(self, holds: Callable[[], bool], what: str, deadline_s: float | None = STEP_S) -> None:
        """Keep all going until `holds`. Raises Asked at the end of the run, Unavailable past the deadline."""
        begun = self.clock.elapsed()
        while not holds():
            self._tick()
            if deadline_s is not None and self.clock.elapsed() - begun > deadline_s:
                raise Unavailable(
                    what, f"not yet after {deadline_s:.0f} s", "less", f"see {self.settings.logs()}"
                )
            wait(TICK_S)
        self.story.say(what)

    def _tick(self) -> None:
        elapsed = self.clock.elapsed() - self.started
        if self.asked or (self.seconds is not None and elapsed > self.seconds - CLOSING_S):
            raise Asked
        self.parts.look()
        if self.rollout.taken:  # the first pipeline's start is not over before that
            self.rollout.step()
        if timekeeper.keep(self.clock):
            self.story.say("virtual time has met the present; from here on it is real time")
        self._note_alive()
        self._show(elapsed)

    def _note_alive(self) -> None:
        """For the next run: should this one be killed, virtual time stood still from this instant on."""
        self.progress.say("running", alive_at=self.clock.real())

    def _show(self, elapsed: float) -> None:
        running = {name: {"state": "running"} for name in self.parts.running()}
        states: dict[str, Mapping[str, Shown]] = {
            name: self._said(name) or running.get(name, {}) for name in self.parts.parts
        }
        live = states["scorer"].get("live")
        for name, sequence in live.items() if isinstance(live, dict) else ():
            if self.live.get(name) != sequence:
                self.live[name] = sequence
                self.story.say(f"{name}: model {sequence} is live")
        behind = states["agent"].get("behind")
        lag = {t: int(n) for t, n in behind.items()} if isinstance(behind, dict) else {}
        self.story.show(Scene(elapsed, self.clock.now(), states, lag))

    def _said(self, name: str) -> Mapping[str, Shown]:
        """What a part says now; an earlier run's last word would pass for a live model."""
        said = progress.read(self.settings.state(name))
        return {} if progress.ended(said) else said

    def _admin(self, site: Site) -> Admin:
        return Admin(getattr(self.settings.kafka, site).address)

    @contextmanager
    def _asked_by_signals(self) -> Iterator[None]:
        def ask(*_: object) -> None:
            self.asked = True

        before = {number: signal.signal(number, ask) for number in ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def demonstrate(settings: Settings, seconds: float | None, fresh: bool, story: Story, to: Path) -> int:
    """Run, write the report to `to`, and say what does not hold.

    The exit code: 0, or 1 where a part failed or, in a run of fixed length, a condition does not hold. Raises
    BadConfig, before anything starts, where something is missing or in use.
    """
    with hold(lock(settings), "demonstration in a data folder"):
        for finding in examine(settings):
            if finding.verdict == "wrong":
                raise BadConfig(finding.subject, finding.verdict, finding.says, "hotpath doctor tells more")
        if fresh and settings.data.exists():
            forget(settings.data)
        try:
            with story:
                report = Demo(settings, story, seconds).run()
        except HotpathError as error:
            story.finish([f"{type(error).__name__}: {error}", f"logs: {settings.logs()}"])
            return 1
    if report is None:
        story.finish(["ended before the stream job had started: no report; the next run continues"])
        return 1 if seconds is not None else 0
    replace(to, json.dumps(report.to_json(), indent=1).encode())
    missing = unmet(report) if seconds is not None else []
    story.finish([*told(report), *(f"NOT MET: {line}" for line in missing), f"report: {to}"])
    return 1 if missing else 0


def forget(data: Path) -> None:
    """Remove an earlier run's folder. Raises BadConfig, and removes nothing, where it holds anything else."""
    if others := sorted(path.name for path in data.iterdir() if path.name not in WRITTEN):
        raise BadConfig(
            f"data folder {data}", others[:3], "only what a run writes", "set data to a folder of its own"
        )
    shutil.rmtree(data)
