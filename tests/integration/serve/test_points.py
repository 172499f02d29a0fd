"""A real scorer tells a real Kafka how it answers, each second."""

from __future__ import annotations

from pathlib import Path

from hotpath.handoffs import HANDOFFS, POINTS
from hotpath.kafka import KafkaLog, standing
from hotpath.kafka_admin import Admin
from hotpath.points import Point
from tests.conftest import until
from tests.integration.serve.conftest import make_host, start


def test_requests_stages_and_the_live_sequence_stand_in_the_topic(tmp_path: Path, kafka: str) -> None:
    Admin(kafka).ensure([t for t in HANDOFFS if t.name == POINTS], "onprem", 1)
    host = make_host(tmp_path)
    host.environment["HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS"] = kafka
    host.go_live("numbers", 5)
    log, asked = KafkaLog(kafka), 40

    def points() -> list[Point]:
        found = [Point.parse((e.value or b"").decode()) for e in standing(log, POINTS)]
        return [p for p in found if p.measurement == "scorer" and p.tags["pipeline"] == "things"]

    with start(host) as scorer:
        for number in range(asked):
            scorer.ask(number)
        until(lambda: sum(p.fields["requests"] or 0 for p in points()) >= asked, "all are told")
    told = points()
    assert sum(p.fields["requests"] or 0 for p in told) == asked
    assert {p.fields["generation"] for p in told} == {5}
    busy = [p for p in told if p.fields["requests"]]
    for stage in ("request_us", "parse_us", "features_us", "model_us", "record_us"):
        assert all(0 < float(p.fields[stage] or 0) < 1e6 for p in busy), stage
