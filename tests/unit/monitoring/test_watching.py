"""What the monitoring job's main thread makes of things that are away, harmed, or come twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from hotpath.bundle_store import BundleStore, Run
from hotpath.clock import SECOND, Clock, Segment
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import HOSTS, MARKS, MODELS, POINTS, RECEIPTS, Receipt
from hotpath.kafka import Entry, MemoryLog, MemoryTail, Tail
from hotpath.kafka_admin import MemoryLogs
from hotpath.lake import Lake, Manifest
from hotpath.points import Points
from hotpath.settings import Settings, load
from monitoring.deployments import Deployments
from monitoring.watching import MOST_BATCHES, Watching
from tests.unit.monitoring.answered import CONTRACT, PAIR, Asked, land, with_floor

OTHER = replace(with_floor('{auc: ">= 0.5", window: 1h, windows: 1, labels: 2}'), name="other")


@dataclass
class Away(MemoryLog):
    """A log whose named topics cannot be read."""

    away: set[str] = field(default_factory=set)

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        if self.away & set(topics):
            raise Unavailable("Kafka", "away", "an answer")
        return super().tail(topics, newest, since)


@dataclass
class Slow(Away):
    """A log that has nothing to read yet for so many polls."""

    polls: int = 0

    def tail(self, topics: Sequence[str], newest: bool = False, since: int = 0) -> Tail:
        tail, poll = super().tail(topics, newest, since), MemoryTail.poll

        def later(seconds: float) -> Entry | None:
            self.polls -= 1
            return None if self.polls >= 0 else poll(cast("MemoryTail", tail), seconds)

        tail.poll = later  # type: ignore[method-assign]
        return tail


@dataclass
class Job:
    folder: Path
    log: Away = field(default_factory=Away)

    def __post_init__(self) -> None:
        self.settings: Settings = load().model_copy(update={"data": self.folder})
        self.clock = Clock(self.folder / "clock.jsonl")
        points = Points(self.log, self.clock, {})
        self.watching = Watching(
            self.settings, [CONTRACT, OTHER], PAIR, self.log, MemoryLogs(), points, self.clock
        )

    def rates(self) -> set[float]:
        """By what each pipeline's window of 30 s is multiplied."""
        of = self.watching._pipelines.values()
        return {p.clocks.rules.window / (self.settings.clocks.window_s * SECOND) for p in of}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_replay_that_changes_its_rate_while_kafka_is_away_is_followed_once_it_is_back(job: Job) -> None:
    now = job.clock.real()
    job.clock.append(Segment(now - SECOND, 0, 60))
    job.watching.turn()
    assert job.rates() == {60}
    job.clock.append(Segment(now, job.clock.timeline().virtual(now), 1))
    job.log.away = {HOSTS}
    for _ in range(2):
        with pytest.raises(Unavailable):
            job.watching.turn()
    job.log.away = set()
    job.watching.turn()
    assert job.rates() == {1}


