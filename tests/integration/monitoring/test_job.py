"""The monitoring job as a process: what is away, what is taken, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from hotpath import keys, progress
from hotpath.contract.load import load
from hotpath.handoffs import topics
from hotpath.kafka_admin import Admin
from hotpath.settings import PROJECT
from tests.conftest import free_port, until

CONTRACT = load(PROJECT / "config" / "pipelines" / "flights.yaml")


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

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "monitoring.job"]
        return subprocess.Popen(command, env=self.env, cwd=PROJECT, stderr=subprocess.PIPE, text=True)

    def shows(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/state.json", timeout=2).is_success
        except httpx.HTTPError:
            return False

    @property
    def state(self) -> object:
        return progress.read(self.folder / "state" / "monitoring.json").get("state")


@pytest.fixture
def job(tmp_path: Path, kafka: str) -> Job:
    Admin(kafka).ensure(topics([CONTRACT]), "cloud", 1)
    return Job(tmp_path, kafka)


def ended(process: subprocess.Popen[str], how: int) -> tuple[int, str]:
    process.send_signal(how)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def test_without_influxdb_and_without_a_lake_it_shows_its_console_and_ends_when_told(job: Job) -> None:
    process = job.start()
    until(job.shows, "the console answers")
    code, said = ended(process, signal.SIGTERM)
    assert code == 0, said
    assert "points wait in Kafka" in said
    assert "Traceback" not in said
    assert job.state == "ended"


def test_without_kafka_it_waits(tmp_path: Path) -> None:
    job = Job(tmp_path, f"127.0.0.1:{free_port()}")
    process = job.start()
    until(job.shows, "the console answers")
    code, said = ended(process, signal.SIGTERM)
    assert code == 0, said
    assert "Traceback" not in said


def test_a_second_one_is_refused_and_the_first_goes_on(job: Job) -> None:
    process = job.start()
    until(job.shows, "the console answers")
    other = job.start()
    _, said = other.communicate(timeout=30)
    assert other.returncode == 1
    assert "one monitoring job a data folder at a time" in said
    assert job.shows()
    assert ended(process, signal.SIGTERM)[0] == 0


def test_a_monitor_that_nobody_knows_keeps_it_from_starting(job: Job) -> None:
    job.env["HOTPATH__MONITORS"] = '{"line_silense": {"warn": 5}}'
    process = job.start()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "line_silence" in said
