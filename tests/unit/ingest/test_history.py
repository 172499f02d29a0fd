"""The import: it ends only when all of it stands in the cloud, and knows where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotpath.errors import BadInput, Unavailable
from hotpath.handoffs import IMPORT_HEADER
from hotpath.kafka import MemoryLog
from hotpath.lake import Import
from ingest.history import SILENCE_S, TOLD_EVERY, History
from ingest.ledger import Ledger
from ingest.records import Due
from ingest.sender import Sender

OURS = {IMPORT_HEADER: b"i"}


@dataclass
class Watched:
    """An import with a stopwatch that gains ten seconds a look, and what it told."""

    told: list[int] = field(default_factory=list)
    seconds: float = 0.0
    stop: bool = False

    def history(self) -> History:
        return History("i", lambda c: self.told.append(c.total()), lambda: self.stop, self.elapsed)

    def elapsed(self) -> float:
        self.seconds += 10
        return self.seconds


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    with closing(Ledger(tmp_path, ["t"])) as notes:
        yield Sender(MemoryLog(), notes, {})


def dues(count: int) -> list[Due]:
    return [Due(n, "t", str(n), b"", b"") for n in range(count)]


def cloud(*headers: tuple[str, dict[str, bytes]]) -> MemoryLog:
    log = MemoryLog()
    for topic, header in headers:
        log.send(topic, b"", headers=header)
    return log


def test_every_record_is_sent_and_counted(sender: Sender) -> None:
    watched = Watched()
    assert watched.history().sent(dues(TOLD_EVERY + 1), sender) == {"t": TOLD_EVERY + 1}
    assert watched.told == [TOLD_EVERY]


def test_an_import_that_is_told_to_stop_ends(sender: Sender) -> None:
    watched = Watched(stop=True)
    assert watched.history().sent(dues(2), sender) is None
    assert watched.history().crossed(cloud(("t", OURS)).tail(["t"]), Counter(t=2)) is None


def test_the_offsets_between_first_and_last_of_each_topic_are_the_imports() -> None:
    other = {IMPORT_HEADER: b"another"}
    log = cloud(("t", {}), ("t", OURS), ("u", OURS), ("t", other), ("t", OURS), ("t", {}))
    done = Watched().history().crossed(log.tail(["t", "u"]), Counter(t=2, u=1))
    assert done == Import("i", {"t": {0: (1, 3)}, "u": {0: (0, 0)}})


def test_an_import_that_does_not_come_across_fails_after_a_silence() -> None:
    watched = Watched()
    with pytest.raises(Unavailable, match="import i"):
        watched.history().crossed(cloud(("t", OURS)).tail(["t"]), Counter(t=2))
    assert watched.seconds <= SILENCE_S + 40


def test_an_import_that_others_claim_is_refused() -> None:
    log = cloud(("t", OURS), ("t", OURS), ("u", OURS))
    with pytest.raises(BadInput, match="others claim"):
        Watched().history().crossed(log.tail(["t", "u"]), Counter(t=1, u=1))
