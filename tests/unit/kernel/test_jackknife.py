"""Bounds: right about as often as they say, also where the rows of one entity are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hotpath.jackknife import Told, ahead, interval, told
from hotpath.quality import Sample, measured

DRAWS, ENTITIES, ROWS = 200, 300, 3
FIT = 0.95
Rng = np.random.Generator


def drawn(chance: Rng) -> tuple[Sample, NDArray[np.int64]]:
    """Three rows an entity, alike in truth and nearly in score; groups of whole entities."""
    yes = chance.random(ENTITIES) < 0.3
    leaning = chance.normal(1.0 * yes, 1.0)
    score = stats.norm.cdf(np.repeat(leaning, ROWS) * 0.8 - 1 + chance.normal(0, 0.3, ENTITIES * ROWS))
    groups = np.repeat(np.arange(ENTITIES) % 20, ROWS)
    return Sample("binary", np.repeat(1.0 * yes, ROWS), score), groups


def kept(
    truth: dict[str, float], found: Callable[[Rng], dict[str, tuple[float, float] | None]]
) -> dict[str, float]:
    """How often the bounds of each figure held the truth."""
    held = dict.fromkeys(truth, 0)
    for draw in range(DRAWS):
        bounds = found(np.random.default_rng(draw))
        for name, value in truth.items():
            low, high = bounds[name] or (0.0, 0.0)
            held[name] += low <= value <= high
    return {name: count / DRAWS for name, count in held.items()}


def test_bounds_hold_the_truth_about_as_often_as_they_say() -> None:
    names = ["auc", "brier", "log_loss", "pr_auc"]
    many = [measured(drawn(np.random.default_rng(1_000 + n))[0], names) for n in range(200)]
    truth = {name: float(np.mean([one[name] or 0.0 for one in many])) for name in names}

    def bounds(chance: Rng) -> dict[str, tuple[float, float] | None]:
        found = told(*drawn(chance), names)
        return {name: interval(found, name, FIT) for name in names}

    assert all(0.88 <= share <= 0.99 for share in kept(truth, bounds).values())


def test_a_difference_on_the_same_rows_has_bounds_of_its_own() -> None:
    """Of two models alike but for a little noise the bounds of each overlap; the difference's own tell."""
    sample, groups = drawn(np.random.default_rng(7))
    chance = np.random.default_rng(8)
    worse = Sample("binary", sample.truth, np.clip(sample.given + chance.normal(0, 0.15, len(groups)), 0, 1))
    ours, theirs = told(sample, groups), told(worse, groups)
    mine, others = (interval(one, "auc", FIT) for one in (ours, theirs))
    found = ahead(ours, theirs, "auc", FIT)
    assert mine is not None
    assert others is not None
    assert found is not None
    assert mine[0] < others[1]
    assert 0 < found[1] < found[0] < found[2]
    assert ahead(theirs, ours, "auc", FIT) == pytest.approx([-found[0], -found[2], -found[1]])
    assert ahead(ours, ours, "auc", FIT) == (0.0, 0.0, 0.0)
    assert ahead(ours, theirs, "auc", FIT, sign=-1.0) == ahead(theirs, ours, "auc", FIT)


def test_of_a_mean_in_equal_groups_the_bounds_are_students() -> None:
    values = np.random.default_rng(3).normal(size=400)
    groups = np.arange(400) % 20
    means = np.array([values[groups == g].mean() for g in range(20)])
    found = told(Sample("number", np.zeros(400), values), groups)
    without = [{"mean": float(values[groups != g].mean())} for g in range(20)]
    mean = Told({"mean": float(values.mean())}, without, found.shares)
    expected = stats.t.interval(FIT, 19, means.mean(), means.std(ddof=1) / np.sqrt(20))
    assert interval(mean, "mean", FIT) == pytest.approx(expected)


def test_without_two_groups_or_where_a_figure_is_not_defined_there_are_no_bounds() -> None:
    sample, groups = drawn(np.random.default_rng(5))
    assert interval(told(sample, np.zeros_like(groups)), "auc", FIT) is None
    lonely = Sample("binary", 1.0 * (np.arange(len(groups)) == 0), sample.given)
    found = told(lonely, groups)
    assert found.whole["auc"] is not None
    assert interval(found, "auc", FIT) is None
    assert ahead(found, found, "auc", FIT) is None
    assert interval(found, "brier", FIT) is not None


def test_surer_bounds_are_wider() -> None:
    found = told(*drawn(np.random.default_rng(9)))
    (low, high), (lower, higher) = (interval(found, "auc", sure) or (0, 0) for sure in (0.8, 0.99))
    assert lower < low < high < higher
