"""A search on the real H2O: what it finds and keeps, and that a kill costs it no more than one model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import h2o as client
import psutil
import pytest
from pydantic import SecretStr

from hotpath import settings
from hotpath.clock import Clock
from hotpath.contract.parts import Kind
from hotpath.errors import Unavailable
from hotpath.local.ports import free_port
from tests.conftest import until
from tests.integration.train.made import NOW, contract, window
from train import search, stages
from train.folder import Folder
from train.h2o_backend import RUNNING, connected, held
from train.h2o_server import Address, server
from train.parameters import BY_NAME, Chosen
from train.search_folder import SearchFolder

SEARCH = "{every: 24h, budget: 6s, algorithms: [gbm, glm]}"
GBM = "{every: 24h, budget: 90s, algorithms: [gbm]}"
SHORT = "{every: 24h, budget: 4s, algorithms: [gbm]}"
BOTH = "{every: 24h, budget: 16s, algorithms: [gbm, glm]}"
NOTHING: Mapping[str, str] = MappingProxyType({})


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


def start(folder: Path, env: Mapping[str, str] = NOTHING) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "train.search", str(folder / "run")]
    with (folder / "log").open("ab") as out:
        return subprocess.Popen(command, stderr=out, env={**os.environ, **env})


def doing(folder: Path) -> str:
    """The stage that a search says it is at."""
    return stages.read(folder / "run" / "stages.json").doing


def left(address: Address) -> list[str]:
    """What there is in a cluster: jobs that run, grids, models, frames."""
    with connected(address, 60):
        jobs = [job["key"]["name"] for job in client.api("GET /3/Jobs")["jobs"] if job["status"] in RUNNING]
        return [*jobs, *held()]


def models(folder: Path) -> int:
    """Models that a search says it has grown."""
    return stages.read(folder / "run" / "stages.json").done or 0


def named(found: list[str]) -> set[str]:
    """Without jobs and what H2O itself has for a moment while it grows a model."""
    return {name for name in found if name[0] not in "$_"}


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
    assert servers(tmp_path) == []
    assert SearchFolder.beside(folder).path.exists(), "the trainer has still to keep what was found"


def test_a_killed_server_is_replaced_and_no_finished_model_is_lost(
    child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    until(lambda: models(tmp_path) >= 2, "models are grown", 120)
    (pid,) = servers(tmp_path)
    before = models(tmp_path)
    os.kill(pid, signal.SIGKILL)
    until(lambda: servers(tmp_path) not in ([], [pid]), "another server starts")
    until(lambda: models(tmp_path) > before, "it goes on", 120)
    assert (stages.read(tmp_path / "run" / "stages.json").best).startswith("log_loss 0.")
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
    (place / "spent.json").write_text(json.dumps({"seconds": {"gbm": 88.0}}))
    folder = window(tmp_path / "run", "binary", "{every: 24h, budget: 90s, algorithms: [gbm]}", rows=1_000)
    found = search.search(folder, h2o)
    resumed, rows = found.evidence["resumed"], found.evidence["rows"]
    assert isinstance(resumed, dict)
    assert resumed["gbm"] >= before
    assert isinstance(rows, list)
    assert sum(rows) == 3_600


def test_a_kill_during_the_second_algorithm_costs_nothing_of_the_first(
    h2o: settings.H2O, tmp_path: Path
) -> None:
    # life 1: gbm is through, its results on disk | glm ... killed;  life 2: gbm as it was | glm;  then the
    # trainer is killed before it has kept what was found, and the next run's search asks for neither again
    assert h2o.url is None
    folder = window(tmp_path / "run", "binary", BOTH)
    place = SearchFolder.beside(folder)
    process = start(tmp_path)
    try:
        until(lambda: doing(tmp_path) == "glm", "the second algorithm is under way", 150)
        first = place.through("gbm")
        assert first is not None
        assert place.through("glm") is None
        (pid,) = servers(tmp_path)
        os.kill(pid, signal.SIGKILL)
        until(lambda: process.poll() is not None, "the search ends", 150)
    finally:
        process.kill()
        process.wait()
    told = Chosen.from_bytes(folder.searched.read_bytes()).evidence
    assert len(told["lost"]) == 1  # type: ignore[arg-type]
    assert told["tried"]["gbm"] == told["resumed"]["gbm"] == first.tried >= 1  # type: ignore[index]
    assert told["tried"]["glm"] >= 3  # type: ignore[index]
    names = [one["name"] for one in told["candidates"]]  # type: ignore[attr-defined]
    assert names[:2] == ["incumbent", "gbm 1"]
    assert names[-3:] == ["glm 1", "glm 2", "glm 3"]
    again = search.search(window(tmp_path / "run", "binary", BOTH, rows=1_000), h2o).evidence
    assert again["tried"] == again["resumed"] == told["tried"]
    assert again["rows"] == told["rows"]
    figures = [[one["slices"] for one in found["candidates"]] for found in (told, again)]  # type: ignore[attr-defined]
    assert figures[0] == figures[1]


def test_searches_in_an_operators_cluster_do_not_see_each_other_and_leave_nothing(
    h2o: settings.H2O, tmp_path: Path
) -> None:
    with server(tmp_path / "operator", h2o.port, "1g", 2, Clock()) as address:
        assert address.login is not None
        user, password = address.login
        theirs = h2o.model_copy(update={"url": address.url, "user": user, "password": SecretStr(password)})
        window(tmp_path / "long" / "run", "binary", GBM)
        env = {"URL": address.url, "USER": user, "PASSWORD": password}
        process = start(tmp_path / "long", {f"HOTPATH__H2O__{name}": value for name, value in env.items()})
        try:
            until(lambda: models(tmp_path / "long") >= 1, "models are grown", 120)
            others = named(left(address))
            folder = window(tmp_path / "short" / "run", "number", SHORT, rows=3_000)
            evidence = search.search(folder, theirs).evidence
            assert (evidence["resumed"], evidence["skipped"]) == ({"gbm": 0}, {})
            assert sum(evidence["rows"]) == 2_700  # type: ignore[call-overload]
            still = named(left(address))
            assert others <= still
            mark = SearchFolder.beside(Folder(tmp_path / "long" / "run")).begun(
                contract("binary", GBM).fingerprint, NOW - 1
            )
            assert mark is not None
            assert [name for name in still if mark.mark not in name] == []
            process.terminate()  # as the trainer does at its deadline
            process.wait(30)
            assert left(address) == []
        finally:
            process.kill()
            process.wait()
        assert password not in (tmp_path / "long" / "log").read_text()
        with pytest.raises(Unavailable, match="H2O") as caught:
            search.search(folder, theirs.model_copy(update={"password": SecretStr("guess")}))
        assert password not in str(caught.value)


def test_what_is_left_of_another_contracts_search_is_not_taken_up(tmp_path: Path) -> None:
    folder = window(tmp_path / "run", "binary", SEARCH)
    place = SearchFolder.beside(folder)
    place.begin(folder, "of another", NOW, (1, 2, 3))
    assert place.begun("of another", NOW - 1) is not None
    assert place.begun("of another", NOW) is None
    assert place.begun(contract("binary", SEARCH).fingerprint, NOW - 1) is None
    assert SearchFolder.beside(Folder(tmp_path / "other")).begun("of another", NOW - 1) is None
