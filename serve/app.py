"""Root of the scorer: `python -m serve.app`.

One process, one event loop: a request is answered where it is read. Bundles are loaded in the watcher thread.
Nothing here waits for Kafka, and only a verified live bundle is needed to answer (law 6). Ends with 0 on
SIGTERM.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from hotpath.clock import Clock
from hotpath.ending import ENDINGS, told_to_end
from hotpath.errors import BadConfig, HotpathError
from hotpath.kafka import KafkaLog
from hotpath.keys import verify_key
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.settings import Settings, load
from serve import engine
from serve.edge import Edge
from serve.metrics import Metrics
from serve.redis_state import RedisStore
from serve.routes import application
from serve.scorer import Scorer
from serve.slots import Slots
from serve.state import State
from serve.warm import loader

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
SAY_EVERY_S = 1.0
FLUSH_S = 0.5
SWITCH_S = 0.0005
QUEUED = 20_000
"""Score records in flight: several minutes of transactions; then they are dropped and counted."""
QUEUED_POINTS = 1_000
"""Points in flight, in a client of their own: a full queue of records is what they must be able to tell."""


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT: exit code 0; 1 with the reason in the log where it cannot."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    told = told_to_end()
    try:
        run(load(Path(argv[0]) if argv else None), told)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def run(settings: Settings, told: threading.Event) -> None:
    """Make the parts, serve, send what is left; `told` to end already, it only makes the parts.

    Raises BadConfig where it must not start.
    """
    # The watcher computes while it warms a model: a request must not wait Python's usual 5 ms for its turn.
    sys.setswitchinterval(SWITCH_S)
    engine.start(engine.JARS)
    kafka = KafkaLog(settings.kafka.onprem.address, queued=QUEUED)
    name = f"{socket.gethostname()}:{settings.serve.port}"
    clock = Clock(settings.clock_file())
    store = RedisStore(settings.redis.address, settings.redis.deadline_ms / 1e3, clock.elapsed)
    state = State(store, clock.elapsed, settings.redis.copy_ms / 1e3)
    scorer = Scorer(name, clock, kafka, Metrics(), state=state)
    load_bundle = loader(verify_key(settings.verify_key()), engine.load)
    measured = KafkaLog(settings.kafka.onprem.address, queued=QUEUED_POINTS)
    points = Points(measured, scorer.clock, {"scorer": name})
    serve(settings, scorer, Slots(settings.bundle_folder(), load_bundle, scorer.tell), points, told)
    kafka.flush(FLUSH_S)
    measured.flush(FLUSH_S)


def serve(settings: Settings, scorer: Scorer, slots: Slots, points: Points, told: threading.Event) -> None:
    """HTTP in this thread, the watcher in another, until uvicorn ends."""
    server = uvicorn.Server(config(settings, scorer, slots))

    def end(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal that ended it once more, for the handler that was there before: this one.
    for number in ENDINGS:
        signal.signal(number, end)
    server.should_exit = told.is_set()
    stop = threading.Event()
    watcher = threading.Thread(
        target=watch, args=(settings, scorer, slots, points, stop), name="watcher", daemon=True
    )
    watcher.start()
    try:
        server.run()
    except SystemExit as error:  # uvicorn's way to say that it cannot listen; why is in the log
        address = f"{settings.serve.host}:{settings.serve.port}"
        raise BadConfig("serve.host and serve.port", address, "an address that is free") from error
    finally:
        stop.set()
        watcher.join(FLUSH_S)


def config(settings: Settings, scorer: Scorer, slots: Slots) -> uvicorn.Config:
    """How uvicorn runs."""
    return uvicorn.Config(
        application(scorer, slots),
        host=settings.serve.host,
        port=settings.serve.port,
        loop="uvloop",
        http=Edge,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )


def watch(settings: Settings, scorer: Scorer, slots: Slots, points: Points, stop: threading.Event) -> None:
    """Follow the live pointers and say how it goes: the watcher thread's whole life."""
    progress, said, pointed_at = Progress(settings.state("scorer")), None, scorer.clock.elapsed()
    while True:
        try:
            slots.look()
            tend(scorer, slots)
            if (shown := facts(scorer, slots)) != said:
                progress.say("ready" if slots.ready else "waits for a bundle", **shown)
                said = shown
            if (now := scorer.clock.elapsed()) - pointed_at >= SAY_EVERY_S:
                pointed_at = now
                say(points, scorer, slots)
                scorer.say_again(now)
        except Exception:  # a full disk or a bug: without this thread no model would ever go live again
            log.exception("the watcher looks again")
        if stop.wait(LOOK_EVERY_S):
            return


def tend(scorer: Scorer, slots: Slots) -> None:
    """Keep the connection to Redis, where a live model reads anything there."""
    if scorer.state is not None and any(g is not None and g.reads.windows for g in slots.all().values()):
        scorer.state.tend()


def say(points: Points, scorer: Scorer, slots: Slots) -> None:
    """What was answered since the last time, a point a pipeline."""
    live = slots.all()
    for pipeline, since in list(scorer.stages.items()):  # the request path may add one meanwhile
        found = since.fields(live.get(pipeline), scorer.clock.now(), scorer.breaker)
        points.say("scorer", found, {"pipeline": pipeline})


def facts(scorer: Scorer, slots: Slots) -> dict[str, dict[str, int] | int]:
    """What the console shows."""
    live = {name: g.sequence for name, g in slots.all().items() if g is not None}
    return {"live": live, "answers": scorer.metrics.answers()}


if __name__ == "__main__":
    engine.live_and_leave(main)
