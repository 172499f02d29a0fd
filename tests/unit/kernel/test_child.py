import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hotpath.child import Child, run
from hotpath.clock import Clock, wait
from hotpath.errors import Unavailable

CLOCK = Clock()
# A child with a child of its own, that says its pid and then never ends.
FAMILY = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    until = CLOCK.elapsed() + seconds
    while not holds() and CLOCK.elapsed() < until:
        wait(0.01)
    return holds()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_ends_well_says_nothing(tmp_path: Path) -> None:
    run("a child", python("print('done')"), tmp_path / "log", 60, CLOCK)
    assert (tmp_path / "log").read_text() == "done\n"


def test_a_child_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"exit code 1.*ValueError: no lake"):
        run("a child", python("raise ValueError('no lake')"), tmp_path / "log", 60, CLOCK)


def test_a_child_that_outlasts_its_deadline_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="still running"):
        run("a child", python("import time; time.sleep(600)"), tmp_path / "log", 0.2, CLOCK)


def test_the_childs_own_children_end_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Child(python(FAMILY), log) as child:
        assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    assert eventually(lambda: gone(child.pid) and gone(int(log.read_text())))


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = f"""
from pathlib import Path
import sys, time
from hotpath.child import Child
child = Child([sys.executable, "-c", "import time; time.sleep(600)"], Path({str(tmp_path / "inner")!r}))
print(child.pid, flush=True)
time.sleep(600)
"""
    with Child(python(parent), log) as child:
        assert eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        psutil.Process(child.pid).kill()
        assert eventually(lambda: gone(int(log.read_text())))
