"""The client's process against a scorer that answers a constant: the rate is kept, every line is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request

from hotpath.clock import HOUR, Clock, Segment
from hotpath.local.ports import free_port
from hotpath.local.replay_check import transactions
from ingest.plan import plan
from tests.conftest import until


@dataclass
class Scorer:
    """Answers the same to every question; `asked` keeps the bodies."""

    asked: list[Any] = field(default_factory=list)

    def application(self) -> FastAPI:
        app = FastAPI()

        @app.get("/v2/models/flights/ready")
        async def ready() -> dict[str, bool]:
            return {"ready": True}

        @app.post("/v2/models/flights/infer")
        async def infer(request: Request) -> dict[str, Any]:
            self.asked.append(orjson.loads(await request.body()))
            said = {
                "threshold": 0.5,
                "bundle": "b",
                "sequence": 1,
                "asked_at": 7,
                "age_s": 1.0,
                "degraded": [],
                "prediction_ids": ["p1"],
            }
            outputs = [{"name": "score", "data": [0.25]}, {"name": "decision", "data": ["accept"]}]
            return {"parameters": said, "outputs": outputs}

        return app


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def scorer(port: int) -> Iterator[Scorer]:
    found = Scorer()
    server = uvicorn.Server(uvicorn.Config(found.application(), port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, "the scorer listens")
    yield found
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    clock = Clock(tmp_path / "clock.jsonl")
    starts_at = plan(clock.real()).starts_at
    clock.append(Segment(clock.real(), starts_at, 0))
    clock.append(Segment(clock.real(), starts_at + 3 * HOUR, 60))
    env = {"HOTPATH__DATA": str(tmp_path), "HOTPATH__SERVE__PORT": str(port)}
    command = [sys.executable, "-m", "hotpath.local.transactions"]
    process = subprocess.Popen(command, env={**os.environ, **env}, process_group=0)
    yield process
    process.kill()
    process.wait()


def test_fifty_a_second_are_asked_and_every_one_is_written(
    client: subprocess.Popen[bytes], scorer: Scorer, tmp_path: Path
) -> None:
    until(lambda: len(scorer.asked) >= 150, "three seconds of questions")
    client.send_signal(signal.SIGTERM)
    assert client.wait(10) == 0

    found = list(transactions(tmp_path / "onprem" / "answers"))
    assert len(found) == len(scorer.asked)
    assert [t.answered.score for t in found if t.answered] == [0.25] * len(found)
    due = sorted(t.scheduled_at for t in found)
    assert {b - a for a, b in pairwise(due)} == {20_000}
    timed = ["event_time" in {tensor["name"] for tensor in body["inputs"]} for body in scorer.asked]
    assert abs(sum(timed) - len(timed) / 2) <= 1, "half of them leave the time to the scorer"
