"""The producers' process against a real broker, which plays both sites: history, kills, the seam.

One story in order: the import is killed and done again, then the replay is killed, meets the present and is
stopped. Every record is there once throughout.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from hotpath.clock import SECOND, Segment
from hotpath.handoffs import ARRIVED_HEADER, MARKS, Mark
from hotpath.kafka import KafkaLog, standing
from tests.conftest import until
from tests.integration.ingest.site import Site
from tests.integration.ingest.site import site as site_of

RATE = 20_000.0
"""Fast enough for the replay to meet the present within seconds."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, kafka: str) -> Iterator[Site]:
    with site_of("flights", tmp_path_factory.mktemp("flights"), kafka) as found:
        yield found


def test_an_import_that_was_killed_is_completed_and_nothing_is_sent_twice(site: Site) -> None:
    killed = site.start()
    until(lambda: site.noted_bytes() > 1_000_000, "a part of the history is noted")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not site.imports()

    site.start()
    until(lambda: bool(site.imports()), "the import is recorded")
    flights = site.records()
    assert site.begins == site.first, "the clock stood there when the producers were first started"
    history = {r.id: r.at for r in flights.due(flights.history_from, site.begins)}
    stood = site.stood()
    assert len(history) > 140_000
    assert Counter(map(site.named, stood)) == Counter(history.keys()), "each record stands once"
    assert site.noted() == Counter(history.keys()), "and is noted once"
    assert all(int(e.headers[ARRIVED_HEADER]) == history[site.named(e)] for e in stood)
    (done,) = site.imports()
    assert all(done.covers(e.topic, e.partition, e.offset) for e in stood)


def test_a_replay_that_was_killed_meets_the_present_with_each_record_once_and_none_early(site: Site) -> None:
    """V0 |-- 20,000 times --x kill, restart ------ the present | -- real time --"""
    imported = site.noted()
    until(lambda: site.said()["state"] == "waiting for the clock", "ready")
    site.clock.append(Segment(site.clock.real(), site.begins, RATE))
    before = site.noted_bytes()
    until(lambda: site.noted_bytes() > before + 20_000, "a part of the replay is noted")
    site.running[-1].send_signal(signal.SIGKILL)
    site.running[-1].wait()
    met = site.start()
    present = site.clock.real()
    until(lambda: site.clock.now() >= present, "virtual time meets the present")
    beyond = site.clock.now() + 5 * SECOND
    until(lambda: int(str(site.said().get("virtual", 0))) > beyond, "some seconds in the present")
    met.send_signal(signal.SIGTERM)
    assert met.wait(10) == 0

    replayed = [e for e in site.stood() if ARRIVED_HEADER not in e.headers]
    due = {r.id: r.at for r in site.records().due(site.begins, site.clock.now())}
    sent = Counter(map(site.named, replayed))
    line = site.clock.timeline()
    assert {name for name, at in due.items() if at <= beyond} <= sent.keys() <= due.keys()
    assert set(sent.values()) == {1}
    assert site.noted() == imported + sent
    # The broker stamps whole milliseconds, so its stamp may lie one before the instant of sending.
    early = [e for e in replayed if line.virtual(e.at + 1000) < due[site.named(e)]]
    assert early == []


def test_the_line_is_marked_each_second_with_the_clock_of_the_site(site: Site) -> None:
    def marks() -> list[Mark]:
        return [Mark.from_bytes(entry.value) for entry in standing(KafkaLog(site.kafka), MARKS)]

    begun, marking = site.clock.now(), site.start("ingest.marks")
    until(lambda: len(marks()) >= 3, "three marks")
    marking.send_signal(signal.SIGTERM)
    assert marking.wait(10) == 0
    found = marks()
    assert [m.sequence for m in found] == list(range(found[0].sequence, found[0].sequence + len(found)))
    assert all(begun <= m.at <= site.clock.now() for m in found)
