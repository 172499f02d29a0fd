"""Live metrics: the holdout's, defined wherever they can be, against counting by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.parts import Kind
from hotpath.local.live_quality import live_quality
from hotpath.quality import CLIP, METRICS
from monitoring.quality import NAMES, Quality, measured

ANSWERED = np.dtype([("score", "f8"), ("threshold", "f8")])
SCORES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1)
PAIRS = st.lists(st.tuples(st.booleans(), SCORES), max_size=60)


def of(*rows: tuple[int, float]) -> Quality:
    """Quality of (target, score) pairs at the threshold 0.5; a target of -1 is no label."""
    target = np.array([np.nan if truth < 0 else truth for truth, _ in rows], float)
    return measured("binary", target, np.array([(score, 0.5) for _, score in rows], ANSWERED))


def of_numbers(*rows: tuple[float, float]) -> Quality:
    """Quality of (target, estimate) pairs."""
    return measured(
        "number", np.array([t for t, _ in rows]), np.array([(s, np.nan) for _, s in rows], ANSWERED)
    )


def of_classes(*rows: tuple[int, tuple[float, float, float]]) -> Quality:
    """Quality of (class's place, probabilities of three classes) pairs."""
    kind = np.dtype([("score", "f8"), ("scores", "f8", (3,))])
    target = np.array([np.nan if place < 0 else place for place, _ in rows], float)
    return measured("classes", target, np.array([(max(p), p) for _, p in rows], kind))


def test_every_metric_of_a_few_answers() -> None:
    # said yes: 0.9 (true), 0.6 (false); said no: 0.4 (true), 0.1 (false); unlabelled: 0.99
    found = of((1, 0.9), (0, 0.6), (1, 0.4), (0, 0.1), (-1, 0.99))
    assert (found.answers, found.labelled, found.coverage) == (5, 4, 0.8)
    assert [found.metrics[name] for name in ("auc", "f1", "accuracy")] == [0.75, 0.5, 0.5]
    assert found.metrics["f2"] == pytest.approx(0.5)
    assert found.metrics["log_loss"] == pytest.approx(-(log(0.9) + log(0.4) + log(0.4) + log(0.9)) / 4)


def test_a_score_at_its_threshold_is_a_yes() -> None:
    assert of((1, 0.5)).metrics["accuracy"] == 1.0


def test_where_nothing_is_ever_declined_every_answer_is_a_no() -> None:
    answers = np.array([(0.9, np.nan), (0.2, np.nan)], ANSWERED)
    found = measured("binary", np.array([1.0, 0.0]), answers).metrics
    assert (found["accuracy"], found["f1"], found["auc"]) == (0.5, 0.0, 1.0)


def test_nothing_asked_nothing_labelled_one_class() -> None:
    nothing = dict.fromkeys(METRICS["binary"])
    assert of() == Quality(0, 0, None, nothing)
    assert of((-1, 0.5)) == Quality(1, 0, 0.0, nothing)
    only = of((0, 0.2), (0, 0.3)).metrics
    assert [only[name] for name in ("auc", "f1", "f2", "accuracy")] == [None, 0.0, 0.0, 1.0]


def test_an_answer_without_a_score_is_counted_alone() -> None:
    assert of((1, float("nan"))) == Quality(1, 1, 1.0, dict.fromkeys(METRICS["binary"]))


def test_a_certain_and_wrong_answer_costs_much_and_not_everything() -> None:
    assert of((1, 0.0), (0, 0.0)).metrics["log_loss"] == pytest.approx(-log(CLIP) / 2, rel=1e-6)


def test_of_many_classes_the_likeliest_is_right_or_wrong() -> None:
    found = of_classes(
        (0, (0.7, 0.2, 0.1)), (2, (0.5, 0.1, 0.4)), (1, (0.0, 1.0, 0.0)), (-1, (1.0, 0.0, 0.0))
    )
    assert (found.answers, found.labelled) == (4, 3)
    assert found.metrics["accuracy"] == pytest.approx(2 / 3)
    assert found.metrics["log_loss"] == pytest.approx(-(log(0.7) + log(0.4)) / 3)
    assert "auc" not in found.metrics


def test_a_class_that_was_held_impossible_costs_much_and_not_everything() -> None:
    found = of_classes((0, (0.0, 1.0, 0.0)), (1, (0.0, 1.0, 0.0)))
    assert found.metrics["log_loss"] == pytest.approx(-log(CLIP) / 2, rel=1e-6)


def test_a_number_is_off_by_so_much() -> None:
    found = of_numbers((10.0, 13.0), (-1.0, 3.0), (np.nan, 5.0), (2.0, np.nan))
    assert (found.answers, found.labelled, found.metrics["mae"]) == (4, 3, 3.5)
    assert found.metrics["rmse"] == pytest.approx(12.5**0.5)


def test_an_error_beyond_every_double_is_not_known() -> None:
    assert of_numbers((1e200, -1e200)).metrics["rmse"] is None


@pytest.mark.parametrize("kind", METRICS)
def test_what_is_shown_of_a_kind_is_measured_and_begins_with_the_one_to_speak_of(kind: Kind) -> None:
    assert set(NAMES[kind]) <= set(METRICS[kind])
    assert NAMES[kind][0] == next(iter(METRICS[kind]))


def test_counts_and_metrics_are_told_by_name() -> None:
    assert Quality(2, 1, 0.5, {"mae": 3.0}).plain() == {
        "answers": 2,
        "labelled": 1,
        "coverage": 0.5,
        "mae": 3.0,
    }


@given(PAIRS)
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, float]]) -> None:
    yes, no = [s for t, s in pairs if t], [s for t, s in pairs if not t]
    halves = sum((a > b) + (a >= b) for a in yes for b in no)
    counted = halves / (2 * len(yes) * len(no)) if yes and no else None
    answers = [(str(n), s, 0) for n, (_, s) in enumerate(pairs)]
    labels = [(str(n), t, 1, 0, n) for n, (t, _) in enumerate(pairs)]
    assert live_quality(answers, labels, 1).auc == counted
    if pairs:
        found = of(*((int(t), s) for t, s in pairs)).metrics["auc"]
        assert found == (None if counted is None else pytest.approx(counted, abs=1e-12))
