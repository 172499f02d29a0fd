"""Headless Chromium by the DevTools protocol: a page is opened, asked, and looked at.

Protocol: https://chromedevtools.github.io/devtools-protocol/ (Page, Runtime, Network, Log, Emulation).
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.conftest import until

NAMES = ("chromium", "google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)
TIMEOUT_S = 20.0


class Page:
    """One page. `requested`: every URL it asked for. `errors`: what its console complained of."""

    def __init__(self, socket: ClientConnection) -> None:
        self.requested: list[str] = []
        self.errors: list[str] = []
        self._socket, self._last = socket, 0
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def open(self, url: str, width: int = 1280, height: int = 800, scheme: str = "light") -> None:
        """Go there, in a window of this size and colour scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.paint(scheme)
        self.call("Page.navigate", url=url)

    def paint(self, scheme: str) -> None:
        """Prefer a colour scheme, `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression. Fails the test where it throws."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, file: Path, whole: bool = False) -> None:
        """Keep what is seen, or the whole page."""
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(image["data"]))

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command and its answer; what happens meanwhile is noted."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": params}))
        while True:
            said = json.loads(self._socket.recv(timeout=TIMEOUT_S))
            if said.get("id") == self._last:
                assert "error" not in said, (method, said["error"])
                return dict(said["result"])
            self._note(said.get("method"), said.get("params", {}))

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "assert"):
                self.errors.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A Chromium with a fresh profile in `folder`, ended at the end; its one page."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert program, "no Chromium: make browser installs it"
    with (folder / "chromium.log").open("wb") as log:
        command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            port = folder / "profile" / "DevToolsActivePort"
            until(lambda: port.exists() and len(port.read_text().splitlines()) == 2, "Chromium listens")
            number, path = port.read_text().splitlines()
            with connect(f"ws://127.0.0.1:{number}{_page(number, path)}", max_size=None) as socket:
                yield Page(socket)
        finally:
            process.kill()
            process.wait(TIMEOUT_S)


def _page(port: str, browser_path: str) -> str:
    """The path of the one page, from the browser's own socket."""
    with connect(f"ws://127.0.0.1:{port}{browser_path}", max_size=None) as socket:
        socket.send(json.dumps({"id": 1, "method": "Target.getTargets", "params": {}}))
        targets = json.loads(socket.recv(timeout=TIMEOUT_S))["result"]["targetInfos"]
    (page,) = [t["targetId"] for t in targets if t["type"] == "page"]
    return f"/devtools/page/{page}"
