"""What a SIGKILL costs a search: models that were finished or under way, and have to be grown again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pyarrow as pa

from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable
from hotpath.local.ports import free_port
from train.h2o_backend import columns, connected, imported
from train.h2o_grid import Data, Grid
from train.h2o_server import server
from train.handed import handed
from train.parameters import BY_NAME

ROWS, FEATURES = 20_000, 10
KILL_AFTER = 3
"""Models: the kill comes in the middle of the next one."""
MINUTES_S = 600.0
MARK = "killed"


def measure() -> list[Row]:
    """Models lost, one search a round."""
    return [row("search_resume", [float(lost(number)) for number in range(ROUNDS)], "lower", must=1)]


def lost(seed: int = 0) -> int:
    """One round: a search is killed while it grows a model, and taken up on another server. What has to be
    grown again: the models that it had finished and are not there, and the one that was under way.
    """
    with TemporaryDirectory() as place:
        folder = Path(place)
        files = handed(_rows(seed), folder / "rows")
        finished = _killed(folder, files)
        with server(folder / "second", free_port(), "1g", 2, Clock()) as address, connected(address, 60):
            return finished + 1 - Grid(BY_NAME["gbm"], folder / "grid", MARK).begin(_data(files), MINUTES_S)


def _killed(folder: Path, files: list[Path]) -> int:
    """Models that a search had finished when its server was killed."""
    grid, found, killed = Grid(BY_NAME["gbm"], folder / "grid", MARK), 0, False
    try:
        with server(folder / "first", free_port(), "1g", 2, Clock()) as address, connected(address, 60):
            grid.begin(_data(files), MINUTES_S)
            while found < KILL_AFTER:
                wait(0.2)
                found = grid.look().models
            killed = True
            os.kill(_pid(folder / "first"), signal.SIGKILL)
            wait(MINUTES_S)
    except Unavailable:
        if not killed:
            raise
    return found


def _data(files: list[Path]) -> Data:
    types = {f"f{n}": "real" for n in range(FEATURES)}
    of = columns(files, types, "binary")
    return Data(imported(of, files, "learn"), imported(of, files, "valid"), list(types), weighted=False)


def _rows(seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(ROWS, FEATURES))
    label = (x[:, 0] + x[:, 1] ** 2 + draw.normal(size=ROWS) > 1).astype(int)
    return pa.table({**{f"feature.f{n}": x[:, n] for n in range(FEATURES)}, "label": label.astype(str)})


def _pid(folder: Path) -> int:
    lines = [(p.pid, p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    return next(pid for pid, line in lines if line[:1] == ["java"] and str(folder) in " ".join(line))
