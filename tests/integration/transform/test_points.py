"""The real stream job tells of each batch: rows, rejected ones, time, and how far it is behind."""

from __future__ import annotations

import sys
from pathlib import Path

from hotpath.contract.load import load
from hotpath.handoffs import POINTS, topics
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.local.processes import Processes
from hotpath.points import Point
from hotpath.settings import PROJECT
from tests import samples
from tests.conftest import start_broker, until

CONTRACT = load(PROJECT / "config/pipelines/flights.yaml")
EVENTS, BROKEN = 40, 3


def test_rows_and_rejected_ones_of_all_batches_add_up(tmp_path: Path, processes: Processes) -> None:
    address = start_broker("points-kafka", tmp_path, processes)
    Admin(address).ensure(topics([CONTRACT]), "cloud", 1)
    log = KafkaLog(address)
    for n in range(EVENTS):
        log.send(CONTRACT.events.topic, samples.raw(samples.event(n)), b"k")
    for _ in range(BROKEN):
        log.send(CONTRACT.events.topic, b"{", b"k")
    assert log.flush(20) == 0
    env = {"HOTPATH__DATA": str(tmp_path / "run"), "HOTPATH__KAFKA__CLOUD__BOOTSTRAP_SERVERS": address}
    job = processes.start("points-job", [sys.executable, "-m", "transform.job", CONTRACT.name], env=env)

    def told() -> list[Point]:
        return [Point.parse((e.value or b"").decode()) for e in standing(log, POINTS)]

    def rows() -> float:
        assert job.code() is None, job.log.read_text()[-2000:]
        return sum(p.fields["rows"] or 0 for p in told())

    until(lambda: rows() >= EVENTS + BROKEN, "all rows are told", 120)
    processes.stop("points-job")
    found = told()
    assert {(p.measurement, p.tags["pipeline"]) for p in found} == {("stream", "flights")}
    assert sum(p.fields["rows"] or 0 for p in found) == EVENTS + BROKEN
    assert sum(p.fields["rejected"] or 0 for p in found) == BROKEN
    assert found[-1].fields["behind"] == 0
    assert all(float(p.fields["batch_s"] or 0) > 0 for p in found if p.fields["rows"])
    processes.stop("points-kafka")
