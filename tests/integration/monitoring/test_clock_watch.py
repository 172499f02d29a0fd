"""The watch over a real lake's files: what it announces, what it says, and that a kill changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hotpath.clock import HOUR, SECOND, Clock, Micros
from hotpath.errors import Unavailable
from hotpath.handoffs import HOSTS, MARKS, POINTS, HostClock, Mark
from hotpath.kafka import Delivered, Entry, Headers, MemoryLog
from hotpath.lake import Lake
from hotpath.points import Point, Points
from monitoring.clock_watch import FILE, ClockWatch
from tests.integration.train.lakes import land
from tests.integration.train.parcels import CONTRACT, one_event
from tests.unit.monitoring.clocks import RULES, START, TEN_YEARS, Row, honest, window

W = RULES.window


class Hand(Clock):
    """A clock moved by hand."""

    at: Micros = START
    ran: float = 0.0

    def real(self) -> Micros:
        return self.at

    def elapsed(self) -> float:
        return self.ran

    def pass_by(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)
        self.ran += seconds


@dataclass
class Site:
    """A lake that batches land in, and what a watch says of it."""

    folder: Path
    log: MemoryLog = field(default_factory=MemoryLog)
    clock: Hand = field(default_factory=Hand)

    @property
    def lake(self) -> Lake:
        return Lake(self.folder / "lake", CONTRACT.name)

    def watch(self, memory: str = "memory") -> ClockWatch:
        points = Points(self.log, self.clock, {})
        return ClockWatch(self.lake, CONTRACT, RULES, self.log, points, self.clock, self.folder / memory)

    def land(self, batches: Sequence[Sequence[Row]], imported: bool = False) -> None:
        for number, rows in enumerate(batches, start=len(self.lake.manifests())):
            events = [
                {**one_event(n, at), "host": host, "time": at - late, "imported": imported}
                for n, (host, at, late) in enumerate(rows)
            ]
            land(self.lake, CONTRACT, number, events, [])

    def feed(self, watch: ClockWatch) -> ClockWatch:
        """Whatever the watch has not taken, a look after each batch, as the root does it."""
        for manifest in self.lake.manifests():
            watch.take(manifest)
            self.clock.pass_by(6)
            watch.tick()
        return watch

    def said(self) -> list[HostClock]:
        return [HostClock.from_bytes(e.value) for e in self.log.entries if e.topic == HOSTS]

    def points(self, measurement: str) -> list[Point]:
        found = [Point.parse((e.value or b"").decode()) for e in self.log.entries if e.topic == POINTS]
        return [point for point in found if point.measurement == measurement]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


WRONG_FROM_2 = [window(n, honest("bad") if n < 2 else honest(bad=10_800.0)) for n in range(6)]
"""Six windows, a batch each; from the third on a host is three hours behind."""


def plain(hosts: dict[str, HostClock]) -> dict[str, HostClock]:
    """What a ledger says, whenever and however often it said it."""
    return {name: replace(host, version=0, at=0) for name, host in hosts.items()}


def test_a_wrong_host_is_announced_once_new_once_good_once_bad(site: Site) -> None:
    watch = site.watch()
    site.land(WRONG_FROM_2)
    site.feed(watch)
    told = [entry for entry in site.said() if entry.host == "bad"]
    assert [(e.version, e.state) for e in told] == [(1, "new"), (2, "good"), (3, "behind")]
    (bad,) = told[-1].bad()
    assert (bad.since, bad.until) == (START + W, None)
    assert bad.offset == pytest.approx(3 * HOUR, abs=SECOND // 2)
    assert {e.state for e in site.said() if e.host != "bad"} == {"new", "good"}
    assert {e.key for e in site.log.entries if e.topic == HOSTS} >= {b"parcels/bad", b"parcels/h0"}


def test_it_is_known_when_a_host_was_named(site: Site) -> None:
    site.land(WRONG_FROM_2)
    watch = site.feed(site.watch())
    (named,) = watch.named()
    assert (named.host, named.since, named.until) == ("bad", START + W, None)
    assert named.at == next(e.at for e in site.said() if e.state == "behind")
    assert site.feed(site.watch()).named() == (named,)


def test_a_restart_says_nothing_anew(site: Site) -> None:
    site.land(WRONG_FROM_2)
    first = site.feed(site.watch())
    said = site.said()
    again = site.watch()
    assert again.cursor == first.cursor == 6
    again.tick()
    assert site.said() == said
    assert again.hosts() == first.hosts()


def test_a_lost_or_harmed_memory_is_rebuilt_from_the_lake_and_says_nothing_anew(site: Site) -> None:
    site.land(WRONG_FROM_2)
    first = site.feed(site.watch())
    said = site.said()
    (site.folder / "memory" / FILE).write_text('{"format": 0}')
    for memory in ("memory", "elsewhere"):
        again = site.watch(memory)
        assert again.cursor == 0
        assert site.feed(again).hosts() == first.hosts()
        assert again.named() == first.named()
    assert site.said() == said


@pytest.mark.parametrize("killed_after", range(7))
def test_a_watch_killed_after_any_batch_comes_to_the_same_ledger(site: Site, killed_after: int) -> None:
    """Killed once with its file as it stood one batch earlier, as if it had been killed before the write."""
    site.land([*WRONG_FROM_2, window(6, honest("bad"))])
    undisturbed = dict(site.feed(site.watch()).hosts())
    other = Site(site.folder)
    watch = other.watch("killed")
    for manifest in other.lake.manifests()[:killed_after]:
        if (other.folder / "killed").exists():
            shutil.copytree(other.folder / "killed", other.folder / "earlier", dirs_exist_ok=True)
        watch.take(manifest)
        other.clock.pass_by(6)
        watch.tick()
    assert plain(dict(other.feed(other.watch("earlier")).hosts())) == plain(undisturbed)
    assert plain(dict(other.feed(other.watch("killed")).hosts())) == plain(undisturbed)


def test_nothing_is_said_while_old_batches_are_caught_up_with(site: Site) -> None:
    site.land(WRONG_FROM_2)
    watch = site.watch()
    for manifest in site.lake.manifests()[:-1]:
        watch.take(manifest)
        watch.tick()
        assert site.said() == []
    site.feed(watch)
    assert {e.version for e in site.said()} == {1}


def test_hosts_of_an_import_are_known_and_none_is_news(site: Site) -> None:
    site.land([window(0, honest())], imported=True)
    watch = site.feed(site.watch())
    assert {e.state for e in site.said()} == {"good"}
    site.land([window(1, honest("young"))])
    site.feed(watch)
    assert [e.host for e in site.said() if e.state == "new"] == ["young"]
    assert sum(p.fields["new"] or 0 for p in site.points("clocks")) == 1


def test_what_the_log_refuses_is_said_later(site: Site) -> None:
    site.land(WRONG_FROM_2)
    site.log.refuse = True
    watch = site.feed(site.watch())
    assert site.said() == []
    site.log.refuse = False
    watch.tick()
    assert {e.host: e.state for e in site.said()}["bad"] == "behind"


@dataclass
class Forgetful(MemoryLog):
    """Takes every record, gives the first ones up later, and tells so only when it is asked."""

    lost: int = 0
    given_up: list[Delivered] = field(default_factory=list)

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        on_delivery: Delivered | None = None,
    ) -> bool:
        if topic != HOSTS or self.lost == 0 or on_delivery is None:
            return super().send(topic, value, key, headers, on_delivery)
        self.lost -= 1
        self.given_up.append(on_delivery)
        return True

    def flush(self, deadline_s: float) -> int:
        while self.given_up:
            self.given_up.pop()(Unavailable("delivery", "timed out", "an acknowledgement"))
        return super().flush(deadline_s)


def test_what_the_log_took_and_gave_up_is_said_again(site: Site) -> None:
    site.log = Forgetful(lost=3)
    site.land(WRONG_FROM_2)
    watch = site.feed(site.watch())
    watch.tick()
    assert {e.host for e in site.said()} == set(watch.hosts())


def test_a_record_that_is_no_entry_ends_nothing_and_what_it_lies_on_is_said_again(site: Site) -> None:
    site.land(WRONG_FROM_2)
    first = site.feed(site.watch())
    for host in (b"bad", b"nobody"):
        site.log.send(HOSTS, b"[]", b"parcels/" + host)
    watch = site.feed(site.watch())
    newest = {e.key: e.value for e in site.log.entries if e.topic == HOSTS}
    assert plain({"bad": HostClock.from_bytes(newest[b"parcels/bad"])}) == plain(
        {"bad": first.hosts()["bad"]}
    )
    assert watch.named() == first.named()


def test_windows_and_the_ledger_are_measured(site: Site) -> None:
    watch = site.watch()
    site.land([[*rows, ("h0", rows[0][1] + SECOND, -TEN_YEARS)] for rows in WRONG_FROM_2])
    site.feed(watch)
    bad = [p.fields for p in site.points("clock") if p.tags["host"] == "bad"]
    assert [f["bad"] for f in bad] == [0, 0, 0, 1]
    assert [round(float(f["offset_s"] or 0)) for f in bad] == [0, 0, 10_800, 10_800]
    newest = site.points("clocks")[-1]
    assert newest.tags == {"pipeline": "parcels"}
    assert (newest.fields["flagged"], newest.fields["hosts"]) == (1, 7)
    assert sum(p.fields["ahead"] or 0 for p in site.points("clocks")) == 6
    assert sum(p.fields["new"] or 0 for p in site.points("clocks")) == 7


def a_mark(second: int) -> Entry:
    stamped = START + second * SECOND
    value = Mark("onprem", stamped // SECOND, stamped).to_bytes()
    return Entry(MARKS, 0, second, b"onprem", value, {}, stamped)


def test_a_monitor_whose_clock_jumps_is_named_and_no_host(site: Site) -> None:
    watch = site.watch()
    site.land([window(n, honest()) for n in range(4)])
    jumped = 0
    for second in range(240):
        jumped = HOUR if second >= 90 else 0
        site.clock.at, site.clock.ran = START + second * SECOND + jumped, float(second)
        watch.mark(a_mark(second), START + second * SECOND + SECOND // 5 + jumped)
        for manifest in site.lake.manifests()[: second // 30]:
            watch.take(manifest)
        watch.tick()
    assert watch.wrong() == "monitor"
    named = [p for p in site.points("clocks") if p.fields["monitor_wrong"]]
    assert named
    assert (min(p.at for p in named) - START - HOUR) / SECOND - 90 < 180
    assert not any(host.intervals for host in watch.hosts().values())
    line = site.points("line")
    assert len(line) == 240
    assert float(line[-1].fields["silence_s"] or 0) < 2
    assert round(float(line[-1].fields["difference_s"] or 0)) == -3600


#   w0..w3 all sound | w4..w7 the broker is a day ahead | w8..w13 sound again, one host three hours behind
def test_a_broker_that_was_ahead_and_is_set_back_blinds_nobody(site: Site) -> None:
    watch, day = site.watch(), 86_400 * SECOND
    told = [window(n, honest(bad=10_800.0 if n >= 8 else 0.05)) for n in range(14)]
    ahead = [[(host, at + day, late + day) for host, at, late in rows] for rows in told[4:8]]
    site.land([*told[:4], *ahead, *told[8:]])
    named: dict[int, list[str]] = {}
    for second in range(14 * 30 + 60):
        site.clock.at, site.clock.ran = START + second * SECOND, float(second)
        watch.mark(a_mark(second + 86_400 if 120 <= second < 240 else second), site.clock.at)
        for manifest in site.lake.manifests()[: second // 30]:
            watch.take(manifest)
        watch.tick()
        named[second] = [name for name, host in watch.hosts().items() if host.intervals]
    assert not any(named[second] for second in range(300))
    assert named[479] == ["bad"]


def test_a_line_that_is_cut_and_drains_is_silent_and_names_nobody(site: Site) -> None:
    site.land([window(n, honest()) for n in range(2)])
    watch = site.feed(site.watch())
    for second in range(60):
        site.clock.pass_by(1)
        watch.mark(a_mark(second), site.clock.at)
    site.clock.at, site.clock.ran = START + 1860 * SECOND, site.clock.ran + 1800
    watch.tick()
    assert float(site.points("line")[-1].fields["silence_s"] or 0) >= 1799
    for second in range(60, 1861):
        watch.mark(a_mark(second), site.clock.at)
        assert watch.wrong() in ("nobody", "unknown")
    site.clock.pass_by(1)
    watch.tick()
    assert float(site.points("line")[-1].fields["silence_s"] or 0) < 3
    assert not any(p.fields["monitor_wrong"] or p.fields["onprem_wrong"] for p in site.points("clocks"))


def test_a_file_of_a_contract_that_named_its_columns_otherwise_is_passed_over(site: Site) -> None:
    event = {**one_event(0, START), "host": "a"}
    land(
        site.lake,
        CONTRACT,
        0,
        [event],
        [],
        change=lambda table: table.rename_columns(_other(table.column_names)),
    )
    watch = site.feed(site.watch())
    assert (watch.cursor, dict(watch.hosts())) == (1, {})


def _other(names: Sequence[str]) -> list[str]:
    return ["machine" if name == "host" else name for name in names]
