"""The replay: each record once, none early, over the seam where it meets the present."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.clock import DAY, MINUTE, SECOND, Micros, Segment, Timeline
from ingest.records import Due
from ingest.replay import PIECE, Replay, between


def records(*instants: Micros) -> list[Due]:
    return [Due(at, "t", str(n), b"", b"") for n, at in enumerate(sorted(instants))]


class Season:
    """Records by arrival, and the spans that were asked for."""

    def __init__(self, *instants: Micros) -> None:
        self.records = records(*instants)
        self.spans: list[tuple[Micros, Micros]] = []

    def due(self, since: Micros, until: Micros) -> list[Due]:
        self.spans.append((since, until))
        return [r for r in self.records if since <= r.at < until]


instants = st.lists(st.integers(0, 20 * MINUTE), max_size=60)
ticks = st.lists(st.integers(1, 30 * SECOND), min_size=1, max_size=60)


@given(instants, ticks)
def test_every_record_comes_once_in_order_and_none_early(due: list[Micros], steps: list[Micros]) -> None:
    season = Season(*due)
    replay, now, seen = Replay(season.due, 0), 0, list[Due]()
    for step in steps:
        now += step
        ready = list(replay.ready(now))
        assert all(r.at <= now for r in ready)
        seen += ready
    assert seen == [r for r in season.records if r.at <= now]


@settings(max_examples=10)
@given(instants)
def test_the_seam_to_the_present_loses_and_repeats_nothing(due: list[Micros]) -> None:
    """real     10:00 ---------- 10:10.17 (they meet) ---------- 10:20
    virtual   0:00 -- 60 times --------- ------- rate 1 -------
    """
    begun = 10 * MINUTE  # the replay starts ten virtual minutes behind the present
    season = Season(*due)
    line = Timeline((Segment(begun, 0, 60),))
    replay, seen, met = Replay(season.due, 0), list[tuple[Micros, Due]](), False
    for real in range(begun, 20 * MINUTE, 50_000):
        now = line.virtual(real)
        if now >= real and not met:
            met, line = True, line.then(Segment(real, real, 1))
        seen += [(real, r) for r in replay.ready(now)]
    assert met
    assert [r for _, r in seen] == [r for r in season.records if r.at <= now]
    assert all(line.virtual(real) >= r.at for real, r in seen), "none early"
    caught_up = 10 * MINUTE + 11 * SECOND
    assert all(real - r.at <= 50_000 for real, r in seen if r.at > caught_up), "then at the present's pace"


def test_a_record_that_could_not_be_sent_comes_again_first() -> None:
    replay = Replay(Season(1, 2, 3).due, 0)
    for record in replay.ready(2):
        replay.back(record)
        break
    assert [r.at for r in replay.ready(3)] == [1, 2, 3]


def test_a_long_span_is_composed_in_pieces_that_touch() -> None:
    season = Season(0, PIECE, 3 * DAY)
    assert list(between(season.due, 0, 3 * DAY)) == season.records[:2]
    ends = [end for _, end in season.spans]
    assert [start for start, _ in season.spans] == [0, *ends[:-1]]
    assert ends[-1] == 3 * DAY
