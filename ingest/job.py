"""Runs the producers of a pipeline: imports the history, then replays until told to stop.

    python -m ingest.job PIPELINE

A pipeline is replayed from the instant of its first start on, and what came before is imported; nothing is
sent while the clock stands. A restart sends what is missing and nothing twice (ingest.sender).
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from threading import Event
from typing import Final

from hotpath import deployed
from hotpath.clock import SECOND, Clock, Micros, wait
from hotpath.contract.model import Contract
from hotpath.ending import told_to_end
from hotpath.errors import BadConfig, HotpathError
from hotpath.kafka import KafkaLog
from hotpath.lake import Lake
from hotpath.progress import Progress
from hotpath.settings import Settings
from hotpath.settings import load as load_settings
from ingest.history import History
from ingest.ledger import Ledger, begins
from ingest.replay import Replay, between
from ingest.sender import Sender, found
from ingest.sources import SOURCES, Records, Start

TICK_S: Final = 0.05
"""Real seconds between two looks at what is due."""
FLUSH_S: Final = 3.0
"""For the last acknowledgements after the word to stop (5 s are allowed)."""

log = logging.getLogger("ingest")


class Job:
    """Everything that one run holds open."""

    def __init__(self, settings: Settings, contract: Contract, stopping: Event) -> None:
        self.settings, self.stopping, self.contract = settings, stopping, contract
        self.clock = Clock(settings.clock_file())
        self.progress = Progress(settings.state(f"ingest-{contract.name}"))
        self.onprem = KafkaLog(settings.kafka.onprem.address)
        self.cloud = KafkaLog(settings.kafka.cloud.address)
        self.lake = Lake(settings.lake_root(), contract.name)
        self.topics = (contract.events.topic, contract.labels.topic)
        self.ledger = Ledger(settings.data / "ledger", self.topics)

    def run(self) -> None:
        """Until told to stop."""
        self.progress.say("reading the data")
        start = self._start()
        records = SOURCES[self.contract.name](self.settings, self.contract, start)
        there = found(self.onprem, self.contract.events, self.contract.labels)
        sender = Sender(self.onprem, self.ledger, there)
        self._import(records, start.begins, sender)
        self._replay(Replay(records.due, start.begins), sender)

    def close(self) -> None:
        """What was sent is acknowledged and noted."""
        try:
            self.onprem.flush(FLUSH_S)
        finally:
            self.ledger.close()
        self.progress.say("stopped")

    def _start(self) -> Start:
        segments = self.clock.timeline().segments
        if not segments:
            raise BadConfig("clock file", None, "a first instant to replay from", "run hotpath demo")
        begun = begins(self.settings.data / "ledger", self.contract.name, self.clock.now())
        return Start(segments[0].virtual, begun)

    def _import(self, records: Records, until: Micros, sender: Sender) -> None:
        name = f"history-{until}"
        history = History(name, self._imported, self.stopping.is_set, self.clock.elapsed)
        if any(done.id == history.id for done in self.lake.imports()):
            return
        started = self.clock.elapsed()
        sent = history.sent(between(records.due, records.history_from, until), sender)
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
        second = through = 0
        while not self.stopping.is_set():
            now = self.clock.now()
            if self.clock.timeline().rate == 0 or self._sent_due(replay, sender, now):
                through = now
            self.onprem.poll(0)
            if (present := self.clock.real() // SECOND) > second:
                second = present
                self._each_second(through)
            wait(TICK_S)

    def _sent_due(self, replay: Replay, sender: Sender, now: Micros) -> bool:
        """Whether all that is due by `now` has been sent."""
        for record in replay.ready(now):
            if self.stopping.is_set() or not sender.send(record):
                replay.back(record)
                return False
        return True

    def _each_second(self, through: Micros) -> None:
        """`virtual`: the instant through which everything that was due has been sent."""
        self.ledger.flush()
        state = "replaying" if self.clock.timeline().rate > 0 else "waiting for the clock"
        self.progress.say(state, produced=self.ledger.counts(), virtual=through)


def main(argv: Sequence[str]) -> int:
    """`argv`: the pipeline's name. Exit code 0 when told to stop, 1 with the reason in the log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stopping = told_to_end()
    try:
        settings = load_settings()
        job = Job(settings, _contract(settings, next(iter(argv), "")), stopping)
        try:
            job.run()
        finally:
            job.close()
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def _contract(settings: Settings, pipeline: str) -> Contract:
    if pipeline not in SOURCES:
        raise BadConfig("pipeline", pipeline, f"one that we produce: {', '.join(SOURCES)}")
    return deployed.contract(settings, pipeline)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
