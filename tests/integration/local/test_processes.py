"""Nothing is left behind, however a part or the supervisor itself ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hotpath.errors import Unavailable
from hotpath.local.processes import Processes
from hotpath.local.stack import Part
from hotpath.local.supervisor import PAUSES_S, Supervisor
from tests.conftest import until

FOREVER = "import threading; threading.Event().wait()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open('deaf', 'w'); {FOREVER}"
ORPHAN = f"""
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {FOREVER!r}], start_new_session=True)
open("orphan", "w").write(str(child.pid))
"""
SUPERVISOR = f"""
import sys
from pathlib import Path
from hotpath.local.processes import Processes
started = Processes(Path("logs")).start("part", [sys.executable, "-c", {FOREVER!r}])
Path("part").write_text(str(started.pid))
{FOREVER}
"""


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Processes:
    monkeypatch.chdir(tmp_path)
    return Processes(tmp_path / "logs")


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_part_that_is_asked_to_end_ends(processes: Processes) -> None:
    part = processes.start("part", [sys.executable, "-c", FOREVER])
    processes.stop("part")
    assert part.code() == -signal.SIGTERM
    assert not processes.running


def test_a_part_that_does_not_listen_is_killed(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotpath.local.processes.GRACE_S", 0.3)
    part = processes.start("deaf", [sys.executable, "-c", DEAF])
    until(Path("deaf").exists, "the part is deaf")
    processes.stop("deaf")
    assert part.code() == -signal.SIGKILL


def test_what_a_part_left_in_another_session_is_found_and_killed(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from hotpath.clock import wait
from hotpath.local.processes import Processes
processes = Processes(Path("logs"))
processes.adopt()
part = processes.start("part", [sys.executable, "-c", {ORPHAN!r}])
while part.code() is None: wait(0.01)
processes.stop_all([])
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=60)
    orphan = int((tmp_path / "orphan").read_text())
    assert gone(orphan)


def test_who_adopted_nobody_ends_only_what_it_started(processes: Processes, tmp_path: Path) -> None:
    somebody_elses = processes.start("part", [sys.executable, "-c", FOREVER])
    mine = Processes(tmp_path / "logs")
    started = mine.start("mine", [sys.executable, "-c", FOREVER])
    mine.stop_all([])
    assert started.code() is not None
    assert somebody_elses.code() is None
    processes.stop("part")


def test_a_part_ends_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], cwd=tmp_path)
    until(lambda: (tmp_path / "part").exists() and bool((tmp_path / "part").read_text()), "the part runs")
    part = int((tmp_path / "part").read_text())
    supervisor.kill()
    supervisor.wait()
    until(lambda: gone(part), "the part has ended too")


def test_a_missing_program_is_named(processes: Processes) -> None:
    with pytest.raises(Unavailable, match=r"no-such-program.*on PATH"):
        processes.start("part", ["no-such-program"])


def test_a_part_that_keeps_ending_is_started_again_three_times_and_then_named_with_its_log(
    processes: Processes,
) -> None:
    told: list[str] = []
    now = 0.0
    part = Part("frail", 0, (sys.executable, "-c", "import sys; sys.exit(7)"))
    supervisor = Supervisor({"frail": part}, processes, told.append, lambda: now)
    supervisor.start("frail")
    for number, pause in enumerate(PAUSES_S, 1):
        until(lambda: bool(processes.ended()), "it has ended")
        supervisor.look()
        assert supervisor.restarts["frail"] == (number if pause == 0 else number - 1)
        now += pause
        supervisor.look()
        assert supervisor.restarts["frail"] == number
    until(lambda: bool(processes.ended()), "it has ended once more")
    with pytest.raises(Unavailable, match=r"frail: found 'exit code 7'.*frail\.log"):
        supervisor.look()
    assert len(told) == len(PAUSES_S)
    assert all("ended with code 7" in line and "frail.log" in line for line in told)


def test_a_part_runs_at_its_priority_in_the_supervisors_session(processes: Processes) -> None:
    part = processes.start("part", [sys.executable, "-c", FOREVER], nice=10)
    found = psutil.Process(part.pid)
    until(lambda: found.nice() == psutil.Process().nice() + 10, "it has its priority")
    assert os.getsid(part.pid) == os.getsid(0)
    processes.stop("part")
