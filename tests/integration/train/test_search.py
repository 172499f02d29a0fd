"""A search on the real H2O: what it finds and keeps, and that a kill costs it no more than one model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hotpath import settings
from hotpath.contract.parts import Kind
from hotpath.local.ports import free_port
from tests.conftest import until
from tests.integration.train.made import NOW, contract, window
from train import search, stages
from train.folder import Folder
from train.parameters import BY_NAME, Chosen
from train.search_folder import SearchFolder

SEARCH = "{every: 24h, budget: 6s, algorithms: [gbm, glm]}"


@pytest.fixture
def h2o(monkeypatch: pytest.MonkeyPatch) -> settings.H2O:
    """Settings of this process and of its children."""
    monkeypatch.setenv("HOTPATH__H2O__PORT", str(free_port()))
    return settings.load().h2o


def servers(folder: Path) -> list[int]:
    """Process ids of H2O servers that work in a folder."""
    found = psutil.process_iter(["cmdline", "pid"])
    lines = [(p.info["pid"], p.info["cmdline"] or []) for p in found]
    return [pid for pid, line in lines if line[:1] == ["java"] and str(folder) in " ".join(line)]


@pytest.fixture
def child(h2o: settings.H2O, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A search in a process of its own, over when the test is."""
    assert h2o.url is None
    window(tmp_path / "run", "binary", "{every: 24h, budget: 90s, algorithms: [gbm]}", rows=4_000)
    process = start(tmp_path)
    yield process
    process.kill()
    process.wait()


def start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as out:
        return subprocess.Popen([sys.executable, "-m", "train.search", str(folder / "run")], stderr=out)


def models(folder: Path) -> int:
    """Models that a search says it has grown."""
    return stages.read(folder / "run" / "stages.json").done or 0


@pytest.mark.parametrize("kind", ["binary", "classes", "number"])
def test_a_search_holds_every_algorithm_against_the_incumbent_and_keeps_the_evidence(
    kind: Kind, h2o: settings.H2O, tmp_path: Path
) -> None:
    folder = window(tmp_path / "run", kind, SEARCH)
    found = search.search(folder, h2o)
    assert Chosen.from_bytes(folder.searched.read_bytes()).plain() == json.loads(json.dumps(found.plain()))
    assert (found.at, found.fingerprint) == (NOW, contract(kind, SEARCH).fingerprint)
    assert set(found.parameters) <= BY_NAME[found.algorithm].names
    told = found.evidence
    assert told["lost"] == []
    assert told["rows"] == [1_201, 200, 200, 199]
    tried = told["tried"]
    assert isinstance(tried, dict)
    assert set(tried) == {"gbm", "glm"}
    assert min(tried.values()) >= 1
    candidates = told["candidates"]
    assert isinstance(candidates, list)
    assert {one["algorithm"] for one in candidates} == {"gbm", "glm"}
    assert candidates[0]["name"] == "incumbent"
    assert all(len(one["slices"]) == 3 and 0 < one["us"] < 1_000 for one in candidates)
    assert not SearchFolder.beside(folder).path.exists()
    assert servers(tmp_path) == []


def test_a_killed_server_is_replaced_and_no_finished_model_is_lost(
    child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    until(lambda: models(tmp_path) >= 2, "models are grown", 120)
    (pid,) = servers(tmp_path)
    before = models(tmp_path)
    os.kill(pid, signal.SIGKILL)
    until(lambda: servers(tmp_path) not in ([], [pid]), "another server starts")
    until(lambda: models(tmp_path) > before, "it goes on", 120)
    (tmp_path / "run.search" / "spent.json").write_text(json.dumps({"seconds": {"gbm": 90.0}, "through": []}))
    assert child.poll() is None
    assert "killed by SIGKILL" in (tmp_path / "log").read_text()


def test_a_killed_search_is_taken_up_by_the_next_one_whatever_the_window_is_then(
    child: subprocess.Popen[bytes], h2o: settings.H2O, tmp_path: Path
) -> None:
    until(lambda: models(tmp_path) >= 2, "models are grown", 120)
    before = models(tmp_path)
    child.kill()
    child.wait()
    until(lambda: servers(tmp_path) == [], "its server ends with it")
    place = tmp_path / "run.search"
    (place / "spent.json").write_text(json.dumps({"seconds": {"gbm": 88.0}, "through": []}))
    folder = window(tmp_path / "run", "binary", "{every: 24h, budget: 90s, algorithms: [gbm]}", rows=1_000)
    found = search.search(folder, h2o)
    resumed, rows = found.evidence["resumed"], found.evidence["rows"]
    assert isinstance(resumed, dict)
    assert resumed["gbm"] >= before
    assert isinstance(rows, list)
    assert sum(rows) == 3_600
    assert not place.exists()


def test_what_is_left_of_another_contracts_search_is_not_taken_up(tmp_path: Path) -> None:
    folder = window(tmp_path / "run", "binary", SEARCH)
    place = SearchFolder.beside(folder)
    place.begin(folder, "of another", NOW, (1, 2, 3))
    assert place.begun("of another", NOW - 1) is not None
    assert place.begun("of another", NOW) is None
    assert place.begun(contract("binary", SEARCH).fingerprint, NOW - 1) is None
    assert SearchFolder.beside(Folder(tmp_path / "other")).begun("of another", NOW - 1) is None
