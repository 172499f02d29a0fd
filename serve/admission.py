"""Law 4 at the door: a candidate's bytes are proved in a child process that is killed at its deadline.

Only what is cheap and safe happens here (size, entry list, signature, hashes, id), so that unsigned bytes
never reach a parser of models; the rest is `serve.sandbox`'s. Raises BadArtifact with why; a clean yes
returns.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hotpath.bundle import opened
from hotpath.clock import Clock
from hotpath.errors import BadArtifact, Unavailable
from hotpath.handoffs import Announcement
from hotpath.keys import verify_key
from hotpath.settings import PROJECT

DEADLINE_S = 30.0
"""A sandbox takes two seconds on an idle host; the demonstration's is busy training the next model."""
_POLL_S = 0.05
_LONGEST_ANSWER = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sandbox:
    """How to run the child: the public key's file, the deadline (s), and what ends it early."""

    key: Path
    deadline_s: float = DEADLINE_S
    stopping: Callable[[], bool] = lambda: False

    def prove(self, announcement: Announcement, packed: bytes) -> None:
        """Raises BadArtifact on anything but a clean yes, Unavailable when told to stop half way."""
        bundle = opened(packed, verify_key(self.key))
        if bundle.id != announcement.bundle:
            raise BadArtifact("bundle's id", bundle.id, f"the announced {announcement.bundle}")
        at = bundle.facts.get("trained_at")
        if isinstance(at, int) and at > announcement.announced_at:  # it would never become stale
            raise BadArtifact(
                "bundle's trained_at", at, f"before {announcement.announced_at}, its announcement"
            )
        with tempfile.TemporaryDirectory(prefix="hotpath-sandbox-") as folder:
            file = Path(folder) / "bundle.zip"
            file.write_bytes(packed)
            self._run(announcement, file)

    def _run(self, announcement: Announcement, file: Path) -> None:
        said = file.with_name("said.json")
        command = [sys.executable, "-m", "serve.sandbox", str(file), str(self.key), announcement.pipeline]
        with said.open("wb") as out:
            # A group of its own, so that Ctrl-C reaches us alone; not a session: nice would lose its meaning.
            child = subprocess.Popen(
                command, stdout=out, stdin=subprocess.DEVNULL, cwd=PROJECT, process_group=0
            )
            try:
                self._wait(child)
            finally:
                child.kill()
                child.wait()
        answer = said.read_bytes()[-_LONGEST_ANSWER:].decode("utf-8", "replace").strip()
        if child.returncode != 0:
            why = _why(answer, child.returncode)
            raise BadArtifact("candidate in the sandbox", why, "every proof to hold")
        log.info("sandbox on sequence %s: %s", announcement.sequence, answer)

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        clock = Clock()
        end = clock.elapsed() + self.deadline_s
        while clock.elapsed() < end:
            if self.stopping():
                raise Unavailable(
                    "sandbox", "stopped half way", "time to finish", "the next start asks again"
                )
            try:
                child.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            return
        raise BadArtifact("sandbox", f"no answer in {self.deadline_s} s", "a proof in time")


def _why(answer: str, returncode: int) -> str:
    """From the last line: a JVM may have spoken before it."""
    try:
        return str(json.loads(answer.rpartition("\n")[2])["why"])
    except (ValueError, KeyError, TypeError):
        return f"exit code {returncode}"
