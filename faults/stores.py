"""A disk that is full under the bundle store, and under the bundle folder of a scorer's host.

What must hold: a training run that cannot publish fails with its reason, recorded as soon as there is room,
and announces nothing; a candidate that cannot be placed waits, and the live model answers on. Nothing torn is
left, and with room again the next model goes live.
"""

from __future__ import annotations

import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from faults.small_disk import SmallDisk, small_disk
from faults.stream_site import CONTRACT, StreamSite, stream_site
from faults.table import Fault, Outcome
from hotpath import keys, progress
from hotpath.bundle_store import BundleStore
from hotpath.child import Child
from hotpath.clock import Clock, Micros, Segment, wait
from hotpath.errors import BadArtifact
from hotpath.handoffs import MODELS, Announcement
from hotpath.kafka import KafkaLog, standing
from hotpath.lake import Lake
from hotpath.local.ports import free_port
from hotpath.signatures import Verifies
from tests.integration.serve import bundles
from tests.integration.serve.conftest import Host, Running, make_host, start
from tests.integration.train.lakes import Flights

MEGABYTES = 8
FLIGHTS, SPACING = 1500, 900_000_000
START: Micros = 1_780_000_000_000_000
RUN_S = 170.0
FULL_S = 3.0
ASK_EVERY_S = 0.02
WAITS = "waits"


def store_full(seed: int) -> Outcome:
    """A run with no room to publish, then one with room; what is live before is hand-made."""
    with stream_site() as site, small_disk(site.data / "cloud" / "bundles", MEGABYTES) as disk:
        store, log = BundleStore(disk.folder / CONTRACT.name), KafkaLog(site.address("cloud"))
        now = taught(site, seed)
        _announced(site, store, log)
        disk.fill()
        trainer = _start_trainer(site)
        site.until(lambda: _trainer(site).startswith(WAITS), "the run waits for room", trainer, RUN_S)
        silent = len(standing(log, MODELS)) == 1
        disk.free()
        site.until(lambda: len(store.runs()) == 1, "the run is recorded", trainer)
        Clock(site.data / "clock.jsonl").append(Segment(1, now + CONTRACT.train.retrain_every, 0))
        site.until(lambda: len(store.runs()) == 2, "the next run", trainer, RUN_S)
        failed, trained = store.runs()
        newest = Announcement.verified(standing(log, MODELS)[-1].value or b"", _public(site))
        torn = _torn(disk.folder) + (not _whole(store, newest))
    figures = {
        "failed_run": failed.state,
        "reason": failed.why.partition(": ")[0],
        "announced_meanwhile": 0 if silent else 1,
        "torn": torn,
        "next_run": trained.state,
        "next_sequence": newest.sequence,
    }
    told = failed.state == "failed" and "No space left on device" in failed.why
    ended = trained.state == "trained" and newest.sequence == trained.sequence
    return Outcome(told and silent and not torn and ended, figures)


def taught(site: StreamSite, seed: int) -> Micros:
    """A lake that can teach a model, the keys, and a clock that stands where the lake ends."""
    keys.make(site.data / "cloud" / "keys" / "signing.pem", site.data / "onprem" / "keys" / "verify.pem")
    lake = Lake(site.data / "cloud" / "lake", CONTRACT.name)
    now = Flights(CONTRACT, START, random.Random(seed)).land(lake, FLIGHTS, spacing=SPACING)
    Clock(site.data / "clock.jsonl").append(Segment(0, now, 0))
    return now


def _announced(site: StreamSite, store: BundleStore, log: KafkaLog) -> None:
    """Something that is live: its bytes do not matter here, nothing may come after it."""
    sequence = store.take_sequence({"bundle": "aaaaaaaa", "at": START})
    word = Announcement(CONTRACT.name, "aaaaaaaa", "0" * 64, 1, 1, sequence, "promote", "the live one", START)
    key = keys.signing_key(site.data / "cloud" / "keys" / "signing.pem")
    log.send(MODELS, word.signed(key), f"{CONTRACT.name}/aaaaaaaa".encode())
    log.flush(20)


