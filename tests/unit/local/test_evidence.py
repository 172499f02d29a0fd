"""What a run left behind, counted: hosts that were named, rows that were left out."""

from __future__ import annotations

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Segment, Timeline
from hotpath.handoffs import HOSTS, HostClock
from hotpath.kafka import MemoryLog
from hotpath.local.evidence import hosts_flagged, rows_left_out
from hotpath.local.report import HostFlagged
from train.clocks import FUTURE, WRONG

REPLAY = Timeline((Segment(100 * DAY, 0, 60),))


def told(host: str, version: int, at: int, *intervals: list[int | None], pipeline: str = "p") -> bytes:
    first = 2 * HOUR
    state = "behind" if intervals else "new"
    record = HostClock(pipeline, host, version, state, None, first, at, 9, list(intervals), at)  # type: ignore[arg-type]
    return record.to_bytes()


def test_a_host_is_named_by_the_first_version_that_has_its_interval() -> None:
    """Two virtual hours after the start it is met, an hour later named: a real minute at 60 times."""
    log, bad = MemoryLog(), [2 * HOUR, None, 3 * HOUR]
    for version, at, intervals in ((1, 2 * HOUR, []), (2, 3 * HOUR, [bad]), (3, 5 * HOUR, [bad])):
        log.send(HOSTS, told("h", version, at, *intervals), b"p/h")
    log.send(HOSTS, told("good", 1, HOUR), b"p/good")
    log.send(HOSTS, told("another", 1, HOUR, bad, pipeline="q"), b"q/another")
    assert hosts_flagged(log, "p", REPLAY) == [HostFlagged("h", 3 * HOUR / SECOND, 60.0)]


def test_what_a_host_did_before_its_clock_went_wrong_is_not_counted() -> None:
    log = MemoryLog()
    log.send(HOSTS, told("h", 7, 10 * HOUR, [10 * HOUR - MINUTE, None, -HOUR]), b"p/h")
    assert hosts_flagged(log, "p", REPLAY) == [HostFlagged("h", -3600.0, 1.0)]


def test_the_newest_window_that_was_built_says_how_many_rows_were_left_out() -> None:
    built = {"left_out": {WRONG: 3, FUTURE: 2, "unlabelled": 9}}
    assert rows_left_out([{"left_out": {WRONG: 1}}, built, {"left_out": {}}, {}]) == 5
    assert rows_left_out([{}]) == 0
