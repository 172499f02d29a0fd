"""The process that tells tiles, on a log in memory: contracts come and go, a bad lake hinders no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hotpath.clock import SECOND, Clock
from hotpath.contract.model import Contract
from hotpath.deployed import Deployed
from hotpath.errors import BadInput
from hotpath.handoffs import MARKS, TILES, Mark
from hotpath.kafka import MemoryLog
from hotpath.lake import Lake
from hotpath.settings import load
from tests.contract.samples import CONTRACT
from tests.unit.transform.tiled_lake import AGGREGATES, START, event, land
from transform.tiles_job import Tiling

AGO = -100_000_000
"""Seconds after START: no mark of then is ahead of any machine's clock."""


def pipeline(name: str, digits: int = 1) -> Contract:
    text = CONTRACT.replace("features:\n", AGGREGATES).replace("digits: 1", f"digits: {digits}")
    text = text.replace("name: small", f"name: {name}").replace("topic: small.", f"topic: {name}.")
    return Contract.from_yaml(text, "small.yaml")


@dataclass
class Ends:
    """A cluster whose topics hold nothing."""

    asked: list[str] = field(default_factory=list)

    def committed_ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        self.asked = sorted(topics)
        return {}


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiling:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path))
    return Tiling(load(), MemoryLog(), Ends(), Clock(), Event())


def mark(job: Tiling, seconds: int) -> None:
    job.turn()
    job.log.send(MARKS, Mark("onprem", seconds, START + seconds * SECOND).to_bytes())
    job.log.send(MARKS, b"no mark")
    job.turn()


def told(job: Tiling) -> set[str]:
    """Layouts and keys that have a value on the topic."""
    assert isinstance(job.log, MemoryLog)
    found = {e.key: e.value for e in job.log.entries if e.topic == TILES}
    return {(key or b"").decode() for key, value in found.items() if value is not None}


def test_a_lake_that_does_not_read_hinders_no_other(job: Tiling) -> None:
    good, bad = pipeline("good"), pipeline("bad")
    for contract in (good, bad):
        Deployed(job.settings.deployed()).put(contract)
        land(Lake(job.settings.lake_root(), contract.name), contract, [event("ann", AGO + 1)])
    (path,) = Lake(job.settings.lake_root(), "bad").paths("events")
    path.write_bytes(b"")
    mark(job, AGO + 40)
    own = [layout for layout in good.layouts if layout.aggregate.over == "events"]
    assert {layout.key("ann") for layout in own} <= told(job)
    assert isinstance(job.admin, Ends)
    assert job.admin.asked == ["bad.answered", "bad.asked", "good.answered", "good.asked"]
    path.unlink()


class SmallLog(MemoryLog):
    """Takes no value of the pipeline `bad`, as a broker refuses one that is too large."""

    def send(
        self, topic: str, value: bytes | None, key: bytes | None = None, *more: Any, **named: Any
    ) -> bool:
        if topic == TILES and value is not None and (key or b"").startswith(b"bad/"):
            raise BadInput("message", f"{len(value)} bytes", "at most 1 MB")
        return super().send(topic, value, key, *more, **named)


def test_a_value_that_the_log_refuses_hinders_no_other(job: Tiling) -> None:
    job.log = SmallLog()
    good, bad = pipeline("good"), pipeline("bad")
    for contract in (bad, good):
        Deployed(job.settings.deployed()).put(contract)
        land(Lake(job.settings.lake_root(), contract.name), contract, [event("ann", AGO + 1)])
    mark(job, AGO + 40)
    assert {layout.id for layout in good.layouts} <= told(job)
    assert not {layout.id for layout in bad.layouts} & told(job)


def test_a_deployment_is_followed_without_a_restart(job: Tiling) -> None:
    older, newer = pipeline("small"), pipeline("small", 2)
    deployed = Deployed(job.settings.deployed())
    deployed.put(older)
    mark(job, AGO + 40)
    deployed.put(newer)
    mark(job, AGO + 50)
    assert set(job.told()) == {layout.id for contract in (older, newer) for layout in contract.layouts}
    again = Tiling(job.settings, job.log, Ends(), Clock(), Event())
    again.turn()
    assert again.told() == job.told(), "a restart remembers both"


def test_a_mark_ahead_of_our_own_clock_is_our_clocks_present(job: Tiling) -> None:
    Deployed(job.settings.deployed()).put(pipeline("small"))
    mark(job, 10**9)
    assert all(at <= Clock().now() for at in job.told().values())
    assert job.told()


def test_what_stands_of_a_layout_that_no_contract_has_is_removed(job: Tiling) -> None:
    Deployed(job.settings.deployed()).put(pipeline("small"))
    job.log.send(TILES, b"x", b"gone/old@0123456789ab/ann")
    job.turn()
    assert told(job) == set()
