"""The champion by receipts: swaps, rollbacks, scorers that come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.champion import SEEN, champion, unheard
from hotpath.clock import MINUTE
from hotpath.handoffs import Announcement, Receipt

KINDS = ("admitted", "refused", "live", "rolled_back")


def said(scorer: str, kind: str, sequence: int, minute: float) -> Receipt:
    return Receipt("p", scorer, sequence, f"b{sequence}", kind, "", int(minute * MINUTE))  # type: ignore[arg-type]


def live(receipts: list[Receipt]) -> int | None:
    found = champion(receipts)
    return None if found is None else found.sequence


def test_before_the_first_model_there_is_none() -> None:
    assert champion([]) is None
    assert champion([said("host", "admitted", 1, 0), said("host", "refused", 2, 1)]) is None


# minute     0        120
# a        live 5   live 6
# b        live 5   (2 s later) live 6
def test_while_a_swap_is_under_way_it_is_what_all_have_reached() -> None:
    before = [said("a", "live", 5, 0), said("b", "live", 5, 0)]
    heard = said("b", "refused", 4, 119)
    half = [*before, heard, said("a", "live", 6, 120)]
    assert live(before) == 5
    assert live(half) == 5
    assert live([*half, said("b", "live", 6, 120.1)]) == 6


def test_a_rollback_that_one_scorer_has_made_counts_at_once() -> None:
    both = [said(s, "live", n, m) for n, m in ((5, 0), (6, 60)) for s in "ab"]
    found = champion([*both, said("a", "rolled_back", 5, 61)])
    assert found is not None
    assert (found.sequence, found.bundle, found.scorers) == (5, "b5", ("a", "b"))


def test_a_scorer_that_is_silent_while_others_swap_is_gone() -> None:
    receipts = [said("gone", "live", 3, 0), said("a", "live", 3, 0), said("a", "live", 4, 10.1)]
    assert live(receipts) == 4


def test_a_line_that_is_cut_for_a_day_changes_nothing() -> None:
    """No receipt says so, and none needs to: nothing is asked of the present."""
    assert live([said("a", "live", 3, 0), said("b", "live", 3, 1)]) == 3


def test_a_scorer_that_refuses_what_others_took_holds_the_champion_back() -> None:
    receipts = [said(s, "live", 3, 0) for s in "ab"]
    assert live([*receipts, said("a", "live", 4, 60), said("b", "refused", 4, 60)]) == 3


@st.composite
def histories(draw: st.DrawFn) -> list[Receipt]:
    """Receipts with a time of their own each."""
    count = draw(st.integers(0, 12))
    return [
        said(
            draw(st.sampled_from("abc")),
            draw(st.sampled_from(KINDS)),
            draw(st.integers(1, 6)),
            5 * number + draw(st.sampled_from([0, 3])),
        )
        for number in range(count)
    ]


@given(histories(), st.randoms())
def test_the_order_in_which_receipts_are_read_says_nothing(history: list[Receipt], chance: object) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert champion(shuffled) == champion(history)


@given(histories())
def test_every_scorer_that_counts_has_reached_it_and_one_answers_with_it(history: list[Receipt]) -> None:
    if (found := champion(history)) is None:
        assert not any(r.kind in ("live", "rolled_back") for r in history)
        return
    now = {
        s: [r for r in history if r.scorer == s and r.kind in ("live", "rolled_back")][-1].sequence
        for s in found.scorers
    }
    assert min(now.values()) == found.sequence


@given(histories())
def test_who_vanishes_for_ten_minutes_no_longer_counts(history: list[Receipt]) -> None:
    newest = max((r.at for r in history), default=0)
    after = said("new", "live", 9, (newest + SEEN) / MINUTE + 1)
    found = champion([*history, after])
    assert found is not None
    assert (found.sequence, found.scorers) == (9, ("new",))


def announced(sequence: int) -> Announcement:
    return Announcement("p", f"b{sequence}", "", 1, 1, sequence, "promote", "", 0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], 2),
        ([said("host", "admitted", 1, 0)], 2),
        ([said("host", "admitted", 2, 0)], None),
        ([said("host", "refused", 2, 0)], None),
    ],
)
def test_an_announcement_is_unheard_until_somebody_says_a_word_of_it(
    words: list[Receipt], expected: int | None
) -> None:
    found = unheard([announced(1), announced(2)], words)
    assert (found and found.sequence) == expected


def test_where_nothing_was_announced_nothing_is_unheard() -> None:
    assert unheard([], []) is None
