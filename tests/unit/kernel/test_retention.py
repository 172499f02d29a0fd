"""What the store lets go of, and what it never does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import MINUTE
from hotpath.handoffs import Receipt
from hotpath.retention import YOUNG, Kept, by_bundle, in_use, retired

NOW = 1000 * MINUTE
HOUR = 60 * MINUTE


def said(kind: str, sequence: int, at: int = 0, scorer: str = "a") -> Receipt:
    return Receipt("p", scorer, sequence, f"b{sequence}", kind, "", at)  # type: ignore[arg-type]


def kept(sequence: int, at: int = 0) -> Kept:
    return Kept(f"b{sequence}", at, sequence)


ALL = [kept(n) for n in range(1, 10)]


def test_the_newest_stay_and_the_older_go_oldest_first() -> None:
    receipts = [said("live", 8, 1), said("live", 9, 2)]
    assert retired(ALL, receipts, 4, NOW) == ("b1", "b2", "b3", "b4", "b5")


def test_where_nobody_says_what_is_live_nothing_goes() -> None:
    assert retired(ALL, [], 2, NOW) == ()
    assert retired(ALL, [said("admitted", 9), said("refused", 8)], 2, NOW) == ()


def test_what_the_gate_held_back_is_counted_apart() -> None:
    refused = [Kept(f"r{n}", n) for n in range(5)]
    assert retired([*refused, kept(1), kept(2)], [said("live", 2)], 2, NOW) == ("r0", "r1", "r2")


# a host on hold answers with 3; a rollback there goes to 2
def test_a_host_that_stayed_behind_keeps_what_it_answers_with_and_what_it_would_go_back_to() -> None:
    receipts = [said("live", n, n, "b") for n in (2, 3)] + [said("live", n, n * HOUR) for n in range(4, 10)]
    assert retired(ALL, receipts, 2, NOW) == ("b1", "b4", "b5", "b6", "b7")


def test_a_rollback_passes_over_what_was_left() -> None:
    """5 was left for 4 by an operator: from 6 one goes back to 4, not to 5."""
    receipts = [said("live", 4, 1), said("live", 5, 2), said("rolled_back", 4, 3), said("live", 6, 4)]
    assert {"b4", "b6"} <= in_use(receipts)


def test_what_was_admitted_under_a_hold_stays() -> None:
    receipts = [said("live", 2, 1), *(said("admitted", n, n, "host") for n in (3, 4))]
    assert in_use(receipts) == {"b2", "b3", "b4"}


def test_who_waits_for_outcomes_and_what_was_announced_just_now_stays() -> None:
    refused = [Kept(f"r{n}", n) for n in range(5)]
    young = [Kept("b1", NOW - YOUNG + 1, 1), *(kept(n) for n in (2, 3, 4))]
    found = retired([*refused, *young], [said("live", 4)], 2, NOW, waiting="r0")
    assert found == ("b2", "r1", "r2")


def test_the_stores_own_words_become_what_is_kept() -> None:
    taken = {
        1: {"bundle": "x", "at": 5},
        2: {"bundle": "y", "at": 6},
        3: {"bundle": "x", "at": 7, "instead_of": 2},
    }
    found = by_bundle(taken, {"x": 1, "z": 2})
    assert sorted(found, key=lambda k: k.bundle) == [Kept("x", 7, 3), Kept("z", 2)]


receipts = st.lists(
    st.builds(
        said,
        st.sampled_from(["admitted", "refused", "live", "rolled_back"]),
        st.integers(1, 12),
        st.integers(0, 30 * MINUTE),
        st.sampled_from("abc"),
    ),
    max_size=20,
)
stores = st.lists(
    st.builds(Kept, st.integers(1, 30).map("b{}".format), st.integers(0, NOW), st.integers(0, 12)),
    max_size=15,
    unique_by=lambda k: k.bundle,
)


@given(stores, receipts, st.integers(2, 5))
def test_nothing_in_use_young_or_newest_ever_goes(store: list[Kept], heard: list[Receipt], keep: int) -> None:
    gone = set(retired(store, heard, keep, NOW))
    words = sorted(heard, key=lambda r: r.at)
    live = {r.scorer: r.bundle for r in words if r.kind in ("live", "rolled_back")}
    assert not gone & set(live.values())
    assert not gone & {k.bundle for k in store if k.sequence and k.at > NOW - YOUNG}
    newest = sorted((k for k in store if k.sequence), key=lambda k: (k.sequence, k.at, k.bundle))[-keep:]
    assert not gone & {k.bundle for k in newest}
    assert gone <= {k.bundle for k in store}


@given(stores, receipts, st.integers(2, 5))
def test_a_second_look_takes_nothing_more(store: list[Kept], heard: list[Receipt], keep: int) -> None:
    gone = retired(store, heard, keep, NOW)
    left = [k for k in store if k.bundle not in gone]
    assert retired(left, heard, keep, NOW) == ()
