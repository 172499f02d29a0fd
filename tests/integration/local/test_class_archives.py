"""JVMs start from the archives that `make classes` has made."""

from __future__ import annotations

from pathlib import Path

from hotpath import spark
from hotpath.class_archives import archive, shared
from hotpath.local.processes import Processes
from tests.conftest import start_broker


def mapped(pid: int) -> set[str]:
    """Files that a process has in memory."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split()[-1] for line in lines}


def test_a_broker_starts_from_its_archive(tmp_path: Path, processes: Processes) -> None:
    start_broker("archived", tmp_path, processes)
    assert str(archive("kafka")) in mapped(processes.running["archived"].pid)
    processes.stop("archived")


def test_spark_starts_from_its_archive() -> None:
    session = spark.session("hotpath archive test", "local[1]", "512m")
    assert str(archive("spark")) in mapped(session.sparkContext._gateway.proc.pid)  # type: ignore[union-attr]
    session.stop()


def test_without_an_archive_nothing_is_asked_for() -> None:
    assert shared("of nothing") == ()
