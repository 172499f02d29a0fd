"""Says each second, on `hotpath.marks`, what time it is on-premises.

    python -m ingest.marks

One process a site, whatever the pipelines do: the line is alive, the on-prem clock can be held against the
cloud's. The second itself is the sequence: it grows over restarts, and a second without a mark shows.
"""

from __future__ import annotations

import logging
import sys
from threading import Event
from typing import Final

from hotpath.clock import SECOND, Clock, wait
from hotpath.ending import told_to_end
from hotpath.errors import HotpathError
from hotpath.handoffs import MARKS, Mark
from hotpath.kafka import KafkaLog
from hotpath.progress import Progress
from hotpath.settings import Settings, load

TICK_S: Final = 0.05
FLUSH_S: Final = 3.0
"""For the last acknowledgements after the word to stop (5 s are allowed)."""

log = logging.getLogger("marks")


def run(settings: Settings, stopping: Event) -> None:
    """Until told to stop."""
    clock, onprem = Clock(settings.clock_file()), KafkaLog(settings.kafka.onprem.address)
    progress, second = Progress(settings.state("marks")), 0
    while not stopping.is_set():
        if (present := clock.real() // SECOND) > second:
            second, now = present, clock.now()
            onprem.send(MARKS, Mark("onprem", second, now).to_bytes(), b"onprem")
            progress.say("marking", virtual=now)
        onprem.poll(0)
        wait(TICK_S)
    onprem.flush(FLUSH_S)
    progress.say("stopped")


def main() -> int:
    """Exit code 0 when told to stop, 1 with the reason in the log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stopping = told_to_end()
    try:
        run(load(), stopping)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
