"""Root of monitoring: `python -m monitoring.job`.

One process in the cloud for all pipelines. The main thread follows the lake and the cloud's topics
(`monitoring/watching.py`); beside it run the points' writer, the board with its verdicts and alarms, and the
console. Nothing that is away ends it: what it reads waits in Kafka and in the lake. Ends with 0 on SIGTERM,
the last points written.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from hotpath.clock import Clock
from hotpath.ending import told_to_end
from hotpath.errors import Bug, HotpathError, Unavailable
from hotpath.files import hold
from hotpath.handoffs import POINTS
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.kafka_group import KafkaGroup
from hotpath.keys import SigningKey, verify_key
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.publish import DELIVERY_S
from hotpath.settings import Settings, load
from hotpath.signatures import Pair
from monitoring.board import Board
from monitoring.console.app import application, serve
from monitoring.console.snapshot import snapshot
from monitoring.deployments import Deployments
from monitoring.influx import write_access
from monitoring.influx_setup import set_up
from monitoring.machine import Machine
from monitoring.monitor import overridden
from monitoring.monitors import MONITORS
from monitoring.outbox import Outbox, destinations
from monitoring.verdict_watch import VerdictWatch
from monitoring.watching import Watching
from monitoring.writer import GROUP, Writer

SITE = "cloud"
TURN_S = 0.5
LISTEN_S = 0.2
RETRY_S = 1.0
MACHINE_EVERY_S = 2.0
PATIENCE_S = 2.0
"""With a broker that does not answer: who is told to end must not wait for it."""
FLUSH_S = 1.0
DRAIN_S = 4.0
"""For the last points, of the eight seconds that a part has to end."""

log = logging.getLogger("monitoring")


def main(argv: Sequence[str]) -> int:
    """Watch until SIGTERM or SIGINT: exit code 0; 1 with the reason in the log where it cannot."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = told_to_end()
    try:
        settings = load(Path(argv[0]) if argv else None)
        with hold(settings.monitoring("all").parent / ".monitoring.lock", "monitoring job a data folder"):
            run(settings, stop)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def run(settings: Settings, stop: threading.Event) -> None:
    """All threads, until told to stop.

    Raises BadConfig where it must not start, Unavailable on a taken port, Bug where a thread ended by itself.
    """
    clock, address = Clock(settings.clock_file()), settings.kafka.cloud.address
    kafka = KafkaLog(address, patience_s=PATIENCE_S)
    # Given up in time, so that a rollback that did not come through is not announced twice.
    watched = KafkaLog(address, timeout_ms=DELIVERY_S * 1000, patience_s=PATIENCE_S)
    points = Points(kafka, clock, {"site": SITE, "machine": socket.gethostname()})
    deployments = Deployments(settings)
    progress = Progress(settings.state("monitoring"))
    progress.say("starting")
    key = Pair(SigningKey(settings.signing_key()), verify_key(settings.verify_key()))
    watching = Watching(settings, deployments.now(), key, watched, Admin(address, PATIENCE_S), points, clock)
    board = Board(overridden(MONITORS, settings.monitors))
    verdicts = _verdicts(settings, kafka, board, points, clock)
    writer = _writer(settings, points, clock)
    console = serve(
        application(
            lambda: cast(
                "Mapping[str, object]",
                snapshot(board, tuple(verdicts.recent), verdicts.now(), watching.seen),
            ),
            clock,
        ),
        settings.console.host,
        settings.console.port,
        clock,
    )
    progress.say("running", console=console.url)
    failed: list[str] = []
    lives: Mapping[str, Callable[[], None]] = {
        "writer": lambda: writer.run(stop),
        "verdicts": lambda: _judge(verdicts, stop),
        "machine": lambda: _measure(settings, points, stop),
    }
    threads = [_thread(name, life, stop, failed) for name, life in lives.items()]
    try:
        _watch(watching, deployments, stop)
    finally:
        stop.set()
        progress.say("ending")
        for thread in threads:
            thread.join()
        watched.flush(FLUSH_S)
        _end(watching, verdicts, kafka, writer)
        console.stop()
        progress.say("ended", written=writer.written, refused=writer.refused)
    if failed:
        raise Bug("monitoring", failed, "threads that end when they are told to", "its log says why")


def _watch(watching: Watching, deployments: Deployments, stop: threading.Event) -> None:
    """The main thread's whole life; what is deployed meanwhile is watched from the next turn on."""
    while not stop.wait(0.0 if watching.behind else TURN_S):
        try:
            watching.follow(deployments.now())
            watching.turn()
        except Unavailable as error:
            log.warning("%s", error)
            watching.close()
            stop.wait(RETRY_S)


def _judge(verdicts: VerdictWatch, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            verdicts.tick(LISTEN_S)
        except HotpathError as error:  # Kafka away, or a topic that is not there yet
            log.warning("no verdicts: %s", error)
            stop.wait(RETRY_S)


def _measure(settings: Settings, points: Points, stop: threading.Event) -> None:
    machine = Machine(settings.data)
    while not stop.wait(MACHINE_EVERY_S):
        points.say("machine", machine.measured())


def _end(watching: Watching, verdicts: VerdictWatch, kafka: KafkaLog, writer: Writer) -> None:
    """What was measured last is written too, if InfluxDB is there."""
    watching.close()
    verdicts.close()
    kafka.flush(FLUSH_S)
    if not writer.drain(DRAIN_S):
        log.warning("points are left in Kafka; the next start writes them")
    writer.close()


def _verdicts(
    settings: Settings, kafka: KafkaLog, board: Board, points: Points, clock: Clock
) -> VerdictWatch:
    """Raises BadConfig where a destination of alarms cannot be used."""
    url = f"http://{settings.console.host}:{settings.console.port}"
    told = destinations(settings.alarms.webhooks, settings.alarms.apprise_file, url)
    outboxes = [Outbox(to, clock) for to in told]
    return VerdictWatch(kafka, board, points, outboxes, clock, settings.monitoring("all") / "verdicts.json")


def _writer(settings: Settings, points: Points, clock: Clock) -> Writer:
    address = settings.kafka.cloud.address
    return Writer(
        open_group=lambda: KafkaGroup(address, POINTS, GROUP),
        sink=write_access(settings),
        repair=lambda: set_up(settings, clock),
        points=points,
        clock=clock,
    )


def _thread(
    name: str, life: Callable[[], None], stop: threading.Event, failed: list[str]
) -> threading.Thread:
    """A thread whose unforeseen end ends the process: who supervises it starts it again."""

    def guarded() -> None:
        try:
            life()
        except Exception:
            log.exception("%s ended", name)
            failed.append(name)
            stop.set()

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
