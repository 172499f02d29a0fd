"""An H2O server of one run's own: started as a child, on loopback, behind a login, ended with the run.

H2O 3.46.0.11 gets no more security fixes (it is pinned because later ones export no MOJO), so it is confined:
a generated password per run, no Flow, its own folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from hotpath.child import TICK_S, Child
from hotpath.clock import Clock, wait
from hotpath.errors import BadConfig, Unavailable
from hotpath.settings import H2O

USER = "hotpath"
THREADS = 2
START_S = 90.0
DENIED = "{/bin/*,/etc/*,/usr/*,/proc/*}"
"""What H2O may not read. Its own default denies hidden folders and /var too, where a lake may well stand."""
# The serial collector: the machine is shared with the scorer. Out of memory is an end with words: H2O itself
# would try again until the deadline.
JVM = ("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
# Seconds of CPU, 200,000 rows of 20 features, two cores: import 3.5 and 50 trees 21 with the quick compiler,
# 7.1 and 16 with the optimising one; the next 50 trees 16 and 10. So a single model of that size pays for the
# quick one, what is longer for the other.
QUICK = "-XX:TieredStopAtLevel=1"
_SHORT = "OOM!"
"""What it says while it swaps."""
# Its extension would unpack native libraries of some 100 MB at every start.
WITHOUT_XGBOOST = "-Dsys.ai.h2o.ext.core.toggle.XGBoost=False"


@dataclass(frozen=True)
class Address:
    """Where a cluster answers, and the login it asks for (None: none)."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)


def cluster(
    h2o: H2O, folder: Path, clock: Clock, xgboost: bool = False, long: bool = False
) -> AbstractContextManager[Address]:
    """The operator's cluster, or one of this run's own, its files in `folder`, which is its alone.

    `xgboost`: with its extension; `long`: there is work enough for the optimising compiler.
    """
    if h2o.url:
        return nullcontext(Address(h2o.url, h2o.login))
    return server(folder, h2o.port, h2o.memory, THREADS, clock, xgboost, long)


@contextmanager
def server(
    folder: Path,
    port: int,
    memory: str,
    threads: int,
    clock: Clock,
    xgboost: bool = False,
    long: bool = False,
) -> Iterator[Address]:
    """A server that lives as long as the block, on the first free port from `port` on.

    Raises Unavailable where it does not come up or ends before the block does (in the main thread whatever
    the block waits for is interrupted), BadConfig where the h2o package or its jar is missing.
    """
    password, up, log = secrets.token_urlsafe(32), folder / "up", folder / "server.log"
    shutil.rmtree(folder, ignore_errors=True)  # an earlier server's
    folder.mkdir(parents=True)
    _write_private(folder / "login", f"{USER}: {password}\n")
    jvm = (*JVM, *(() if long else (QUICK,)), *(() if xgboost else (WITHOUT_XGBOOST,)))
    with Child(_command(folder, port, memory, threads, jvm), log) as child:
        until = clock.elapsed() + START_S
        while not (place := _text(up)):
            if child.code() is not None or clock.elapsed() > until:
                raise Unavailable(
                    "H2O", child.last_words(), f"a server that starts in {START_S:.0f} s", f"see {log}"
                )
            wait(TICK_S)
        with _missed(child), _without_room(log, memory):
            yield Address(f"http://{place}", (USER, password))


@contextmanager
def _missed(child: Child) -> Iterator[None]:
    """The client asks a server that is gone for minutes: its end interrupts what waits for it (PEP 475)."""

    def gone(*_: object) -> None:
        if (code := child.code()) is not None:
            why = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise Unavailable("H2O", why, "a server that outlives its run", f"see {child.log}")

    before = signal.signal(signal.SIGCHLD, gone)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, before)


@contextmanager
def _without_room(log: Path, memory: str) -> Iterator[None]:
    """Short of room a server ends, or never answers: whatever went wrong then, that is why."""
    try:
        yield
    except Unavailable as error:
        said = log.read_text(errors="replace")
        ended = [line.strip() for line in said.splitlines() if "OutOfMemory" in line]
        if not ended and _SHORT not in said:
            raise
        found = ended[-1] if ended else f"{error.value}, short of memory"
        raise Unavailable("H2O", found, f"a window that fits {memory}", "raise h2o.memory") from error


def _command(folder: Path, port: int, memory: str, threads: int, jvm: Sequence[str]) -> list[str]:
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
    java = ["java", f"-Xmx{memory}", *jvm, f"-Djava.io.tmpdir={folder}", "-jar", str(_jar())]
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
