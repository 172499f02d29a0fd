"""Fixtures that every folder of tests shares: real parts on loopback, started once and stopped at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from hotpath.clock import Clock, wait
from hotpath.local import one_broker, ports
from hotpath.local.ports import free_port
from hotpath.local.processes import Processes
from tests.order import Lines, rank

DEADLINE_S = 60.0

# Two busy cores: how long one example takes says nothing here, speed is `make bench`'s business.
# The same examples in every run, so that what passed here passes anywhere; `make conformance` draws others,
# and four times as many.
RANDOM = "HOTPATH_RANDOM" in os.environ
hypothesis.settings.register_profile(
    "hotpath", deadline=None, print_blob=True, derandomize=not RANDOM, max_examples=200 if RANDOM else 50
)
hypothesis.settings.load_profile("hotpath")


def pytest_configure(config: pytest.Config) -> None:
    """A worker and the processes that it starts draw ports that no other worker draws."""
    if worker := getattr(config, "workerinput", None):
        number, of = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        os.environ[ports.PART] = ports.part(number, of)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lines:
    """How `pytest -n` shares the tests out, whatever `--dist` says."""
    config.option.loadscopereorder = False  # it would put the files of most tests first
    return Lines(config, log)


def until(
    holds: Callable[[], bool],
    what: str,
    deadline_s: float = DEADLINE_S,
    seen: Callable[[], object] = lambda: "",
) -> None:
    """Wait for a condition; fail with its name, and what is `seen` instead, where it does not come true."""
    clock = Clock()
    end = clock.elapsed() + deadline_s
    while not holds():
        assert clock.elapsed() < end, f"not within {deadline_s:.0f} s: {what} {seen()}"
        wait(0.05)


@pytest.fixture(scope="session")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Processes that end with the test session, whatever happens."""
    started = Processes(tmp_path_factory.mktemp("logs"))
    yield started
    started.stop(*reversed(started.running))


def start_broker(name: str, folder: Path, processes: Processes) -> str:
    """A real Kafka broker; its bootstrap address."""
    return one_broker.start(name, folder, free_port(), processes)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> str:
    """Bootstrap address of one real broker for the whole test session."""
    return start_broker("kafka", tmp_path_factory.mktemp("kafka"), processes)
