"""Root of the agent, one on-prem beside the mirror: `python -m monitoring.agent`.

Says every two seconds how the machine does, how far behind the mirror is and what it has lost, as points on
the on-prem cluster and in its progress file, and goes on alone when the line is cut. Ends with 0 on SIGTERM.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from pathlib import Path

from hotpath.clock import Clock
from hotpath.ending import told_to_end
from hotpath.errors import HotpathError
from hotpath.handoffs import topics
from hotpath.kafka import KafkaLog
from hotpath.points import Points
from hotpath.progress import Progress
from hotpath.settings import Settings, load
from monitoring.deployments import Deployments
from monitoring.machine import Machine
from monitoring.mirror_lag import MirrorLag
from monitoring.remembered import Subject, said

EVERY_S = 2.0
FLUSH_S = 1.0
SITE = "onprem"

log = logging.getLogger("agent")


def main(argv: list[str]) -> int:
    """Measure until SIGTERM or SIGINT: exit code 0; 1 with the reason in the log where it cannot."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = told_to_end()
    try:
        run(load(Path(argv[0]) if argv else None), stop)
    except HotpathError as error:
        log.error("%s", error)
        return 1
    return 0


def run(settings: Settings, stop: threading.Event) -> None:
    """Look and say until told to stop; a cluster that is away costs its figures only."""
    kafka = KafkaLog(settings.kafka.onprem.address)
    points = Points(kafka, Clock(), {"site": SITE, "machine": socket.gethostname()})
    deployments = Deployments(settings)
    lag = MirrorLag(settings.kafka, topics(deployments.now()), settings.mirror_seen())
    machine, progress = Machine(settings.data), Progress(settings.state("agent"))
    lag.start()
    while not stop.wait(EVERY_S):
        lag.follow(topics(deployments.now()))
        points.say("machine", machine.measured())
        behind = lag.behind
        for topic, records in behind.items():
            points.say("mirror", {"behind": records}, {"topic": topic})
        gaps = lag.gaps
        for fields, tags in said("mirror", gaps):
            points.say("gap", fields, tags)
        progress.say("running", behind=behind, gaps={_named(gap): n for gap, n in gaps.items()})
    lag.stop()
    kafka.flush(FLUSH_S)
    progress.say("ended")


def _named(gap: Subject) -> str:
    return "/".join(map(str, gap))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
