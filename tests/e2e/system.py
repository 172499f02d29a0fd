"""A demonstration in a folder of its own, on ports of its own, as tests and faults drive it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hotpath.lake import Lake
from hotpath.local.ports import free_port
from hotpath.settings import PROJECT, Settings
from hotpath.settings import load as load_settings

DEPLOYED_S = 480.0
PORTS = (
    "KAFKA__ONPREM__PORT",
    "KAFKA__CLOUD__PORT",
    "MIRROR__PORT",
    "H2O__PORT",
    "SERVE__PORT",
    "INFLUXDB__PORT",
    "CONSOLE__PORT",
    "REDIS__PORT",
)
HOTPATH = str(PROJECT / ".venv" / "bin" / "hotpath")


@dataclass
class System:
    """A demonstration in a folder of its own, on ports of its own."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    demo: subprocess.Popen[bytes] | None = None
    before: dict[str, int] = field(default_factory=dict)
    """`untouched` as it was before anything was deployed,"""
    history: int = 0
    """and how many events had landed then."""
    deploying: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in PORTS:
            self.ports[name] = free_port()
        shutil.copytree(PROJECT / "config" / "pipelines", self.pipelines)
        # A model every two real minutes, twice, would be most of what two cores do.
        self.edit("flights", r"retrain_every: \w+", "retrain_every: 12h")
        self.edit("payments", r"retrain_every: \w+", "retrain_every: 12h")

    @property
    def data(self) -> Path:
        return self.folder / "run"

    @property
    def pipelines(self) -> Path:
        """Contracts of its own: one is edited."""
        return self.folder / "pipelines"

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    @property
    def told(self) -> str:
        return (self.folder / "told").read_text()

    @property
    def env(self) -> dict[str, str]:
        ports = {f"HOTPATH__{name}": str(port) for name, port in self.ports.items()}
        folders = {"HOTPATH__DATA": str(self.data), "HOTPATH__PIPELINES": str(self.pipelines)}
        return {**os.environ, **ports, **folders}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['SERVE__PORT']}"

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a contract; `old` is a pattern that it holds once."""
        file = self.pipelines / f"{name}.yaml"
        text, count = re.subn(old, new, file.read_text())
        assert count == 1, (name, old, count)
        file.write_text(text)

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "told").open("ab") as told:
            command = [HOTPATH, "demo", "--report", str(self.report)]
            self.demo = subprocess.Popen(command, env=self.env, stdout=told, stderr=told, cwd=PROJECT)
        return self.demo

    def ready(self) -> bool:
        assert self.demo is not None
        assert self.demo.poll() is None, self.told[-3000:]
        try:
            return httpx.get(f"{self.url}/v2/health/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.env, cwd=PROJECT, text=True, capture_output=True, timeout=120, check=check
        )

    def settings(self) -> Settings:
        """As its parts see them."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.env.items():
                patch.setenv(name, value)
            return load_settings()

    def console(self) -> Any:
        return httpx.get(f"http://127.0.0.1:{self.ports['CONSOLE__PORT']}/state.json", timeout=10).json()

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(HOTPATH, *arguments, "--json").stdout)

    def landed(self) -> set[str]:
        return set(Lake(self.data / "cloud" / "lake", "flights").read("events")["event_id"].to_pylist())

    def deploy(self, name: str) -> None:
        """Begin `hotpath deploy`: it ends minutes later, and what else the system does goes on meanwhile."""
        self.deploying[name] = subprocess.Popen(
            [HOTPATH, "deploy", name, "--json"],
            env=self.env, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def deployed(self, name: str) -> Any:
        """What `hotpath deploy` says at its end."""
        process = self.deploying.pop(name)
        said, told = process.communicate(timeout=DEPLOYED_S)
        assert process.returncode == 0, told
        return json.loads(said)

    def untouched(self) -> dict[str, int]:
        """Processes that no deployment of another pipeline may start again, and their ids."""
        names = {"serve.app": "", "serve.job": "", "monitoring.job": "", "transform.job": "flights"}
        found = {}
        for process in self.processes():
            words = line(process)
            for name, last in names.items():
                if name in words and words[-1].endswith(last):
                    found[name] = process.pid
        return found

    def processes(self) -> list[psutil.Process]:
        """Everything that was started with this run's environment and still lives."""
        return [p for p in psutil.process_iter() if _data_of(p) == str(self.data)]

    def here(self, text: str) -> str:
        """The README's text with this run's ports and programs."""
        text = text.replace("127.0.0.1:8080", self.url.removeprefix("http://"))
        text = text.replace("127.0.0.1:8090", f"127.0.0.1:{self.ports['CONSOLE__PORT']}")
        text = text.replace("127.0.0.1:19092", f"127.0.0.1:{self.ports['KAFKA__ONPREM__PORT']}")
        return text.replace(".venv/bin/hotpath", HOTPATH)


def line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it ended while it was looked at
        return []


def _data_of(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            return None
        return process.environ().get("HOTPATH__DATA")
    except psutil.Error:
        return None