def _start_trainer(site: StreamSite) -> Child:
    env = {**site.env, "HOTPATH__H2O__PORT": str(free_port())}
    del env["JDK_JAVA_OPTIONS"]
    return site.processes.start("train", [sys.executable, "-m", "train.job", CONTRACT.name], env=env)


def _trainer(site: StreamSite) -> str:
    return str(progress.read(site.data / "state" / f"train-{CONTRACT.name}.json").get("state"))


def _public(site: StreamSite) -> Verifies:
    return keys.verify_key(site.data / "onprem" / "keys" / "verify.pem")


def _whole(store: BundleStore, said: Announcement) -> bool:
    try:
        return store.sealed(said.bundle).sha256 == said.sha256
    except BadArtifact:
        return False


def _torn(folder: Path) -> int:
    """Leavings of writes that did not come to their end."""
    return len([path for path in folder.rglob(".*") if path.is_file()])


@dataclass
class Asking:
    """Asks a scorer all the time; answers by the sequence that gave them, and what failed."""

    running: Running
    answers: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """The thread's whole life."""
        number = 0
        while not self.ended.wait(ASK_EVERY_S):
            number += 1
            try:
                self.answers[int(self.running.ask(number % 60)["parameters"]["sequence"])] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is an answer that failed
                self.failed.append(str(error))


@contextmanager
def asked(running: Running) -> Iterator[Asking]:
    asking = Asking(running)
    thread = threading.Thread(target=asking.run, name="asking")
    thread.start()
    try:
        yield asking
    finally:
        asking.ended.set()
        thread.join()


def folder_full(seed: int) -> Outcome:
    """A candidate that finds no room on a host with a live model, then room."""
    chance = random.Random(seed)
    with stream_site(mirrored=False) as site, TemporaryDirectory(prefix="hotpath-host-") as name:
        folder = Path(name)
        with small_disk(folder / "onprem" / "bundles", MEGABYTES) as disk:
            host, log = make_host(folder), KafkaLog(site.address("cloud"))
            host.environment["HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS"] = site.address("cloud")
            bundles.send(log, bundles.sealed("numbers", host.key), 1, host.key)
            log.flush(20)
            follower = site.processes.start(
                "follower", [sys.executable, "-m", "serve.job"], env=host.environment
            )
            live = disk.folder / bundles.PIPELINE / "live.json"
            site.until(live.exists, "the first model is live", follower)
            with start(host) as running, asked(running) as asking:
                kept = _candidate_without_room(site, host, log, disk, chance)
                before = dict(asking.answers)
                disk.free()
                site.until(lambda: asking.answers[2] > 0, "the second model answers", follower)
            torn = _torn(disk.folder / bundles.PIPELINE)
            site.processes.stop("follower")
            code = follower.code()
    figures = {
        "answers_while_full": before.get(1, 0),
        "of_the_new_one_while_full": before.get(2, 0),
        "failed": len(asking.failed),
        "torn": torn,
        "live_at_the_end": max(asking.answers, default=0),
    }
    holds = kept and before.get(1, 0) > 0 and not before.get(2, 0) and not asking.failed
    return Outcome(holds and not torn and code == 0, figures)


def _candidate_without_room(
    site: StreamSite, host: Host, log: KafkaLog, disk: SmallDisk, chance: random.Random
) -> bool:
    """Whether the follower waited, and said so, with a part of the room that its candidate needs."""
    candidate = bundles.sealed("categories", host.key)
    disk.fill(chance.randrange(len(candidate.packed) // 2))
    bundles.send(log, candidate, 2, host.key)
    log.flush(20)
    state = host.folder / "state" / "follower.json"
    follower = site.processes.running["follower"]

    def waits() -> bool:
        return str(progress.read(state).get("state")).startswith(WAITS)

    site.until(waits, "the follower waits for room", follower)
    wait(FULL_S)
    return waits()


FAULTS = (
    Fault(
        "disk full under the bundle store", "a tmpfs under the store, full when a run publishes", store_full
    ),
    Fault(
        "disk full under the bundle folder",
        "a tmpfs under a host's bundle folder, full when a candidate is placed, under steady questions",
        folder_full,
    ),
)
