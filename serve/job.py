"""Root of the follower, one a host: `python -m serve.job`.

Reads `hotpath.models`, `hotpath.bundles` and `hotpath.commands` on-prem from their beginning, always: a
restart is a replay, and what this host remembers keeps it from doing anything twice. Ends with 0 on SIGTERM.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from hotpath.clock import Clock
from hotpath.ending import told_to_end
from hotpath.errors import HotpathError, Unavailable
from hotpath.files import hold
from hotpath.kafka import KafkaLog, Tail
from hotpath.kafka_admin import Admin
from hotpath.keys import verify_key
from hotpath.progress import Progress
from hotpath.settings import Settings, load
from serve.admission import Sandbox
from serve.follower import TOPICS, Follower

POLL_S = 0.2
RETRY_S = 1.0
PROBE_S = 2.0
FLUSH_S = 2.0
ROOM_S = 2.0
"""Between two tries where the bundle folder takes nothing."""

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Follow until SIGTERM or SIGINT: exit code 0; 1 with the reason in the log where it cannot."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = told_to_end()
    try:
        settings = load(Path(argv[0]) if argv else None)
        with hold(settings.bundle_folder() / ".follower.lock", "follower a bundle folder"):
            follow(settings, stop)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def follow(settings: Settings, stop: threading.Event) -> None:
    """Take records in until told to stop. Raises Unavailable where Kafka's client has given up."""
    kafka = KafkaLog(settings.kafka.onprem.address)
    key = settings.verify_key()
    follower = Follower(
        root=settings.bundle_folder(),
        key=verify_key(key),
        log=kafka,
        clock=Clock(settings.clock_file()),
        scorer=socket.gethostname(),
        sandbox=Sandbox(key, stopping=stop.is_set).prove,
    )
    follower.restore()
    progress = Progress(settings.state("follower"))
    progress.say("waits for Kafka", **facts(follower))
    if (tail := connected(kafka, settings.kafka.onprem.address, stop)) is not None:
        progress.say("follows", **facts(follower))
        try:
            take_in(follower, tail, progress, stop)
        finally:
            tail.close()
            kafka.flush(FLUSH_S)
    progress.say("ended", **facts(follower))


def connected(kafka: KafkaLog, address: str, stop: threading.Event) -> Tail | None:
    """The topics' tail once Kafka answers; None where we are told to stop first."""
    while not stop.is_set():
        try:
            Admin(address).topics(PROBE_S)  # a tail waits longer for a broker than SIGTERM may wait for us
            return kafka.tail(TOPICS)
        except Unavailable as error:
            log.warning("%s", error)
            stop.wait(RETRY_S)
    return None


def take_in(follower: Follower, tail: Tail, progress: Progress, stop: threading.Event) -> None:
    """Turn after turn until told to stop; the next start asks again for a proof that is half done."""
    try:
        while not stop.is_set():
            turn(follower, tail, progress, stop)
    except Unavailable:
        if not stop.is_set():
            raise


def turn(follower: Follower, tail: Tail, progress: Progress, stop: threading.Event) -> None:
    """One record, or one candidate proved once the replay is done and nothing newer is at hand."""
    if (entry := tail.poll(POLL_S)) is not None:
        before = dict(follower.counts)
        patiently(lambda: follower.hear(entry), progress, stop)
        if follower.counts != before:
            progress.say("follows", **facts(follower))
    elif tail.at_end() and (candidate := follower.ready()) is not None:
        progress.say(f"proves sequence {candidate.sequence}", **facts(follower))
        patiently(lambda: follower.prove(candidate), progress, stop)
        progress.say("follows", **facts(follower))
    elif tail.at_end() and follower.look():
        progress.say("waits for chunks" if follower.overdue else "follows", **facts(follower))


def patiently(work: Callable[[], None], progress: Progress, stop: threading.Event) -> None:
    """Do it; where the bundle folder takes nothing (a full disk), until it does: what is live answers on."""
    while not stop.is_set():
        try:
            work()
        except OSError as error:
            log.error("tried again every %.0f s: %s", ROOM_S, error)
            progress.say(f"waits: {error.strerror}")
            stop.wait(ROOM_S)
        else:
            return


def facts(follower: Follower) -> dict[str, dict[str, int] | dict[str, str]]:
    """What the console shows; `awaits`: chunks that are not there of what was announced."""
    return {"counts": follower.counts, "live": follower.live(), "awaits": follower.awaited()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
