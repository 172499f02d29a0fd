"""Metrics: the table and its functions are one, and each gives what scikit-learn and scipy give."""

from __future__ import annotations

import warnings
from math import isfinite, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from hotpath.contract import metrics
from hotpath.contract.parts import Kind
from hotpath.quality import CLIP, METRICS, Sample, best_threshold, measured

KINDS: tuple[Kind, ...] = ("binary", "classes", "number")
SCORES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1)
PAIRS = st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=60)
ROW = st.lists(st.floats(0.001, 1), min_size=4, max_size=4)
ROWS = st.lists(st.tuples(st.integers(0, 3), ROW), min_size=1, max_size=30)
NUMBERS = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=40)


def binary(pairs: list[tuple[bool, float]]) -> Sample:
    return Sample("binary", np.array([1.0 * t for t, _ in pairs]), np.array([s for _, s in pairs]))


def classes(rows: list[tuple[int, list[float]]]) -> Sample:
    chances = np.array([[p / sum(row) for p in row] for _, row in rows])
    return Sample("classes", np.array([float(place) for place, _ in rows]), chances)


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_of_the_table_has_a_function_and_every_function_a_row(kind: Kind) -> None:
    assert tuple(METRICS[kind]) == tuple(m.name for m in metrics.of(kind))


@given(PAIRS)
def test_a_binary_models_metrics_are_scikit_learns_and_scipys(pairs: list[tuple[bool, float]]) -> None:
    sample = binary(pairs)
    yes, score, found = sample.yes, sample.given, measured(sample)
    clipped = np.clip(score, CLIP, 1 - CLIP)
    assert found["log_loss"] == pytest.approx(reference.log_loss(yes, clipped, labels=[False, True]))
    assert found["brier"] == pytest.approx(float(np.mean((score - yes) ** 2)))
    said = score >= best_threshold(sample)
    assert found["f1"] == pytest.approx(reference.f1_score(yes, said, zero_division=0.0))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(yes, said))
    if yes.all() or not yes.any():
        assert [found[name] for name in ("auc", "pr_auc", "ks", "lift")] == [None] * 4
        return
    assert found["auc"] == pytest.approx(reference.roc_auc_score(yes, score))
    assert found["pr_auc"] == pytest.approx(reference.average_precision_score(yes, score))
    with warnings.catch_warnings():  # of the p-value, which nobody asks for
        warnings.simplefilter("ignore")
        assert found["ks"] == pytest.approx(stats.ks_2samp(score[yes], score[~yes]).statistic)


@given(st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=12))
def test_no_threshold_has_a_larger_f1_or_f2_than_the_one_that_counts(pairs: list[tuple[bool, float]]) -> None:
    sample = binary(pairs)
    found, yes = measured(sample), sample.yes
    for name, beta in (("f1", 1), ("f2", 2)):
        tried = [
            reference.fbeta_score(yes, sample.given >= t, beta=beta, zero_division=0.0) for t in sample.given
        ]
        assert found[name] == pytest.approx(max(tried))


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(pairs: list[tuple[bool, float]], chance: object) -> None:
    shuffled = sorted(pairs, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert measured(binary(shuffled)) == pytest.approx(measured(binary(pairs)))


@given(ROWS)
def test_a_classifiers_metrics_are_scikit_learns(rows: list[tuple[int, list[float]]]) -> None:
    sample = classes(rows)
    places, chances, found = sample.places, sample.given, measured(sample)
    one_hot = np.eye(4)[places]
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(places, sample.likeliest))
    assert found["log_loss"] == pytest.approx(reference.log_loss(places, chances, labels=range(4)))
    assert found["brier"] == pytest.approx(float(np.mean(((chances - one_hot) ** 2).sum(axis=1))))
    macro = reference.f1_score(places, sample.likeliest, average="macro", zero_division=0.0)
    assert found["macro_f1"] == pytest.approx(macro)
    present = np.unique(places)
    areas = [reference.roc_auc_score(places == p, chances[:, p]) for p in present] if len(present) > 1 else []
    assert found["macro_auc"] == (pytest.approx(np.mean(areas)) if areas else None)


@given(NUMBERS)
def test_an_estimates_metrics_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    truth, estimate = np.array([t for t, _ in pairs]), np.array([e for _, e in pairs])
    found = measured(Sample("number", truth, estimate))
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(truth, estimate))
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, estimate))
    assert found["median_error"] == pytest.approx(reference.median_absolute_error(truth, estimate))
    if found["r2"] is not None and len(set(truth.tolist())) > 1:
        assert found["r2"] == pytest.approx(reference.r2_score(truth, estimate), rel=1e-6)


@given(PAIRS | ROWS)
def test_a_metric_is_within_its_bounds_or_not_known(rows: list[tuple[int, object]]) -> None:
    sample = binary(rows) if isinstance(rows[0][0], bool) else classes(rows)  # type: ignore[arg-type]
    for name, value in measured(sample).items():
        bound = METRICS[sample.kind][name]
        assert value is None or bound.least - 1e-12 <= value <= bound.most + 1e-12
        assert value is None or isfinite(value)


def test_the_calibration_error_is_the_bins_mean_distance() -> None:
    # twenty rows, two a bin: every bin says its own score, and half of each bin are yes
    score = np.repeat(np.arange(10) / 10, 2)
    found = measured(Sample("binary", np.tile([0.0, 1.0], 10), score))["calibration_error"]
    assert found == pytest.approx(np.mean([abs(s / 10 - 0.5) for s in range(10)]))


def test_the_same_answer_to_all_is_calibrated_where_it_is_the_share_of_yes() -> None:
    found = measured(Sample("binary", np.array([1.0] * 30 + [0.0] * 70), np.full(100, 0.3)))
    assert found["calibration_error"] == pytest.approx(0.0)
    assert (found["auc"], found["ks"]) == (0.5, 0.0)
    assert found["lift"] == pytest.approx(1.0)


def test_a_lift_says_how_many_times_the_base_rate_the_top_tenth_has() -> None:
    truth = np.array([1.0] * 8 + [0.0] * 12 + [1.0] * 12 + [0.0] * 168)  # 20 of 200
    found = measured(Sample("binary", truth, np.linspace(1, 0, 200)))
    assert found["lift"] == pytest.approx((8 / 20) / (20 / 200))


def test_where_each_answer_had_a_threshold_decisions_are_measured_as_they_were_made() -> None:
    said = np.array([True, True, False, False])
    sample = Sample("binary", np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.6, 0.4, 0.1]), said)
    found = measured(sample)
    assert (found["f1"], found["accuracy"]) == (0.5, 0.5)
    assert found["f2"] == pytest.approx(0.5)
    assert found["auc"] == 0.75


def test_a_certain_and_wrong_answer_costs_much_and_not_everything() -> None:
    found = measured(Sample("binary", np.array([1.0, 0.0]), np.array([0.0, 0.0])))
    assert found["log_loss"] == pytest.approx(-log(CLIP) / 2, rel=1e-6)


def test_what_no_double_can_hold_is_not_known_and_neither_is_anything_of_no_row() -> None:
    huge = Sample("number", np.array([1e200, 1.0]), np.array([-1e200, 1.0]))
    assert measured(huge)["rmse"] is None
    assert set(measured(Sample("binary", np.array([]), np.array([]))).values()) == {None}
    assert list(measured(huge, ["mae"])) == ["mae"]
