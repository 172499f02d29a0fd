"""The embedded InfluxDB: where its program is, and how it is run. `hotpath/local/influxd.sh` builds one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from hotpath.settings import Settings

VERSION = "2.7.11"
"""As in influxd.sh."""
ANSWER_S = 30.0


def found() -> Path | None:
    """An influxd of version 2: the one on PATH, else the one that `make influxd` built; None without one."""
    on_path = shutil.which("influxd")
    candidates = [Path(on_path)] if on_path else []
    return next((path for path in (*candidates, cached()) if _is_v2(path)), None)


def cached() -> Path:
    """Where `make influxd` puts what it builds."""
    own = os.environ.get("HOTPATH_CACHE")
    shared = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hotpath"
    return (Path(own) if own else shared) / f"influxd-{VERSION}" / "influxd"


def folder(settings: Settings) -> Path:
    """Its data, beside the cloud's other data."""
    return settings.data / "cloud" / "influxdb"


def command(settings: Settings, influxd: Path) -> list[str]:
    """Runs it in the foreground, on loopback, saying nothing to anybody else."""
    data = folder(settings)
    options = {
        "bolt-path": data / "influxd.bolt",
        "engine-path": data / "engine",
        "sqlite-path": data / "influxd.sqlite",
        "http-bind-address": f"127.0.0.1:{settings.influxdb.port}",
        "log-level": "warn",
    }
    flags = ["--reporting-disabled", "--pprof-disabled", "--hardening-enabled"]
    return [str(influxd), *(f"--{name}={value}" for name, value in options.items()), *flags]


def _is_v2(program: Path) -> bool:
    """Debian's influxd is of version 1, which has no buckets and no tokens."""
    try:
        said = subprocess.run(
            [program, "version"], capture_output=True, text=True, check=False, timeout=ANSWER_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.stdout.startswith("InfluxDB v2.")
