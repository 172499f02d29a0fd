"""What answers is said again each day: a topic that forgets after a week never forgets the champion."""

from __future__ import annotations

from dataclasses import dataclass

from hotpath.champion import Champion, champion
from hotpath.clock import Clock, Micros
from hotpath.handoffs import RECEIPTS, Receipt
from hotpath.kafka import MemoryLog
from serve.folder import Pointer
from serve.metrics import Metrics
from serve.scorer import AGAIN_S, Scorer

WEEK_S = 7 * 86_400.0


@dataclass
class Told(Clock):
    """A clock that says what it is told: real seconds, and a domain's time that runs 120 times as fast."""

    real_s: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def elapsed(self) -> float:
        return self.real_s

    def now(self) -> Micros:
        return int(120 * self.real_s * 1e6)


class Hosts:
    """Two scorers at one topic; each remembers when a receipt was sent, so that the old can be forgotten."""

    def __init__(self) -> None:
        self.log, self.clock = MemoryLog(), Told()
        self.scorers = [Scorer(name, self.clock, self.log, Metrics()) for name in "ab"]
        self.sent: list[float] = []

    def tell(self, sequence: int, kind: str = "live") -> None:
        for scorer in self.scorers:
            scorer.tell("p", kind, Pointer(sequence, f"b{sequence}", 0), "")  # type: ignore[arg-type]
            self.clock.real_s += 3
        self.stamp()

    def pass_days(self, days: int) -> None:
        """One look an hour."""
        for _ in range(24 * days):
            self.clock.real_s += 3_600
            for scorer in self.scorers:
                scorer.say_again(self.clock.elapsed())
            self.stamp()

    def stamp(self) -> None:
        self.sent += [self.clock.real_s] * (len(self.log.entries) - len(self.sent))

    def standing(self) -> list[Receipt]:
        """What a topic that keeps a week still has."""
        young = [s > self.clock.real_s - WEEK_S for s in self.sent]
        kept = [e for e, y in zip(self.log.entries, young, strict=True) if y and e.topic == RECEIPTS]
        return Receipt.readable(e.value for e in kept)


def test_a_week_without_a_swap_leaves_the_champion_what_it_was() -> None:
    hosts = Hosts()
    hosts.tell(5)
    hosts.pass_days(30)
    assert champion(hosts.standing()) == Champion(5, "b5", ("a", "b"))
    assert len(hosts.log.entries) <= 2 * 31


def test_it_is_the_same_receipt_each_time_and_none_comes_within_the_day() -> None:
    hosts = Hosts()
    hosts.tell(5)
    said = [e.value for e in hosts.log.entries]
    hosts.scorers[0].say_again(AGAIN_S - 1)
    assert len(hosts.log.entries) == 2
    hosts.pass_days(3)
    assert {e.value for e in hosts.log.entries} == set(said)


def test_after_a_swap_or_a_rollback_the_new_word_is_repeated_and_a_refusal_never() -> None:
    hosts = Hosts()
    hosts.tell(5)
    hosts.tell(6)
    hosts.tell(5, "rolled_back")
    hosts.tell(7, "refused")
    before = len(hosts.log.entries)
    hosts.pass_days(2)
    again = Receipt.readable(e.value for e in hosts.log.entries[before:])
    assert {(r.scorer, r.kind, r.sequence) for r in again} == {(s, "rolled_back", 5) for s in "ab"}


def test_where_there_is_no_room_it_is_said_at_the_next_look() -> None:
    hosts = Hosts()
    hosts.tell(5)
    hosts.log.refuse = True
    hosts.pass_days(2)
    hosts.log.refuse = False
    before = len(hosts.log.entries)
    hosts.scorers[0].say_again(hosts.clock.elapsed())
    assert len(hosts.log.entries) == before + 1
