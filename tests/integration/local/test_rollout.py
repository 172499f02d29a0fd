"""What is deployed while the system runs is taken up step by step, and nothing else is touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotpath import progress
from hotpath.clock import Clock
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import Unavailable
from hotpath.handoffs import Topic, topics
from hotpath.lake import Import, Lake, Manifest
from hotpath.local.processes import Processes
from hotpath.local.rollout import DEPLOYED, STAGES, Rollout
from hotpath.local.stack import Part, write_configs
from hotpath.local.supervisor import Supervisor
from hotpath.settings import Settings, load
from tests.contract.samples import CONTRACT, small

IDLE = (sys.executable, "-c", "import signal; signal.pause()")


@dataclass
class System:
    """A rollout over parts that only wait to be stopped; `said` and `topics` are what it told."""

    settings: Settings
    processes: Processes
    source: bool
    said: list[str] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    broker_away: bool = False

    def __post_init__(self) -> None:
        self.supervisor = Supervisor({}, self.processes, self.said.append, Clock().elapsed)
        self.supervisor.add([Part(name, 0, IDLE) for name in ("mirror", "scorer", "monitoring")])
        self.supervisor.start("mirror", "scorer", "monitoring")
        self.deployed = Deployed(self.settings.deployed())
        self.rollout = Rollout(
            self.settings, self.supervisor, self.deployed, self.ensure, self.said.append, self.of_pipeline
        )
        self.lake = Lake(self.settings.lake_root(), "small")

    def ensure(self, wanted: Sequence[Topic]) -> None:
        if self.broker_away:
            raise Unavailable("Kafka", "no answer", "an answer")
        self.topics = {topic.name for topic in wanted}

    def of_pipeline(self, name: str) -> tuple[Part, ...]:
        kinds = ("ingest", "transform", "train") if self.source else ("transform", "train")
        return tuple(Part(f"{kind}-{name}", 0, IDLE) for kind in kinds)

    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self.processes.running.items()}


@pytest.fixture(params=[True, False], ids=["with producers of ours", "with a customer's producers"])
def system(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[System]:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "run"))
    processes = Processes(tmp_path / "logs")
    try:
        yield System(load(), processes, request.param)
    finally:
        processes.stop(*processes.running)


def changed(old: str, new: str) -> Contract:
    return small(old, new)


def test_a_new_pipeline_gets_its_topics_its_history_its_query_and_its_trainer(system: System) -> None:
    before = system.pids()
    system.deployed.put(small())
    system.rollout.step()
    assert {"small.asked", "small.answered", "hotpath.scores.small"} <= system.topics
    if system.source:
        assert "ingest-small" in system.pids()
        assert "transform-small" not in system.pids(), "the stream job must know what was imported first"
        system.lake.record_import(Import("history", {"small.asked": {0: (0, 9)}}))
        system.rollout.step()
        assert "transform-small" in system.pids()
        assert "train-small" not in system.pids(), "its history has not landed"
        system.lake.publish(Manifest(0, {}, {"small.asked": {0: 10}}, (), {}, 0))
    system.rollout.step()
    assert {"transform-small", "train-small"} <= set(system.pids())
    assert {n: p for n, p in system.pids().items() if n in before and n != "mirror"} == {
        n: p for n, p in before.items() if n != "mirror"
    }
    assert system.pids()["mirror"] != before["mirror"], "it has more topics to carry"
    said = progress.read(system.settings.state("rollout"))
    assert (said[DEPLOYED], said[STAGES]) == ({"small": small().fingerprint}, {"small": "running"})


def test_a_changed_feature_restarts_nothing(system: System) -> None:
    running(system)
    before = system.pids()
    system.deployed.put(changed("size > 1.5", "size > 2.5"))
    system.rollout.step()
    assert system.pids() == before


def test_a_changed_field_restarts_the_pipelines_own_query_alone(system: System) -> None:
    running(system)
    before = system.pids()
    system.deployed.put(changed("max: 100", "max: 200"))
    system.rollout.step()
    own = {"transform-small", "ingest-small"}
    assert {n for n, pid in system.pids().items() if pid != before[n]} == own & set(before)


def test_a_further_stream_gets_its_topic_and_restarts_the_query_but_no_producer(system: System) -> None:
    running(system)
    before = system.pids()
    wind = "streams: {wind: {topic: small.wind, fields: {gust: {type: double}}}}\nfeatures:"
    system.deployed.put(changed("features:", wind))
    system.rollout.step()
    assert "small.wind" in system.topics
    assert {n for n, pid in system.pids().items() if pid != before[n]} == {"transform-small", "mirror"}


def test_a_step_without_anything_new_does_nothing(system: System) -> None:
    running(system)
    before, said = system.pids(), list(system.said)
    system.rollout.step()
    assert (system.pids(), system.said) == (before, said)


def test_two_pipelines_are_carried_by_one_mirror(system: System) -> None:
    running(system)
    mirror = system.pids()["mirror"]
    other = CONTRACT.replace("name: small", "name: other").replace("small.", "other.")
    system.deployed.put(Contract.from_yaml(other, "other.yaml"))
    system.rollout.step()
    assert {"small.asked", "other.asked"} <= system.topics
    assert system.pids()["mirror"] != mirror


def test_pipelines_that_are_taken_up_again_cost_the_mirror_one_start_at_the_most(system: System) -> None:
    for name in ("other", "third"):
        text = CONTRACT.replace("name: small", f"name: {name}").replace("small.", f"{name}.")
        system.deployed.put(Contract.from_yaml(text, f"{name}.yaml"))
    system.deployed.put(small())
    write_configs(system.settings, topics(system.deployed.all()))  # as a run begins that goes on with three
    mirror = system.pids()["mirror"]
    system.rollout.runs(small())
    system.rollout.step()
    assert set(system.rollout.taken) == {"small", "other", "third"}
    assert system.pids()["mirror"] == mirror


def test_what_is_deployed_while_a_broker_is_away_is_taken_up_when_it_is_back(system: System) -> None:
    before = system.pids()
    system.broker_away = True
    system.deployed.put(small())
    for _ in range(2):
        system.rollout.step()
    assert (system.rollout.taken, system.pids()) == ({}, before)
    (said,) = system.said
    assert said.startswith("what is deployed waits: Kafka")
    system.broker_away = False
    system.rollout.step()
    assert set(system.rollout.taken) == {"small"}


def test_a_pipeline_whose_history_is_on_its_way_has_not_landed(system: System) -> None:
    system.deployed.put(small())
    system.rollout.step()
    assert system.rollout.landed() == ([] if system.source else [small()])
    running(system)
    assert system.rollout.landed() == [small()]


def running(system: System) -> None:
    """The pipeline is deployed and up."""
    system.deployed.put(small())
    system.lake.record_import(Import("history", {}))
    system.rollout.step()
    system.rollout.step()
    assert system.rollout.stages == {"small": "running"}