def test_a_harmed_manifest_stops_its_own_pipeline_and_is_named(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    manifests = job.folder / "cloud" / "lake" / CONTRACT.name / "manifest"
    manifests.mkdir(parents=True)
    (manifests / "0.json").write_text("[]")
    for _ in range(3):
        job.watching.turn()
    assert len([r for r in caplog.records if "0.json" in r.message]) == 1
    assert job.watching.seen.rate == 1


def test_a_disk_that_takes_nothing_is_named_and_ends_nothing(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    job.watching._open()
    kept = job.settings.monitoring(CONTRACT.name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("no folder: nothing can be kept in it")
    for _ in range(3):
        job.watching.turn()
    assert len([r for r in caplog.records if r.message.startswith(f"{CONTRACT.name}: ")]) == 1
    assert (job.settings.monitoring(OTHER.name) / "outcomes.json").exists()


def test_words_that_are_none_end_nothing(job: Job) -> None:
    for topic in (MARKS, MODELS, RECEIPTS, HOSTS):
        for value in (b"", b"\xff", b"[]", b"{}", b'{"announcement": 1, "signature": 2}', None):
            job.log.send(topic, value, b"small/x")
    job.watching.turn()
    for value in (b"", b"{}"):
        job.log.send(MARKS, value)
    job.watching.turn()


def test_a_receipt_that_is_read_again_is_no_news(job: Job) -> None:
    """A tail that was lost is opened anew, and begins at the beginning."""
    job.watching.turn()
    at = job.clock.now() + SECOND
    job.log.send(RECEIPTS, Receipt(CONTRACT.name, "s", 1, "b", "live", "", at).to_bytes())
    for _ in range(3):
        job.watching.turn()
        job.watching.close()
    assert len(job.watching._receipts) == 1


def test_no_model_is_ruled_on_before_it_is_known_what_scorers_and_operators_did(tmp_path: Path) -> None:
    job = Job(tmp_path, Slow(polls=5))
    land(Lake(job.settings.lake_root(), CONTRACT.name), 0, [Asked(0, "x", 0.9)], [])
    job.log.send(RECEIPTS, Receipt(CONTRACT.name, "s", 1, "b", "live", "", 1).to_bytes())
    measured = []
    for _ in range(4):
        job.watching.turn()
        measured.append(any(e.topic == POINTS and b"outcomes" in (e.value or b"") for e in job.log.entries))
    assert (measured[0], measured[-1]) == (False, True)
    assert measured == sorted(measured)


def test_runs_are_read_once_and_one_that_does_not_read_is_named(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    store = BundleStore(job.settings.bundle_store() / CONTRACT.name)
    store.record(Run("trained", "", 1, {}, {"auc": 0.7}, "b", 1))
    job.watching.turn()
    runs = job.settings.bundle_store() / CONTRACT.name / "runs"
    (runs / "1.json").unlink()
    (runs / "2.json").write_text(json.dumps({"state": "trained"}))
    job.watching.turn()
    assert "2.json" in caplog.text
    (runs / "2.json").unlink()
    store.record(Run("trained", "", 1, {}, {"auc": 0.8}, "c", 2))
    store.record(Run("failed", "", 1, {}))
    job.watching.turn()
    assert job.watching._pipelines[CONTRACT.name].holdout["b"] == {"auc": 0.7}


def test_a_lake_that_is_read_again_is_not_waited_for(job: Job) -> None:
    lake = Lake(job.folder / "cloud" / "lake", CONTRACT.name)
    for batch in range(MOST_BATCHES + 1):
        lake.publish(Manifest(batch, {}, {}, (), {}, 0))
    job.watching.turn()
    assert job.watching.behind
    job.watching.turn()
    assert not job.watching.behind


def test_a_pipeline_that_is_deployed_later_is_watched_without_a_restart(job: Job) -> None:
    job.watching.follow([CONTRACT])
    job.watching.turn()
    before = job.watching._pipelines[CONTRACT.name]
    at = job.clock.now()
    job.log.send(RECEIPTS, Receipt(OTHER.name, "s", 1, "b", "live", "", at).to_bytes())
    job.watching.turn()
    assert list(job.watching._pipelines) == [CONTRACT.name]
    job.watching.follow([CONTRACT, OTHER])
    job.watching.turn()
    assert job.watching._pipelines[CONTRACT.name] is before
    floor = job.watching._pipelines[OTHER.name].outcomes._floor
    assert floor is not None
    assert floor._live is not None  # what was said of it before it was watched


def test_a_contract_that_changes_is_watched_from_what_it_had_kept(job: Job) -> None:
    land(Lake(job.settings.lake_root(), CONTRACT.name), 0, [Asked(0, "x", 0.9)], [])
    job.watching.turn()
    before = job.watching._pipelines[CONTRACT.name]
    changed = replace(CONTRACT, question="Is it so, and why?")
    job.watching.follow([changed, OTHER])
    job.watching.turn()
    after = job.watching._pipelines[CONTRACT.name]
    assert after is not before
    assert (after.contract, after.outcomes.cursor) == (changed, 1)
    found = job.watching.seen.outcomes[CONTRACT.name]
    assert cast("dict[str, dict[str, int]]", found)["all"]["answers"] == 1


def test_a_pipeline_that_is_gone_is_let_go_of(job: Job) -> None:
    job.watching.turn()
    job.watching.follow([OTHER])
    job.watching.turn()
    assert list(job.watching.seen.outcomes) == [OTHER.name]


def test_a_deployed_contract_is_followed_and_a_spoilt_one_changes_nothing(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    deployed = Deployed(job.settings.deployed())
    deployed.put(CONTRACT)
    deployments = Deployments(job.settings)
    assert deployments.now() == (CONTRACT,)
    deployed.put(OTHER)
    assert deployments.now() == (OTHER, CONTRACT)
    (job.settings.deployed() / "small.json").write_bytes(b"{}")
    assert [deployments.now() for _ in range(3)] == [(OTHER, CONTRACT)] * 3
    assert len([r for r in caplog.records if "watched on" in r.message]) == 1
    changed = replace(CONTRACT, question="Is it so, and why?")
    deployed.put(changed)
    assert deployments.now() == (OTHER, changed)
