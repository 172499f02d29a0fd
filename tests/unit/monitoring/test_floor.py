"""Below the floor: when a model must go, and what to go back to.

windows   0.70   0.48   (3 labels)   0.47   0.49 |  the newest: three in a row
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import HOUR
from hotpath.contract.parts import Floor
from hotpath.handoffs import Announcement
from monitoring.floor import Standing, Window, below, row_since, ruling
from monitoring.quality import Quality

FLOOR = Floor(metric="auc", bound=0.55, window=HOUR, windows=3, labels=200)
LOWER = replace(FLOOR, metric="rmse", bound=0.55)
POOR = [0.48, 0.47, 0.49]


def quality(auc: float | None, labelled: int = 200) -> Quality:
    return Quality(400, labelled, labelled / 400, {"auc": auc, "rmse": auc, "macro_f1": auc})


def own_window(found: Quality) -> Window:
    """One in which the live sequence alone has answered."""
    return Window(found, {5: found})


def announced(
    sequence: int, bundle: str = "", kind: Literal["promote", "rollback", "hold"] = "promote"
) -> Announcement:
    return Announcement("p", bundle or f"b{sequence}", "0" * 64, 1, 1, sequence, kind, "", sequence)


def standing(
    *others: Announcement,
    windows: list[float] = POOR,
    refused: frozenset[int] = frozenset(),
    left: frozenset[str] = frozenset(),
    good: Mapping[str, float] | None = None,
) -> Standing:
    """Sequence 5 of bundle b5 is live; `good` says what older bundles' own AUC is (0.7 where it does not)."""
    said = {a.sequence: a for a in (announced(5), *others)}
    own = {a.bundle: quality((good or {}).get(a.bundle, 0.7)) for a in said.values()}
    return Standing(5, "b5", [own_window(quality(auc)) for auc in windows], said, refused, left, own)


def chosen(found: Standing) -> list[int]:
    return [a.sequence for a in ruling(FLOOR, found).to]


def row_of(floor: Floor, windows: list[Quality]) -> int:
    return len(below(floor, 5, [own_window(found) for found in windows]))


@pytest.mark.parametrize(
    ("windows", "row"),
    [
        ([], 0),
        ([quality(0.7), quality(0.48)], 1),
        ([quality(0.48), quality(0.7)], 0),
        ([quality(0.48), quality(0.55), quality(0.47)], 1),
        ([quality(0.48), quality(0.9, labelled=199), quality(0.47)], 2),
        ([quality(0.48), quality(None), quality(0.47), quality(0.1, labelled=3)], 2),
    ],
    ids=["none", "one", "recovered", "at the floor", "too few labels between", "one class between"],
)
def test_windows_in_a_row(windows: list[Quality], row: int) -> None:
    assert row_of(FLOOR, windows) == row


def test_a_model_stays_until_enough_windows_lie_below() -> None:
    assert not ruling(FLOOR, standing(announced(4), windows=[0.7, 0.48, 0.47])).due
    found = ruling(FLOOR, standing(announced(4), windows=[0.7, *POOR]))
    assert found.due
    assert (
        found.why
        == "live auc of sequence 5 0.4900, 0.4700, 0.4800 in the newest windows, the floor is >= 0.55"
    )


def test_the_newest_older_model_that_is_good_enough_is_gone_back_to() -> None:
    assert chosen(standing(announced(2), announced(3), announced(4), good={"b4": 0.54})) == [3, 2]


def test_a_model_with_too_few_labels_of_its_own_is_not() -> None:
    found = standing(announced(4))
    few = {**found.quality, "b4": quality(0.9, labelled=199)}
    assert ruling(FLOOR, Standing(**{**vars(found), "quality": few})).to == ()
    assert ruling(FLOOR, Standing(**{**vars(found), "quality": {}})).to == ()


def test_neither_is_the_same_bundle_a_hold_or_one_that_was_left() -> None:
    assert chosen(standing(announced(4, "b5"))) == []
    assert chosen(standing(announced(4, kind="hold"))) == []
    assert chosen(standing(announced(4), announced(3), left=frozenset({"b4"}))) == [3]


def test_where_no_older_model_is_good_enough_it_is_due_without_a_choice() -> None:
    found = ruling(FLOOR, standing())
    assert (found.below, found.due, found.to) == (3, True, ())


def test_a_model_is_left_once_whatever_becomes_of_the_rollback() -> None:
    back = announced(6, "b4", kind="rollback")
    assert not ruling(FLOOR, standing(announced(4), back)).due
    assert not ruling(FLOOR, standing(announced(4), back, refused=frozenset({6}))).due


def test_a_newer_model_on_its_way_is_waited_for_unless_it_was_refused() -> None:
    assert not ruling(FLOOR, standing(announced(4), announced(6))).due
    assert ruling(FLOOR, standing(announced(4), announced(6), refused=frozenset({6}))).due
    assert ruling(FLOOR, standing(announced(4), announced(6, kind="hold"))).due


# window        1        2        3        4
# answers    b2 good  b3 poor  b4 poor  b5 poor
def passed_on(*windows: dict[int, Quality], **given: float) -> Standing:
    """Each window by the sequences that answered in it; b2, b3, b4 were announced too, b5 is live."""
    found = standing(*(announced(n) for n in (2, 3, 4)), good=given)
    return replace(found, windows=[Window(pooled(of), of) for of in windows])


