"""How quickly a window reaches H2O, and what the other way would cost.

h2o_import   rows a second that H2O takes of a window's Parquet files as Spark writes them, over 54,000:
             1,000,000 rows of twenty features (the files of 200,000, five times), a new server a round

Half of what a new server takes for 200,000 rows is its own warming up: that rate is printed as `cold`.
Printed too, not rows: seconds and peak memory (of H2O's client, of H2O) of 200,000 rows that go by Parquet
files, and of the same rows given to H2O's client as a pandas frame, which sends them as text. It is why a
window goes by files whatever its size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import h2o
import psutil
import pyarrow as pa

from benchmarks.models import START, WINDOW, contract, land
from benchmarks.table import ROUNDS, Row, row
from hotpath.clock import Clock
from hotpath.lake import Lake
from hotpath.local.ports import free_port
from train.clocks import Clocks
from train.folder import Folder
from train.h2o_backend import columns, connected, imported
from train.h2o_server import THREADS, server
from train.handed import handed, read, types

IMPORTED = 54_000
"""Rows a second: what 40 GB an hour come to, at 205 bytes a row."""
TIMES = 5
MEMORY, CALL_S, CHILD_S = "3g", 120.0, 300.0


@dataclass(frozen=True)
class Spent:
    """One window handed to a new H2O: seconds, rows, peak memory in MB of the client and of H2O."""

    seconds: float
    rows: int
    client_mb: float
    h2o_mb: float


def h2o_import(rounds: int = ROUNDS) -> Sequence[Row]:
    """Also prints what both ways cost."""
    with tempfile.TemporaryDirectory(prefix="hotpath-handing-") as name:
        folder = _window(Path(name))
        _repeated(folder)
        found = [_child("again", folder) for _ in range(rounds)]
        for way in ("cold", "parquet", "direct"):
            spent = [_child(way, folder) for _ in range(rounds)]
            said = {key: round(median(getattr(s, key) for s in spent), 2) for key in asdict(spent[0])}
            rate = said["rows"] / said["seconds"] / IMPORTED
            print(f"{way}: {said}, {rate:.2f} of {IMPORTED} rows/s", flush=True)
    return [row("h2o_import", [s.rows / s.seconds / IMPORTED for s in found], "higher", must=2)]


def _window(base: Path) -> Folder:
    """A window of `benchmarks.models`, built by Spark."""
    made = contract()
    land(Lake(base / "cloud" / "lake", made.name), made)
    folder = Folder(base / "run").begun(made.canonical())
    folder.hosts.write_bytes(Clocks.standing([], made.name, 0).to_bytes())
    command = (sys.executable, "-m", "train.build", str(folder.path), str(START + WINDOW))
    subprocess.run(command, env={**os.environ, "HOTPATH__DATA": str(base)}, check=True, timeout=CHILD_S)
    return folder


def _again(folder: Folder) -> Path:
    return folder.path / "again"


def _repeated(folder: Folder) -> None:
    _again(folder).mkdir()
    for number in range(TIMES):
        for file in folder.files("train"):
            os.link(file, _again(folder) / f"{number}-{file.name}")


def _child(way: str, folder: Folder) -> Spent:
    command = (sys.executable, "-m", "benchmarks.handing", way, str(folder.path))
    done = subprocess.run(command, check=True, timeout=CHILD_S, stdout=subprocess.PIPE)
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def main(argv: Sequence[str]) -> int:
    """One way in a process of its own: `python -m benchmarks.handing WAY FOLDER`."""
    way, folder = argv[0], Folder(Path(argv[1]))
    made, clock = contract(), Clock()
    files = sorted(_again(folder).iterdir()) if way == "again" else folder.files("train")
    told = columns(files, types(made.features), made.labels.kind)
    with (
        server(folder.path / "h2o", free_port(), MEMORY, THREADS, clock) as address,
        connected(address, CALL_S),
    ):
        table = None if way in ("again", "cold") else read(files)
        began = clock.elapsed()
        frame = imported(told, files) if table is None else _given(way, table, told, folder)
        spent = clock.elapsed() - began
        print(json.dumps(asdict(Spent(spent, frame.nrows, _peak(psutil.Process()), _peak(_java())))))
    return 0


def _given(way: str, table: pa.Table, told: Mapping[str, str], folder: Folder) -> Any:
    """Rows that are in memory, as a frame of H2O's."""
    if way == "parquet":
        return imported(told, handed(table, folder.path / "handed"))
    named = table.rename_columns(list(told))
    return h2o.H2OFrame(named.to_pandas(), column_types=dict(told))


def _java() -> psutil.Process:
    return next(p for p in psutil.Process().children(recursive=True) if p.name() == "java")


def _peak(process: psutil.Process) -> float:
    """The most that a process has held, in MB (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
