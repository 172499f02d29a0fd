"""`make influxd`: what the script says where it has nothing to do, and where it cannot do it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from hotpath.local import influxd
from hotpath.settings import PROJECT

SCRIPT = PROJECT / "hotpath" / "local" / "influxd.sh"
SYSTEM = ("bash", "sh", "mkdir", "flock", "cat", "env", "rm", "tail")


def run(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT], capture_output=True, text=True, check=False, timeout=60, env=env)


def path_of(folder: Path, *programs: str) -> str:
    """A PATH with these programs of this machine and no other."""
    folder.mkdir()
    for name in programs:
        (folder / name).symlink_to(next(p for d in ("/usr/bin", "/bin") if (p := Path(d) / name).exists()))
    return str(folder)


def program(path: Path, says: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def test_the_script_builds_the_version_that_the_stack_looks_for() -> None:
    assert re.findall(r"^VERSION=(.+)$", SCRIPT.read_text(), re.MULTILINE) == [influxd.VERSION]


def test_what_is_built_already_is_named_and_found_by_the_stack() -> None:
    done = run(dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(influxd.found())


def test_one_of_version_2_on_path_is_taken(tmp_path: Path) -> None:
    program(tmp_path / "own" / "influxd", "InfluxDB v2.7.6 (git: x)")
    path = f"{tmp_path / 'own'}:{path_of(tmp_path / 'bin', *SYSTEM)}"
    done = run({"PATH": path, "HOTPATH_CACHE": str(tmp_path / "cache")})
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "own" / "influxd"))


def test_a_missing_tool_is_named_with_what_installs_it(tmp_path: Path) -> None:
    done = run({"PATH": path_of(tmp_path / "bin", *SYSTEM), "HOTPATH_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 1
    assert "missing: go cargo gcc" in done.stderr
    assert "apt-get install golang-go cargo gcc" in done.stderr


def test_a_build_that_fails_leaves_nothing_that_looks_like_one(tmp_path: Path) -> None:
    path = path_of(tmp_path / "bin", *SYSTEM, "chmod", "mv", "cut")
    for tool in ("cargo", "gcc"):
        program(tmp_path / "bin" / tool, "")
    (tmp_path / "bin" / "go").write_text("#!/bin/sh\necho 'no route to the proxy' >&2\nexit 1\n")
    (tmp_path / "bin" / "go").chmod(0o755)
    done = run({"PATH": path, "HOTPATH_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 1
    assert "no route to the proxy" in done.stderr
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == ["influxd-build.log", "influxd.lock"]


GO = """#!/bin/sh
# A go that builds at once: counts its builds, and leaves a program that says its version.
while [ $# -gt 0 ]; do
  if [ "$1" = "-o" ]; then
    echo built >> "$COUNT"
    printf "#!/bin/sh\\necho 'InfluxDB v2.7.11 (git: x)'\\n" > "$2"
    chmod 755 "$2"
  fi
  shift
done
"""


def test_of_two_builds_at_once_one_waits_and_takes_what_the_other_made(tmp_path: Path) -> None:
    path = path_of(tmp_path / "bin", *SYSTEM, "chmod", "mv", "cut")
    for tool in ("cargo", "gcc"):
        program(tmp_path / "bin" / tool, "")
    program(tmp_path / "bin" / "go", "")
    (tmp_path / "bin" / "go").write_text(GO)
    count = tmp_path / "count"
    env = {"PATH": path, "HOTPATH_CACHE": str(tmp_path / "cache"), "COUNT": str(count)}
    both = [subprocess.Popen([SCRIPT], env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said == [str(tmp_path / "cache" / f"influxd-{influxd.VERSION}" / "influxd")] * 2
    assert count.read_text().split() == ["built"]
