"""A feature that alone tells the label is found, whatever shape the telling has; an honest one is not."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.metrics import r2_score, roc_auc_score

from train.leak import Labelled, told

ROWS, CUT = 20_000, 16_000
RANDOM = np.random.default_rng(7)
RARE = RANDOM.random(ROWS) < 0.004
EVEN = RANDOM.random(ROWS) < 0.4
THREE = RANDOM.integers(0, 3, ROWS)
NOISE = RANDOM.normal(size=ROWS)
MINUTES = RANDOM.gamma(2.0, 30.0, ROWS)
Numbers = NDArray[np.float64]


def figure(values: object, labels: NDArray[np.generic], classes: int) -> float | None:
    """The feature's figure where the newest fifth is the holdout."""
    column = pa.chunked_array([pa.array(values, from_pandas=True)])
    truth = labels.astype(np.int64) if classes else labels.astype(np.float64)
    return told(column[:CUT], column[CUT:], Labelled(truth[:CUT], truth[CUT:], classes))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.where(RARE, 1.0, 0.0), id="a flag"),
        pytest.param(np.where(RARE, MINUTES + 1, 0.0), id="an amount that only the rare have"),
        pytest.param(np.where(RARE, np.nan, NOISE), id="a null"),
        pytest.param(np.where(RARE, 7.25, NOISE), id="one value among all others"),
        pytest.param(RARE * -2.0 + np.abs(np.tanh(NOISE)), id="a threshold, falling"),
        pytest.param([f"l{n % 90}" if yes else f"k{n % 90}" for n, yes in enumerate(RARE)], id="levels"),
    ],
)
def test_a_feature_that_gives_a_rare_class_away_is_caught(values: object) -> None:
    found = figure(values, RARE, 2)
    assert found is not None
    assert found > 0.999


def test_of_many_classes_and_of_numbers_a_leak_is_caught_too() -> None:
    of_classes = figure(np.array([5.0, 1.0, 3.0])[THREE] + 0.1 * np.tanh(NOISE), THREE, 3)
    of_numbers = [figure(v, MINUTES, 0) for v in (MINUTES * 60 + 5, -MINUTES, MINUTES + 0.1 * NOISE)]
    assert all(found is not None and found > 0.999 for found in (of_classes, *of_numbers))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [(RARE, 2), (EVEN, 2), (THREE, 3), (MINUTES, 0)],
    ids=["rare", "even", "three", "number"],
)
def test_an_honest_feature_is_not_however_good_it_is(labels: NDArray[np.generic], classes: int) -> None:
    strong = labels.astype(np.float64) + (NOISE * 0.5 if classes else NOISE * 10)
    for values in (NOISE, strong, [f"l{n % 3000}" for n in range(ROWS)]):
        found = figure(values, labels, classes)
        assert found is not None
        assert found < 0.99


def test_the_figure_is_about_that_of_the_feature_itself() -> None:
    strong = EVEN + NOISE
    assert figure(strong, EVEN, 2) == pytest.approx(roc_auc_score(EVEN[CUT:], strong[CUT:]), abs=0.01)
    assert figure(EVEN * 1.0, strong, 0) == pytest.approx(
        r2_score(
            strong[CUT:],
            np.where(EVEN[CUT:], strong[:CUT][EVEN[:CUT]].mean(), strong[:CUT][~EVEN[:CUT]].mean()),
        ),
        abs=0.001,
    )


@pytest.mark.parametrize("holdout", [0, 3, 15])
def test_of_a_handful_of_rows_nothing_is_said(holdout: int) -> None:
    truth = np.arange(100 + holdout) % 2
    column = pa.chunked_array([truth.astype(float)])
    labels = Labelled(truth[:100], truth[100:], 2)
    assert told(column[:100], column[100:], labels) is None
    alike = Labelled(np.zeros(100), np.zeros(holdout), 0)
    assert told(column[:100], column[100:], alike) is None


def test_what_overflows_is_no_leak_and_raises_nothing() -> None:
    vast = pa.chunked_array([np.tile([1.7e308, -1.7e308], 100)])
    truth = np.tile([1.7e308, -1.7e308, 0.0, 1.0], 50)
    assert told(vast[:100], vast[100:], Labelled(truth[:100], truth[100:], 0)) is None


def test_fifty_thousand_rows_of_twenty_five_features_take_less_than_a_second() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 50_000)
    labels = Labelled(truth[:40_000], truth[40_000:], 2)
    began = time.process_time()
    for _ in range(25):
        column = pa.chunked_array([random.normal(size=50_000)])
        told(column[:40_000], column[40_000:], labels)
    assert time.process_time() - began < 1
