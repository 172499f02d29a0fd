"""Ledger and sender: each record is sent and noted once, whatever was killed before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from hotpath.contract.model import Contract
from hotpath.errors import Unavailable
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER
from hotpath.kafka import MemoryLog
from ingest import ledger
from ingest.ledger import Ledger
from ingest.records import Due
from ingest.sender import Sender, found

TOPIC = "flights.status"


def event(name: str, at: int = 5) -> Due:
    return Due(at, TOPIC, name, b"flight", orjson.dumps({"event_id": name}))


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path, [TOPIC])) as opened:
        yield opened


def test_a_record_is_noted_when_it_is_acknowledged(notes: Ledger, tmp_path: Path) -> None:
    log = MemoryLog()
    assert Sender(log, notes, {}).send(event("a"))
    notes.flush()
    assert ledger.read(tmp_path, TOPIC) == ["a"]
    assert notes.counts() == {TOPIC: 1}


def test_a_full_queue_sends_and_notes_nothing(notes: Ledger) -> None:
    assert not Sender(MemoryLog(refuse=True), notes, {}).send(event("a"))
    assert notes.counts() == {TOPIC: 0}


@dataclass
class Refusing(MemoryLog):
    """A broker that acknowledges nothing."""

    why: Exception = field(default_factory=lambda: Unavailable("delivery", "timed out", "an acknowledgement"))

    def send(self, *_: object, **__: object) -> bool:
        raise self.why


def test_a_record_that_is_not_acknowledged_ends_the_run(notes: Ledger) -> None:
    with pytest.raises(Unavailable):
        Sender(Refusing(), notes, {}).send(event("a"))
    assert notes.counts() == {TOPIC: 0}


def test_after_a_kill_what_stands_in_the_topic_is_noted_and_not_sent_again(
    notes: Ledger, contract: Contract, tmp_path: Path
) -> None:
    log = MemoryLog()
    Sender(log, notes, {}).send(event("a"))  # killed here: the note never reached the disk
    with closing(Ledger(tmp_path / "again", [TOPIC])) as after:
        sender = Sender(log, after, found(log, contract.events, contract.labels))
        assert sender.send(event("a"))
        assert sender.send(event("b"))
        assert after.counts() == {TOPIC: 2}
    assert [e.value for e in log.entries] == [event("a").value, event("b").value]


def test_a_record_of_another_does_not_stand_for_one_of_the_import(notes: Ledger, contract: Contract) -> None:
    """Somebody produced an event with an id of the history before it was imported."""
    log = MemoryLog()
    log.send(TOPIC, event("a").value)
    sender = Sender(log, notes, found(log, contract.events, contract.labels))
    sender.send(event("a"), "history-1")
    assert [dict(e.headers) for e in log.entries] == [
        {},
        {ARRIVED_HEADER: b"5", IMPORT_HEADER: b"history-1"},
    ]


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"event_id": 1}'])
def test_a_record_without_an_id_is_passed_over(contract: Contract, value: bytes | None) -> None:
    log = MemoryLog()
    log.send(TOPIC, value)
    assert found(log, contract.events, contract.labels) == {}


def test_a_line_that_a_kill_tore_is_forgotten(tmp_path: Path) -> None:
    ledger.path(tmp_path, TOPIC).write_bytes(b"a\nhalf-an-i")
    with closing(Ledger(tmp_path, [TOPIC])) as after:
        after.note(TOPIC, "b")
    assert ledger.read(tmp_path, TOPIC) == ["a", "b"]


@pytest.mark.parametrize("stood", [0, 1, 2])
def test_an_event_that_is_sent_twice_stands_twice_after_a_kill(
    notes: Ledger, contract: Contract, stood: int
) -> None:
    """Killed when so many of the two copies stood in the topic, with none of them noted."""
    log, copies = MemoryLog(), (event("a"), event("a").again())
    for record in copies[:stood]:
        log.send(TOPIC, record.value)
    sender = Sender(log, notes, found(log, contract.events, contract.labels))
    for record in (*copies, *copies):
        assert sender.send(record)
    assert [e.value for e in log.entries] == [event("a").value] * 2
    assert notes.counts() == {TOPIC: 2}


def test_a_pipeline_begins_when_it_was_first_started(tmp_path: Path) -> None:
    assert [ledger.begins(tmp_path, "p", now) for now in (5, 9)] == [5, 5]
    assert ledger.begins(tmp_path, "q", 9) == 9
