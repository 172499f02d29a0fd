"""Root of the state's follower, one a Redis: `python -m serve.state_job`.

Brings Redis up to `hotpath.tiles` and keeps it there. Kafka or Redis away: tried again, with a pause that
grows; it never ends by itself. Ends with 0 on SIGTERM.
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

from hotpath.clock import SECOND, Clock
from hotpath.ending import told_to_end
from hotpath.errors import BadConfig, HotpathError, Unavailable
from hotpath.files import hold
from hotpath.handoffs import TILES
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.settings import Settings, load
from serve.redis_shelf import RedisShelf
from serve.tiles_follower import TilesFollower

FIRST_S, LONGEST_S = 0.1, 2.0
SAY_EVERY_S = 1.0
PATIENCE_S = 5.0
QUEUED_POINTS = 1_000

log = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Follow until SIGTERM or SIGINT: exit code 0; 1 with the reason in the log where it cannot."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = told_to_end()
    try:
        settings = load(Path(argv[0]) if argv else None)
        with hold(settings.data / "onprem" / ".state.lock", "state follower a data folder"):
            follow(settings, stop)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def follow(settings: Settings, stop: threading.Event) -> None:
    """Turn after turn until told to stop."""
    address, clock = settings.kafka.onprem.address, Clock(settings.clock_file())
    kafka = KafkaLog(address, queued=QUEUED_POINTS, patience_s=PATIENCE_S)
    follower = TilesFollower(
        log=kafka,
        shelf=RedisShelf(settings.redis.address),
        topic_id=lambda: topic_id(address),
        elapsed=clock.elapsed,
    )
    said = Saying(Points(kafka, clock, {}), Progress(settings.state("state")), clock, follower)
    pause = FIRST_S
    while not stop.is_set():
        try:
            follower.turn()
        except (Unavailable, BadConfig) as error:  # a topic may not have been made yet
            log.warning("%s", error)
            follower.forget()
            said.now("waits")
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_S)
        else:
            pause = FIRST_S
            said.now("fills" if follower.behind else "follows")
    follower.forget()
    said.progress.say("ended")


def topic_id(address: str) -> str:
    """What tells the topic from an earlier one of its name. Raises Unavailable, BadConfig without it."""
    ids = Admin(address, PATIENCE_S).ids([TILES])
    if TILES not in ids:
        raise BadConfig(f"topic {TILES}", sorted(ids), "a topic that exists", "run hotpath doctor")
    return ids[TILES]


class Saying:
    """What the follower tells, once a second."""

    def __init__(self, points: Points, progress: Progress, clock: Clock, follower: TilesFollower) -> None:
        self.progress = progress
        self._points, self._clock, self._follower = points, clock, follower
        self._seen, self._at = dict(follower.counts), -SAY_EVERY_S

    def now(self, state: str) -> None:
        """Say it, unless that was done within the last second."""
        if (now := self._clock.elapsed()) - self._at < SAY_EVERY_S:
            return
        counts, through = dict(self._follower.counts), self._follower.through
        age = (self._clock.now() - through) / SECOND if through else None
        since = {name: count - self._seen[name] for name, count in counts.items()}
        self._points.say("state", {**since, "filling": state != "follows", "age_s": age})
        self.progress.say(state, counts=counts)
        self._seen, self._at = counts, now


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
