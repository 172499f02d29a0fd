"""Runs the producers of a pipeline: imports the history, then replays until told to stop.

    python -m ingest.job flights

The clock file's first instant says which days are replayed; the replay begins when that clock runs. A
restart sends what is missing and nothing twice (ingest.sender).
"""

from __future__ import annotations

import logging
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from threading import Event
from typing import Final

from hotpath.clock import SECOND, Clock, wait
from hotpath.contract.load import load as load_contract
from hotpath.contract.model import Contract
from hotpath.errors import BadConfig, HotpathError
from hotpath.handoffs import MARKS, Mark
from hotpath.kafka import KafkaLog
from hotpath.lake import Lake
from hotpath.progress import Progress
from hotpath.settings import Settings
from hotpath.settings import load as load_settings
from ingest import nycflights
from ingest.flights import WRONG_CLOCKS, Flights
from ingest.history import History
from ingest.ledger import Ledger
from ingest.plan import resumed
from ingest.replay import Replay, between
from ingest.sender import Sender, found

TICK_S: Final = 0.05
"""Real seconds between two looks at what is due."""
FLUSH_S: Final = 3.0
"""For the last acknowledgements after the word to stop (5 s are allowed)."""

log = logging.getLogger("ingest")


class Job:
    """Everything that one run holds open."""

    def __init__(self, settings: Settings, contract: Contract, stopping: Event) -> None:
        self.stopping, self.contract = stopping, contract
        self.clock = Clock(settings.clock_file())
        self.progress = Progress(settings.state("ingest"))
        self.onprem = KafkaLog(settings.kafka.onprem.address)
        self.cloud = KafkaLog(settings.kafka.cloud.address)
        self.lake = Lake(settings.lake_root(), contract.name)
        self.topics = (contract.events.topic, contract.labels.topic)
        self.ledger = Ledger(settings.data / "ledger", self.topics)

    def run(self) -> None:
        """Until told to stop."""
        self.progress.say("reading the data")
        flights = self._flights()
        there = found(self.onprem, self.contract.events, self.contract.labels)
        sender = Sender(self.onprem, self.ledger, there)
        self._import(flights, sender)
        self._replay(Replay(flights.due, flights.plan.starts_at), sender)

    def close(self) -> None:
        """What was sent is acknowledged and noted."""
        try:
            self.onprem.flush(FLUSH_S)
        finally:
            self.ledger.close()
        self.progress.say("stopped")

    def _flights(self) -> Flights:
        segments = self.clock.timeline().segments
        if not segments:
            raise BadConfig("clock file", None, "a first instant to replay from", "run hotpath demo")
        events, labels = self.contract.events, self.contract.labels
        return nycflights.flights(resumed(segments[0].virtual), events, labels, WRONG_CLOCKS)

    def _import(self, flights: Flights, sender: Sender) -> None:
        plan = flights.plan
        name = f"history-{plan.starts_at}"
        history = History(name, self._imported, self.stopping.is_set, self.clock.elapsed)
        if any(done.id == history.id for done in self.lake.imports()):
            return
        started = self.clock.elapsed()
        sent = history.sent(between(flights.due, plan.history_from, plan.starts_at), sender)
        self.ledger.flush()
        if sent is None:
            return
        log.info("history sent in %.1f s: %s", self.clock.elapsed() - started, dict(sent))
        self.progress.say("waiting for the mirror", imported=dict(sent))
        with closing(self.cloud.tail(self.topics)) as tail:
            done = history.crossed(tail, sent)
        if done is not None:
            self.lake.record_import(done)
            log.info("history in the cloud after %.1f s", self.clock.elapsed() - started)

    def _imported(self, counts: Counter[str]) -> None:
        self.progress.say("importing", imported=dict(counts))

    def _replay(self, replay: Replay, sender: Sender) -> None:
        second = 0
        while not self.stopping.is_set():
            if self.clock.timeline().rate > 0:
                self._send_due(replay, sender)
            self.onprem.poll(0)
            if (present := self.clock.real() // SECOND) > second:
                second = present
                self._each_second(second)
            wait(TICK_S)

    def _send_due(self, replay: Replay, sender: Sender) -> None:
        for record in replay.ready(self.clock.now()):
            if self.stopping.is_set() or not sender.send(record):
                replay.back(record)
                return

    def _each_second(self, second: int) -> None:
        now = self.clock.now()
        # The second itself is the sequence: it grows over restarts, and a second without a mark shows.
        self.onprem.send(MARKS, Mark("onprem", second, now).to_bytes(), b"onprem")
        self.ledger.flush()
        state = "replaying" if self.clock.timeline().rate > 0 else "waiting for the clock"
        self.progress.say(state, produced=self.ledger.counts(), virtual=now)


def main(argv: Sequence[str]) -> int:
    """`argv`: the pipeline's name. Exit code 0 when told to stop, 1 with the reason in the log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = load_settings()
        job = Job(settings, load_contract(settings.pipelines / f"{argv[0]}.yaml"), stopping)
        try:
            job.run()
        finally:
            job.close()
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["flights"]))
