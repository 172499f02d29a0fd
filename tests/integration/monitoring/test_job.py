"""The monitoring job as a process: what is away, what is taken, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from hotpath import keys, progress
from hotpath.contract.load import load
from hotpath.deployed import Deployed
from hotpath.handoffs import topics
from hotpath.kafka_admin import Admin
from hotpath.local.ports import free_port
from hotpath.settings import PROJECT
from tests.conftest import until

CONTRACT = load(PROJECT / "config" / "pipelines" / "flights.yaml")


class Running:
    """One process of it; what it says goes into a file, so that a test may wait for a word."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._file = folder / f"said-{uuid4().hex[:6]}"
        command = [sys.executable, "-m", "monitoring.job"]
        with self._file.open("wb") as said:
            self._process = subprocess.Popen(command, env=env, cwd=PROJECT, stderr=said)

    @property
    def said(self) -> str:
        return self._file.read_text()

    def ended(self, how: int | None = None) -> tuple[int, str]:
        """Its exit code and all that it said, once it has ended (told to by a signal, or by itself)."""
        if how is not None:
            self._process.send_signal(how)
        try:
            return self._process.wait(30), self.said
        finally:
            self._process.kill()


class Job:
    """A monitoring job in a folder of its own; nothing of it is there but what a test starts."""

    def __init__(self, folder: Path, kafka: str) -> None:
        self.folder, self.port = folder, free_port()
        self.env = {
            **os.environ,
            "HOTPATH__DATA": str(folder),
            "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": kafka,
            "HOTPATH__INFLUXDB__PORT": str(free_port()),
            "HOTPATH__CONSOLE__PORT": str(self.port),
        }
        keys.make(folder / "cloud" / "keys" / "signing.pem", folder / "onprem" / "keys" / "verify.pem")

    def start(self) -> Running:
        return Running(self.env, self.folder)

    def shows(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/state.json", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def watched(self) -> set[str]:
        """The pipelines that it watches."""
        return set(httpx.get(f"http://127.0.0.1:{self.port}/state.json", timeout=2).json()["outcomes"])

    @property
    def state(self) -> object:
        return progress.read(self.folder / "state" / "monitoring.json").get("state")


@pytest.fixture
def job(tmp_path: Path, kafka: str) -> Job:
    Admin(kafka).ensure(topics([CONTRACT]), "cloud", 1)
    return Job(tmp_path, kafka)


def test_without_influxdb_and_without_a_lake_it_shows_its_console_and_ends_when_told(job: Job) -> None:
    process = job.start()
    until(job.shows, "the console answers")
    until(lambda: "points wait in Kafka" in process.said, "the writer says what it lacks")
    code, said = process.ended(signal.SIGTERM)
    assert code == 0, said
    assert "Traceback" not in said
    assert job.state == "ended"


def test_what_is_deployed_while_it_runs_is_watched_too(job: Job) -> None:
    deployed = Deployed(job.folder / "deployed")
    deployed.put(CONTRACT)
    process = job.start()
    until(job.shows, "the console answers")
    until(lambda: job.watched() == {"flights"}, "the first is watched")
    deployed.put(replace(CONTRACT, name="others"))
    until(lambda: job.watched() == {"flights", "others"}, "the second is watched")
    code, said = process.ended(signal.SIGTERM)
    assert code == 0, said
    assert "Traceback" not in said


def test_without_kafka_it_waits(tmp_path: Path) -> None:
    job = Job(tmp_path, f"127.0.0.1:{free_port()}")
    process = job.start()
    until(job.shows, "the console answers")
    code, said = process.ended(signal.SIGTERM)
    assert code == 0, said
    assert "Traceback" not in said


def test_a_second_one_is_refused_and_the_first_goes_on(job: Job) -> None:
    process = job.start()
    until(job.shows, "the console answers")
    code, said = job.start().ended()
    assert code == 1
    assert "one monitoring job a data folder at a time" in said
    assert job.shows()
    assert process.ended(signal.SIGTERM)[0] == 0


def test_a_monitor_that_nobody_knows_keeps_it_from_starting(job: Job) -> None:
    job.env["HOTPATH__MONITORS"] = '{"line_silense": {"warn": 5}}'
    code, said = job.start().ended()
    assert code == 1
    assert "line_silence" in said
