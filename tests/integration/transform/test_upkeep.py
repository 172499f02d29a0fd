"""The upkeep as the process that it is: a lake is compacted, what is superseded goes, and SIGTERM ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from hotpath.deployed import Deployed
from hotpath.lake import Lake
from hotpath.local.ports import free_port
from tests.conftest import until
from tests.contract.samples import small
from tests.unit.kernel.lakes import EVENT, land

CONTRACT = small()
START_S = 60.0


def test_a_lake_is_compacted_without_a_broker_and_the_part_ends_when_it_is_told_to(tmp_path: Path) -> None:
    Deployed(tmp_path / "deployed").put(CONTRACT)
    lake = Lake(tmp_path / "cloud" / "lake", "small")
    for number in range(4):
        land(lake, CONTRACT, number, [{**EVENT, "id": str(number)}], [], [])
    env = {
        "HOTPATH__DATA": str(tmp_path),
        "HOTPATH__KAFKA__CLOUD__PORT": str(free_port()),
        "HOTPATH__LAKE__KEEP_SUPERSEDED_S": "0",
    }
    part = subprocess.Popen([sys.executable, "-m", "transform.upkeep"], env={**os.environ, **env})
    try:
        until(lambda: [m.name.span for m in lake.manifests()] == ["0-2", "3"], "a range", START_S)
        until(lambda: not lake.superseded(), "what it superseded is gone", START_S)
    finally:
        part.send_signal(signal.SIGTERM)
    assert part.wait(10) == 0
    assert lake.read("events")["id"].to_pylist() == ["0", "1", "2", "3"]
