"""What a reader can never have any more is found, sized, told once; what it has taken is no gap."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.errors import BadArtifact
from monitoring.gaps import MOST_AT_ONCE, Gap, Look, Seen, looked, step
from monitoring.remembered import STANDS, Remembered

PLACE = ("events", 0)


def sizes(gaps: tuple[Gap, ...]) -> list[tuple[int, int, str]]:
    return [(gap.first, gap.end, gap.why) for gap in gaps]


def test_purged_while_the_reader_is_away() -> None:
    #  |---- purged ----|=== held ===|      the reader stands at 100
    # 100              400          950
    seen, gaps = step(Seen("A", 900, 100), Look("A", 400, 950))
    assert sizes(gaps) == [(100, 400, "purged")]
    assert (seen.next, seen.end) == (400, 950)


def test_a_gap_is_told_once_and_what_is_purged_after_it_is_told_of_itself() -> None:
    seen, _ = step(Seen("A", 900, 100), Look("A", 400, 950))
    seen, again = step(seen, Look("A", 400, 950))
    assert again == ()
    seen, more = step(seen, Look("A", 450, 950))
    assert sizes(more) == [(400, 450, "purged")]
    seen, back = step(seen, Look("A", 450, 960, (451, 700)))
    assert (back, seen.next) == ((), 700)


def test_what_was_taken_before_it_was_purged_is_no_gap() -> None:
    assert step(Seen("A", 900, 900), Look("A", 900, 900))[1] == ()
    # Taken and purged between two looks.
    assert step(Seen("A", 900, 100), Look("A", 220, 950, (150, 200, 250)))[1] == ()


def test_a_step_longer_than_a_transaction_over_what_is_purged_has_skipped_it() -> None:
    back = 100 + MOST_AT_ONCE + 1
    seen, gaps = step(Seen("A", 900, 100), Look("A", back - 1, back + 9, (back,)))
    assert sizes(gaps) == [(100, back - 1, "purged")]
    assert seen.next == back
    assert step(Seen("A", 900, 100), Look("A", back - 1, back, (back,)), most=None)[1] == ()


def test_a_reader_that_has_not_spoken_begins_with_what_there_is() -> None:
    seen, gaps = step(None, Look("A", 40, 90))
    assert (seen.next, gaps) == (40, ())
    assert sizes(step(seen, Look("A", 60, 90))[1]) == [(40, 60, "purged")]


def test_a_first_look_at_a_reader_whose_position_is_purged_shows_the_gap() -> None:
    assert sizes(step(None, Look("A", 40, 90, (10, 20)))[1]) == [(20, 40, "purged")]


def test_of_a_recreated_topic_the_rest_of_the_old_one_is_lost() -> None:
    seen, gaps = step(Seen("A", 900, 850), Look("B", 0, 10))
    assert sizes(gaps) == [(850, 900, "recreated")]
    assert seen == Seen("B", 10, 0, old=850)


def test_a_recreated_topic_that_was_taken_whole_is_no_gap_where_the_reader_begins_anew() -> None:
    # The last positions in the old one come with the look that shows the new one.
    seen, gaps = step(Seen("A", 900, 850), Look("B", 0, 10, (900, 912)))
    assert (gaps, seen.old) == ((), 912)
    assert step(seen, Look("B", 0, 500, (20, 480)))[1] == ()


def test_a_reader_that_resumes_at_its_old_position_skips_the_beginning_of_the_new_topic() -> None:
    seen, _ = step(Seen("A", 850, 850), Look("B", 0, 900))
    seen, gaps = step(seen, Look("B", 0, 1000, (950,)))
    assert sizes(gaps) == [(0, 850, "recreated")]
    assert step(seen, Look("B", 900, 1000, (1000,)))[1] == ()


def test_a_log_that_ends_before_the_position_is_another_one() -> None:
    _, gaps = step(Seen("A", 900, 850), Look("A", 5, 10))
    assert sizes(gaps) == [(850, 900, "recreated")]


def test_a_topic_that_is_away_stays_as_it_was_seen() -> None:
    seen = {PLACE: Seen("A", 900, 850)}
    known, found = looked(seen, {})
    assert (known, found) == (seen, [])


@given(st.data())
def test_every_offset_of_a_log_is_taken_or_told_exactly_once(data: st.DataObject) -> None:
    """A reader that takes, a retention that purges, a reader that jumps to what is left, looked at."""
    seen: Seen | None = Seen("A", 0, 0)
    start = end = position = 0
    taken: set[int] = set()
    told: list[int] = []
    for _ in range(data.draw(st.integers(1, 12))):
        end += data.draw(st.integers(0, 50))
        start = data.draw(st.integers(start, end))
        steps = []
        look = Look("A", start, end)  # the log is asked before the reader's word is read
        if data.draw(st.booleans()):
            if position < start:  # what it cannot have was seen as missing before it went on
                seen, gaps = step(seen, look)
                told += [n for gap in gaps for n in range(gap.first, gap.end)]
                position = start
            upto = data.draw(st.integers(position, end))
            taken |= set(range(position, upto))
            steps, position = ([upto] if upto > position else []), upto
        seen, gaps = step(seen, dataclasses.replace(look, taken=tuple(steps)))
        told += [n for gap in gaps for n in range(gap.first, gap.end)]
    assert sorted([*taken, *told]) == list(range(max(position, start)))


def test_what_is_remembered_outlives_the_process() -> None:
    gap = Gap(100, 400, "purged")
    memory = Remembered().after({0: 7}, {PLACE: Seen("A", 900, 400, None)}, [(PLACE, gap)], now=5)
    again = Remembered.from_bytes(memory.to_bytes(), "file")
    assert again == memory
    assert again.standing(6) == {("events", 0, "purged"): 300}
    assert again.standing(5 + STANDS) == {}
    assert again.after({}, {}, [(PLACE, gap)], now=5 + STANDS).standing(5 + STANDS) == {
        ("events", 0, "purged"): 300
    }


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"format":0}', b'{"format":1,"read":[],"seen":[[1]],"found":[]}']
)
def test_a_spoilt_memory_is_named(raw: bytes) -> None:
    with pytest.raises(BadArtifact, match="what is remembered of gaps"):
        Remembered.from_bytes(raw, "file")
