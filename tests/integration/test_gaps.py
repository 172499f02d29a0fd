"""What the mirror can never carry is found on real parts: purged, recreated, agent away or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults.mirror_site import ANSWERS, EVENTS, MirrorSite, crossed, mirror_site
from hotpath.handoffs import Site, Topic
from hotpath.kafka import KafkaLog
from hotpath.kafka_admin import Admin
from monitoring.mirror_lag import MirrorLag
from tests.conftest import until

MIRROR_S = 90.0


@pytest.fixture(scope="module")
def site() -> Iterator[MirrorSite]:
    with mirror_site() as found:
        yield found


def send(site: MirrorSite, at: Site, topic: Topic, count: int) -> None:
    log = KafkaLog(site.address(at))
    for number in range(count):
        log.send(topic.name, b"%d" % number, b"one key is one partition")
    assert log.flush(30) == 0


def behind(watch: MirrorLag, topic: Topic, count: int) -> None:
    until(lambda: watch.behind.get(topic.name) == count, f"{count} of {topic.name} behind", MIRROR_S)


def lost(watch: MirrorLag) -> dict[tuple[str, str], int]:
    return {(topic, why): records for (topic, _, why), records in watch.gaps.items()}


def purge(site: MirrorSite, at: Site, topic: Topic, left: int = 0) -> None:
    admin = Admin(site.address(at))
    ends = admin.ends([topic.name])
    admin.purge({place: end - left for place, end in ends.items() if end >= left > 0 or not left})


def test_what_has_crossed_may_be_purged_also_while_the_line_is_cut(site: MirrorSite) -> None:
    with site.watched() as watch:
        send(site, "onprem", EVENTS, 100)
        send(site, "cloud", ANSWERS, 60)
        behind(watch, EVENTS, 0)
        behind(watch, ANSWERS, 0)
        site.line.cut()
        purge(site, "onprem", EVENTS)
        site.line.mend()
        send(site, "onprem", EVENTS, 10)
        until(lambda: crossed(site.address("cloud"), EVENTS.name).total() == 110, "ten more", MIRROR_S)
        behind(watch, EVENTS, 0)
        assert lost(watch) == {}


def test_what_was_purged_before_it_crossed_is_found_and_told_once(site: MirrorSite) -> None:
    with site.watched() as watch:
        behind(watch, EVENTS, 0)
        site.processes.stop("mirror")
        send(site, "onprem", EVENTS, 50)
        send(site, "cloud", ANSWERS, 40)
        behind(watch, EVENTS, 50)
        behind(watch, ANSWERS, 40)
    purge(site, "onprem", EVENTS, left=20)  # the agent is away
    purge(site, "cloud", ANSWERS, left=25)
    expected = {(EVENTS.name, "purged"): 30, (ANSWERS.name, "purged"): 15}
    with site.watched() as watch:
        until(lambda: lost(watch) == expected, f"{expected}", seen=lambda: lost(watch))
    with site.watched() as watch:
        assert lost(watch) == expected, "as it was remembered"
        site.start_mirror()
        behind(watch, EVENTS, 0)
        behind(watch, ANSWERS, 0)
        assert lost(watch) == expected
    assert crossed(site.address("cloud"), EVENTS.name).total() == 110 + 20
    assert crossed(site.address("onprem"), ANSWERS.name).total() == 60 + 25


def test_what_the_mirror_skips_of_a_recreated_topic_is_found(site: MirrorSite) -> None:
    with site.watched() as watch:
        behind(watch, EVENTS, 0)
    site.processes.stop("mirror")
    admin = Admin(site.address("onprem"))
    (position,) = (end for end in admin.ends([EVENTS.name]).values() if end)
    admin.delete(EVENTS.name)
    until(lambda: EVENTS.name not in admin.topics(), "it is gone")
    admin.ensure([EVENTS], "onprem", 2)
    send(site, "onprem", EVENTS, position + 40)
    with site.watched() as watch:
        behind(watch, EVENTS, 40)
        site.start_mirror()
        behind(watch, EVENTS, 0)
        until(lambda: (EVENTS.name, "recreated") in lost(watch), "what was skipped", seen=lambda: watch.gaps)
        assert lost(watch)[EVENTS.name, "recreated"] == position
    assert crossed(site.address("cloud"), EVENTS.name).total() == 130 + 40
