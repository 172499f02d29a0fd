"""A host: its key, its bundle folder, a follower fed by hand, and a real scorer process beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hotpath import keys
from hotpath.clock import Clock, Segment
from hotpath.handoffs import RECEIPTS, Receipt
from hotpath.kafka import MemoryLog, Tail
from hotpath.local.ports import free_port
from hotpath.settings import PROJECT
from serve.admission import Sandbox
from serve.follower import TOPICS, Follower
from tests.conftest import until
from tests.integration.serve import bundles


@dataclass
class Host:
    """One on-prem host. `log` stands for its Kafka; the scorer process has one that does not answer."""

    folder: Path
    key: Ed25519PrivateKey
    log: MemoryLog
    follower: Follower
    tail: Tail
    environment: dict[str, str]

    def follow(self) -> None:
        """Let the follower take in and prove all there is."""
        while (entry := self.tail.poll(0)) is not None:
            self.follower.hear(entry)
        while (candidate := self.follower.ready()) is not None:
            self.follower.prove(candidate)

    def receipts(self) -> list[Receipt]:
        """What the follower said."""
        return [Receipt.from_bytes(e.value) for e in self.log.entries if e.topic == RECEIPTS]

    def go_live(self, kind: str, sequence: int) -> str:
        """A good bundle, published and followed; its id."""
        bundle = bundles.sealed(kind, self.key)
        bundles.send(self.log, bundle, sequence, self.key)
        self.follow()
        assert self.follower.live()[bundles.PIPELINE] == sequence
        return bundle.id


def make_host(folder: Path) -> Host:
    """A host whose clock stands still at START."""
    data = folder / "onprem"
    keys.make(folder / "signing.pem", data / "keys" / "verify.pem")
    clock = Clock(folder / "clock.jsonl")
    clock.append(Segment(real=0, virtual=bundles.START, rate=0))
    key, public = keys.signing_key(folder / "signing.pem"), data / "keys" / "verify.pem"
    log = MemoryLog()
    sandbox = Sandbox(public).prove
    follower = Follower(data / "bundles", keys.verify_key(public), log, clock, "test-host", sandbox)
    environment = bundles.environment(folder, free_port(), free_port())
    return Host(folder, key, log, follower, log.tail(TOPICS), environment)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A fresh host without a scorer process."""
    return make_host(tmp_path)


@dataclass
class Running:
    """A scorer process with a live model, and a client to ask it."""

    host: Host
    process: subprocess.Popen[bytes]
    http: httpx.Client

    def ask(self, number: int = 1, **parts: object) -> dict[str, Any]:
        """A good answer to question `number`."""
        response = self.http.post("/v2/models/things/infer", json=bundles.request(number, **parts))
        assert response.status_code == 200, response.text
        found: dict[str, Any] = json.loads(response.content)
        return found

    def live(self) -> int:
        """The sequence that answers now."""
        return int(self.ask()["parameters"]["sequence"])


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real uvicorn with sequence 5 live; its Kafka address is a closed port."""
    host = make_host(tmp_path_factory.mktemp("host"))
    host.go_live("numbers", 5)
    with start(host) as running:
        yield running


@contextmanager
def start(host: Host) -> Iterator[Running]:
    """`python -m serve.app` as a context: ready on entry, ended by SIGTERM with exit code 0 on exit."""
    process = scorer_process(host)
    base = f"http://127.0.0.1:{host.environment['HOTPATH__SERVE__PORT']}"
    try:
        with httpx.Client(base_url=base, timeout=10) as http:
            running = Running(host, process, http)
            until(lambda: ready(running), "the scorer is ready")
            yield running
    finally:
        process.terminate()
        code = ended(process)
    assert code == 0


def scorer_process(host: Host) -> subprocess.Popen[bytes]:
    """A scorer that has just been started; it logs to scorer.log in the host's folder."""
    with (host.folder / "scorer.log").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "serve.app"],
            env={**os.environ, **host.environment},
            cwd=PROJECT,
            stderr=out,
            process_group=0,
        )


def ready(running: Running) -> bool:
    """Whether it is; an assertion with its log where it has ended."""
    assert running.process.poll() is None, (running.host.folder / "scorer.log").read_text()
    try:
        return running.http.get("/v2/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code; it is killed where it does not end in time."""
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
