"""A real InfluxDB, as `make influxd` makes it available: never skipped, never replaced by a fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotpath.local.processes import Processes
from tests.integration.monitoring.influxes import Server, settings_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, processes: Processes) -> Iterator[Server]:
    """A running influxd, set up."""
    found = Server(settings_in(tmp_path_factory.mktemp("influx")), processes)
    found.start()
    found.set_up()
    yield found
    processes.stop(found.name)


@pytest.fixture
def bare(tmp_path: Path, processes: Processes) -> Iterator[Server]:
    """An influxd that nobody has set up."""
    found = Server(settings_in(tmp_path / "run"), processes)
    found.start()
    yield found
    processes.stop(found.name)
