"""An H2O server of a run's own: who may ask it, and what is said when it is killed, hangs or has no room."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h2o as client
import httpx
import psutil
import pyarrow as pa
import pytest

from hotpath.clock import Clock
from hotpath.errors import Unavailable
from hotpath.local.ports import free_port
from tests.conftest import until
from tests.integration.train.made import FEATURES, window
from train.h2o_backend import columns, connected, grow, imported
from train.h2o_server import Address, server
from train.handed import handed
from train.parameters import Chosen


@contextmanager
def started(folder: Path, memory: str = "512m") -> Iterator[tuple[Address, psutil.Process]]:
    with server(folder / "h2o", free_port(), memory, 2, Clock()) as address:
        processes = psutil.process_iter(["cmdline"])
        yield (
            address,
            next(
                p
                for p in processes
                if (p.info["cmdline"] or [""])[0] == "java" and str(folder) in " ".join(p.cmdline())
            ),
        )


def test_it_listens_on_loopback_alone_asks_for_its_login_and_ends_with_the_block(tmp_path: Path) -> None:
    with started(tmp_path) as (address, process):
        assert {c.laddr.ip.removeprefix("::ffff:") for c in process.net_connections("tcp")} == {"127.0.0.1"}
        about = f"{address.url}/3/About"
        assert httpx.get(about).status_code == 401
        assert httpx.get(about, auth=("hotpath", "guess")).status_code == 401
        assert address.login is not None
        assert httpx.get(about, auth=address.login).status_code == 200
        assert address.login[1] not in repr(address)
        assert address.login[1] not in " ".join(process.cmdline())
        denied = httpx.get(f"{address.url}/3/ImportFiles", params={"path": "/etc/passwd"}, auth=address.login)
        assert not denied.json().get("files")
    assert not process.is_running()


def test_a_server_that_is_killed_ends_what_waits_for_it_at_once(tmp_path: Path) -> None:
    folder, clock = window(tmp_path / "run", "binary"), Clock()

    def grow_for_ever() -> None:
        with started(tmp_path) as (address, process), connected(address, 60):
            files = folder.files("train")
            train = imported(columns(files, FEATURES, "binary"), files)
            threading.Timer(2, process.kill).start()
            grow(Chosen("gbm", {"ntrees": 100_000}), train, list(FEATURES), weighted=False)

    began = clock.elapsed()
    with pytest.raises(Unavailable, match="H2O: found 'killed by SIGKILL'"):
        grow_for_ever()
    assert clock.elapsed() - began < 90, "the client would have asked for that long"


def test_a_call_to_a_server_that_hangs_ends_at_its_deadline(tmp_path: Path) -> None:
    def ask() -> None:
        with started(tmp_path) as (address, process), connected(address, 1):
            os.kill(process.pid, signal.SIGSTOP)
            until(lambda: process.status() == psutil.STATUS_STOPPED, "it hangs")
            client.api("GET /3/About")

    with pytest.raises(Unavailable, match=r"Timeout after 1\.\d+s"):
        ask()


def test_a_server_without_room_says_so_and_ends(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows = pa.table({f"feature.n{n}": [draw.random() for _ in range(200_000)] for n in range(20)})
    files = handed(rows, tmp_path / "rows")
    with (
        pytest.raises(Unavailable, match=r"a window that fits 72m; raise h2o\.memory"),
        started(tmp_path, "72m") as (address, _),
        connected(address, 60),
    ):
        imported({f"n{n}": "real" for n in range(20)}, files)
