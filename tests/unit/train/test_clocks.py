"""What a run takes from the topic of host clocks."""

import pytest

from hotpath.errors import BadArtifact
from hotpath.handoffs import HOSTS, BadInterval, HostClock
from hotpath.kafka import MemoryLog, standing
from train.clocks import Clocks


def entry(host: str, *intervals: list[int | None], pipeline: str = "flights") -> HostClock:
    return HostClock(pipeline, host, 1, "behind", 7, 0, 99, 5, list(intervals), 50)


def told(*entries: HostClock) -> MemoryLog:
    log = MemoryLog()
    for said in entries:
        log.send(HOSTS, said.to_bytes(), f"{said.pipeline}/{said.host}".encode())
    return log


def test_of_each_host_the_newest_record_of_this_pipeline_counts() -> None:
    log = told(
        entry("b", [1, None, 7]),
        entry("a", [5, 9, 7], [20, None, 8]),
        entry("b", [1, 4, 7]),
        entry("c", [1, None, 7], pipeline="payments"),
        entry("gone", [1, None, 7]),
    )
    log.send(HOSTS, None, b"flights/gone")
    assert Clocks.standing(standing(log, HOSTS), "flights", 3) == Clocks(
        3, (BadInterval("a", 5, 9, 7), BadInterval("a", 20, None, 8), BadInterval("b", 1, 4, 7))
    )


def test_an_empty_topic_knows_of_no_wrong_clock() -> None:
    assert Clocks.standing([], "flights", 3) == Clocks(3)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"host": "a"}',
        entry("b").to_bytes(),
        entry("a", pipeline="payments").to_bytes(),
        *(entry("a", [1, 2, 3]).to_bytes().replace(b"[1,2,3]", bad) for bad in (b"7", b"[1,2]", b'[1,"",3]')),
        entry("a", [1, 2, 3]).to_bytes().replace(b"[1,2,3]", b"[1,2,18446744073709551615]"),
    ],
)
def test_a_record_that_is_no_entry_of_its_key_hides_no_wrong_clock_and_ends_no_run(value: bytes) -> None:
    log = told(entry("a", [1, None, 7]))
    log.send(HOSTS, value, b"flights/a")
    log.send(HOSTS, value, b"flights/strange")
    assert Clocks.standing(standing(log, HOSTS), "flights", 3).intervals == (BadInterval("a", 1, None, 7),)


#    |------ window (10, 20] ------|
def test_only_intervals_that_touch_the_window_are_applied() -> None:
    touching = [(1, 11), (10, 12), (20, None), (1, None)]
    apart = [(1, 10), (21, None)]
    known = Clocks(0, tuple(BadInterval("a", *span, offset=7) for span in [*touching, *apart]))
    assert [(b.since, b.until) for b in known.within(10, 20).intervals] == touching


def test_a_runs_file_is_read_as_it_was_written() -> None:
    known = Clocks(3, (BadInterval("a", 1, None, -7),))
    assert Clocks.from_bytes(known.to_bytes()) == known
    for harmed in (b"{}", b"[", b'{"tolerance": 1, "intervals": [{"host": "a"}]}'):
        with pytest.raises(BadArtifact):
            Clocks.from_bytes(harmed)
