"""The other way to the live AUC: the on-prem topics themselves, counted by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from hotpath.clock import HOUR, MINUTE, SECOND, Segment, Timeline
from hotpath.handoffs import ARRIVED_HEADER, IMPORT_HEADER, Score, scores_topic
from hotpath.kafka import Entry, MemoryLog
from hotpath.local.live_quality import LiveQuality, live_quality, read
from tests.contract.samples import small

CONTRACT = small("horizon: 24h", "horizon: 1h")
START = 1_795_000_000_000_000
BEGAN = START + 1000 * HOUR
# One real second is one virtual minute.
TIMELINE = Timeline((Segment(real=BEGAN, virtual=START, rate=60),))


@dataclass
class Topics:
    """The on-prem topics; every record is stamped `at` seconds after BEGAN."""

    log: MemoryLog = field(default_factory=MemoryLog)

    def score(self, name: str, who: str | None, score: float | None, at: int) -> None:
        asked = TIMELINE.virtual(BEGAN + at * SECOND)
        value = Score(name, "small", who, {}, [], score, "accept", 0.5, "b", 1, "f", asked, asked, [])
        self.put(scores_topic("small"), value.to_bytes(), at)

    def label(self, who: str, truth: bool, at: int, headers: dict[str, bytes] | None = None) -> None:
        value = f'{{"who": "{who}", "truth": {str(truth).lower()}, "seen": "2026-11-20T09:00:00Z"}}'
        self.put("small.answered", value.encode(), at, headers)

    def put(self, topic: str, value: bytes, at: int, headers: dict[str, bytes] | None = None) -> None:
        offset = len(self.log.entries)
        self.log.entries.append(Entry(topic, 0, offset, None, value, headers or {}, BEGAN + at * SECOND))

    def quality(self) -> LiveQuality:
        return live_quality(*read(self.log, CONTRACT, TIMELINE), CONTRACT.labels.horizon)


def test_answers_and_labels_are_read_from_the_topics_and_joined_by_the_brokers_clock() -> None:
    topics = Topics()
    topics.score("p1", "a", 0.9, at=0)
    topics.score("p2", "b", 0.2, at=0)
    topics.score("p3", "c", 0.1, at=0)
    topics.label("a", True, at=10)
    topics.label("b", False, at=60)
    topics.label("c", True, at=61)  # an hour and a minute of the replay: too late
    assert topics.quality() == LiveQuality(1.0, 2 / 3)


def test_what_is_no_record_is_passed_over_and_what_comes_twice_counts_once() -> None:
    topics = Topics()
    for _ in range(2):
        topics.score("p1", "a", 0.9, at=0)
    topics.score("p2", None, None, at=0)
    topics.put(scores_topic("small"), b"torn", 1)
    topics.put("small.answered", b'{"who": 1}', 1)
    topics.label("a", True, at=10)
    assert topics.quality() == LiveQuality(None, 0.5)


def test_imported_history_arrived_when_its_header_says_unless_that_lies_ahead() -> None:
    for claimed, coverage in ((START - 1, 0.0), (START + HOUR, 1.0), (START + 5 * HOUR, 0.0)):
        topics = Topics()
        topics.score("p1", "a", 0.9, at=0)
        header = {IMPORT_HEADER: b"history", ARRIVED_HEADER: str(claimed).encode()}
        topics.label("a", True, at=120, headers=header)
        assert topics.quality().coverage == coverage


def test_answers_of_before_a_given_instant_can_be_left_out() -> None:
    topics = Topics()
    topics.score("p1", "a", 0.9, at=0)
    topics.score("p2", "a", 0.9, at=5)
    assert [a[2] for a in read(topics.log, CONTRACT, TIMELINE, START + 5 * MINUTE)[0]] == [START + 5 * MINUTE]


def test_nothing_asked_has_no_coverage() -> None:
    assert live_quality([], [], HOUR) == LiveQuality(None, None)
