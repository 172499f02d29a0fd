"""An H2O server of one run's own: started as a child, on loopback, behind a login, ended with the run.

H2O 3.46.0.11 gets no more security fixes (it is pinned because later ones export no MOJO), so it is confined:
a generated password per run, no Flow, its own folder.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from hotpath.child import TICK_S, Child
from hotpath.clock import Clock, wait
from hotpath.errors import BadConfig, Unavailable

USER = "hotpath"
START_S = 90.0
DENIED = "{/bin/*,/etc/*,/usr/*,/proc/*}"
"""What H2O may not read. Its own default denies hidden folders and /var too, where a lake may well stand."""
# XGBoost's extension would unpack native libraries at every start. C1 code and the serial collector: the
# run is over before the optimising compiler pays, and the machine is shared with the scorer.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsys.ai.h2o.ext.core.toggle.XGBoost=False")


@dataclass(frozen=True)
class Address:
    """Where a cluster answers, and the login it asks for (None: none)."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)


@contextmanager
def server(folder: Path, port: int, memory: str, threads: int, clock: Clock) -> Iterator[Address]:
    """A server that lives as long as the block, on the first free port from `port` on.

    Raises Unavailable where it does not come up, BadConfig where the h2o package or its jar is missing.
    """
    password, up, log = secrets.token_urlsafe(32), folder / "up", folder / "server.log"
    folder.mkdir(parents=True)
    _write_private(folder / "login", f"{USER}: {password}\n")
    with Child(_command(folder, port, memory, threads), log) as child:
        until = clock.elapsed() + START_S
        while not (place := _text(up)):
            if child.code() is not None or clock.elapsed() > until:
                raise Unavailable(
                    "H2O", child.last_words(), f"a server that starts in {START_S:.0f} s", f"see {log}"
                )
            wait(TICK_S)
        yield Address(f"http://{place}", (USER, password))


def _command(folder: Path, port: int, memory: str, threads: int) -> list[str]:
    options = {
        "ip": "127.0.0.1",
        "web_ip": "127.0.0.1",
        "baseport": port,
        # A name of its own: servers of one name on one network would join into a cloud.
        "name": f"hotpath-{secrets.token_hex(8)}",
        "login_conf": folder / "login",
        "ice_root": quote(str(folder / "ice")),  # read as a URI: a space in it would end the start
        "log_dir": folder / "logs",
        "flow_dir": folder / "flow",
        "nthreads": threads,
        "notify_local": folder / "up",
        "file_deny_glob": DENIED,
        "log_level": "WARN",
    }
    flags = [text for name, value in options.items() for text in (f"-{name}", str(value))]
    java = ["java", f"-Xmx{memory}", *JVM, f"-Djava.io.tmpdir={folder}", "-jar", str(_jar())]
    return [*java, "-hash_login", "-disable_flow", *flags]


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _jar() -> Path:
    """The server's jar in the h2o package, found without importing the package."""
    spec = find_spec("h2o")
    jar = Path(spec.origin).parent / "backend" / "bin" / "h2o.jar" if spec and spec.origin else None
    if jar is None or not jar.exists():
        raise BadConfig("h2o.jar", jar, "the jar of the pinned h2o package", "run make setup")
    return jar


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
