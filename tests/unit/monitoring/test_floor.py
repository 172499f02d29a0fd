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
from monitoring.floor import Standing, below, ruling
from monitoring.quality import Quality

FLOOR = Floor(metric="auc", bound=0.55, window=HOUR, windows=3, labels=200)
LOWER = replace(FLOOR, metric="rmse", bound=0.55)
POOR = [0.48, 0.47, 0.49]


def quality(auc: float | None, labelled: int = 200) -> Quality:
    return Quality(400, labelled, labelled / 400, {"auc": auc, "rmse": auc, "macro_f1": auc})


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
    return Standing(5, "b5", [quality(auc) for auc in windows], said, refused, left, own)


def chosen(found: Standing) -> list[int]:
    return [a.sequence for a in ruling(FLOOR, found).to]


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
    assert len(below(FLOOR, windows)) == row


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


WINDOWS = st.lists(st.builds(quality, st.none() | st.floats(0, 1), st.integers(0, 400)), max_size=12)


@given(WINDOWS, st.sampled_from([FLOOR, LOWER]))
def test_a_row_is_the_newest_counting_windows_and_ends_at_a_good_one(
    windows: list[Quality], floor: Floor
) -> None:
    found = [w.metrics[floor.metric] for w in windows if w.labelled >= 200]
    counting = [value for value in found if value is not None]
    good = [n for n, v in enumerate(counting) if (v >= 0.55 if floor is FLOOR else v <= 0.55)]
    assert len(below(floor, windows)) == len(counting) - (good[-1] + 1 if good else 0)


@given(WINDOWS, st.integers(0, 11), st.floats(0, 1))
def test_a_window_that_was_better_never_makes_the_row_longer(
    windows: list[Quality], which: int, better: float
) -> None:
    if which >= len(windows) or (was := windows[which].metrics["auc"]) is None:
        return
    improved = [*windows]
    improved[which] = quality(max(was, better), windows[which].labelled)
    assert len(below(FLOOR, improved)) <= len(below(FLOOR, windows))


def test_where_less_is_better_a_model_must_go_that_is_above() -> None:
    poor = standing(announced(4), windows=[0.5, 0.6, 0.7, 0.8], good={"b4": 0.4})
    found = ruling(LOWER, poor)
    assert (found.due, [a.sequence for a in found.to]) == (True, [4])
    assert found.why.endswith("the floor is <= 0.55")
    assert ruling(LOWER, standing(announced(4), windows=[0.6, 0.7, 0.8], good={"b4": 0.9})).to == ()
    assert not ruling(LOWER, standing(announced(4), windows=[0.8, 0.7, 0.5])).due


def test_a_metric_that_the_answers_do_not_have_rolls_nothing_back() -> None:
    assert not ruling(replace(FLOOR, metric="brier"), standing(announced(4))).due