def pooled(of: Mapping[int, Quality]) -> Quality:
    value = sum((q.metrics["auc"] or 0.0) * q.labelled for q in of.values())
    labelled = sum(q.labelled for q in of.values())
    return quality(value / labelled, labelled)


GOOD_ONE, POOR_ONE, FEW = quality(0.7), quality(0.45), quality(0.45, 150)
BAD = {"b3": 0.45, "b4": 0.45}


def test_poor_windows_make_one_row_whichever_models_answered() -> None:
    found = ruling(FLOOR, passed_on({2: GOOD_ONE}, {3: POOR_ONE}, {4: POOR_ONE}, {5: POOR_ONE}, **BAD))
    assert (found.below, found.due, [a.sequence for a in found.to]) == (3, True, [2])
    assert found.why.startswith("live auc of sequences 3, 4, 5 0.4500, 0.4500, 0.4500 in the newest windows")


def test_a_live_model_goes_on_the_windows_of_its_predecessors_until_it_has_a_good_one_of_its_own() -> None:
    poor = [{3: POOR_ONE}, {4: POOR_ONE}, {4: POOR_ONE}]
    assert ruling(FLOOR, passed_on(*poor, {5: quality(0.9, 3)}, **BAD)).due
    assert ruling(FLOOR, passed_on(*poor, {5: GOOD_ONE}, **BAD)) == replace(
        ruling(FLOOR, standing(windows=[]))
    )
    half = {4: quality(0.1, 300), 5: GOOD_ONE}
    assert pooled(half).metrics["auc"] == pytest.approx(0.34)
    assert not ruling(FLOOR, passed_on(*poor, half, **BAD)).due


def test_what_is_gone_back_to_is_older_than_the_row() -> None:
    """b4 is good as a whole, and yet it answered in windows of the row."""
    found = ruling(
        FLOOR, passed_on({2: GOOD_ONE}, {3: POOR_ONE}, {4: POOR_ONE}, {5: POOR_ONE}, b3=0.7, b4=0.7)
    )
    assert [a.sequence for a in found.to] == [2]


@pytest.mark.parametrize(
    ("of_the_good", "to"),
    [(GOOD_ONE, [2]), (FEW, [2]), (POOR_ONE, [])],
    ids=["good", "too few to say", "poor there itself"],
)
def test_where_a_swap_came_half_way_through_the_first_window_the_model_before_it_may_be_gone_back_to(
    of_the_good: Quality, to: list[int]
) -> None:
    half = {2: of_the_good, 3: quality(0.1, 400)}
    found = ruling(FLOOR, passed_on(half, {3: FEW, 4: FEW}, {4: FEW, 5: FEW}, **BAD))
    assert (found.due, [a.sequence for a in found.to]) == (True, to)


@pytest.mark.parametrize(
    ("backs", "left", "row"),
    [
        ([], [], {1, 2, 3, 4}),
        ([3], [], {3, 4}),
        ([1, 3, 9], [], {3, 4}),
        ([4], [], {4}),
        ([], [2], {1, 3, 4}),
        ([], [4], {1, 2, 3, 4}),
    ],
    ids=[
        "all",
        "a rollback",
        "the newest that is live",
        "just gone back",
        "left by hand",
        "said of the live",
    ],
)
def test_a_row_begins_anew_with_a_rollback_and_a_force(
    backs: list[int], left: list[int], row: set[int]
) -> None:
    assert row_since(4, backs, left, range(1, 7)) == row


WINDOWS = st.lists(st.builds(quality, st.none() | st.floats(0, 1), st.integers(0, 400)), max_size=12)


@given(WINDOWS, st.sampled_from([FLOOR, LOWER]))
def test_a_row_is_the_newest_counting_windows_and_ends_at_a_good_one(
    windows: list[Quality], floor: Floor
) -> None:
    found = [w.metrics[floor.metric] for w in windows if w.labelled >= 200]
    counting = [value for value in found if value is not None]
    good = [n for n, v in enumerate(counting) if (v >= 0.55 if floor is FLOOR else v <= 0.55)]
    assert row_of(floor, windows) == len(counting) - (good[-1] + 1 if good else 0)


@given(WINDOWS, st.integers(0, 11), st.floats(0, 1))
def test_a_window_that_was_better_never_makes_the_row_longer(
    windows: list[Quality], which: int, better: float
) -> None:
    if which >= len(windows) or (was := windows[which].metrics["auc"]) is None:
        return
    improved = [*windows]
    improved[which] = quality(max(was, better), windows[which].labelled)
    assert row_of(FLOOR, improved) <= row_of(FLOOR, windows)


def test_where_less_is_better_a_model_must_go_that_is_above() -> None:
    poor = standing(announced(4), windows=[0.5, 0.6, 0.7, 0.8], good={"b4": 0.4})
    found = ruling(LOWER, poor)
    assert (found.due, [a.sequence for a in found.to]) == (True, [4])
    assert found.why.endswith("the floor is <= 0.55")
    assert ruling(LOWER, standing(announced(4), windows=[0.6, 0.7, 0.8], good={"b4": 0.9})).to == ()
    assert not ruling(LOWER, standing(announced(4), windows=[0.8, 0.7, 0.5])).due


def test_a_metric_that_the_answers_do_not_have_rolls_nothing_back() -> None:
    assert not ruling(replace(FLOOR, metric="brier"), standing(announced(4))).due
