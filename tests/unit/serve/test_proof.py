"""What a generation must show on the golden rows; the parts that need no JVM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from math import nan

import pytest

from hotpath.clock import MINUTE
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from serve.generation import Generation, Scored
from serve.golden import GoldenRow
from serve.proof import BUDGET_S, prove
from tests.unit.serve.generations import COSTS, NAMES, PORTS, START, generation, shared


def golden(made: Generation, number: int = 30) -> list[GoldenRow]:
    """Rows as a cluster that agrees with `made` would have written them."""
    rows = []
    for i in range(1, number):
        event: dict[str, Value] = {
            "event_time": START,
            "due_at": START + i * MINUTE,
            "size": i / number,
            "kind": "plain",
        }
        features = made.features(event)
        scored = made.model(features)
        rows.append(GoldenRow(event, features, scored.scores or (scored.score,)))
    return rows


def ticks(step: float) -> Iterator[float]:
    return (i * step for i in count())


def test_a_generation_that_agrees_with_the_cluster_is_proved() -> None:
    proof = prove(generation(), golden(generation()), ticks(0.0001).__next__)
    assert (proof.rows, round(proof.median_s, 6)) == (29, 0.0001)


def test_a_feature_that_differs_is_named_with_row_and_values() -> None:
    rows = golden(generation())
    place = NAMES.index("size")
    features = tuple(0.5 if i == place else v for i, v in enumerate(rows[3].features))
    rows[3] = replace(rows[3], features=features)
    with pytest.raises(BadArtifact, match=r"feature size of golden row 3: found 0\.13.* 0\.5"):
        prove(generation(), rows, ticks(0).__next__)


def test_a_score_that_differs_is_named() -> None:
    rows = golden(generation())
    rows[2] = replace(rows[2], scores=(rows[2].scores[0] + 1e-8,))
    with pytest.raises(BadArtifact, match="score of golden row 2"):
        prove(generation(), rows, ticks(0).__next__)


@pytest.mark.parametrize(("score", "why"), [(nan, "probabilities"), (1.5, "probabilities"), (0.5, "differ")])
def test_scores_that_are_no_scores_are_refused(score: float, why: str) -> None:
    def always(_: Sequence[Value]) -> Scored:
        return Scored(score, ())

    made = replace(generation(), model=always)
    with pytest.raises(BadArtifact, match=why):
        prove(made, golden(made), ticks(0).__next__)


def test_a_model_that_is_too_slow_is_refused() -> None:
    with pytest.raises(BadArtifact, match="seconds a row"):
        prove(generation(), golden(generation()), ticks(2 * BUDGET_S).__next__)


def test_every_class_of_a_golden_row_must_have_its_probability() -> None:
    made = generation(contract=PORTS, model=shared)
    rows = golden(made)
    prove(made, rows, ticks(0).__next__)
    first, second, third = rows[4].scores
    rows[4] = replace(rows[4], scores=(first, second, third + 1e-8))
    with pytest.raises(BadArtifact, match="score of golden row 4"):
        prove(made, rows, ticks(0).__next__)


def test_an_estimate_may_be_any_number_and_is_compared_by_its_size() -> None:
    def dear(vector: Sequence[Value]) -> Scored:
        return Scored(-1e9 * float(str(vector[NAMES.index("size")])), ())

    made = generation(contract=COSTS, model=dear)
    rows = golden(made)
    rows[2] = replace(rows[2], scores=(rows[2].scores[0] * (1 + 1e-12),))
    prove(made, rows, ticks(0).__next__)
    rows[2] = replace(rows[2], scores=(rows[2].scores[0] * (1 + 1e-8),))
    with pytest.raises(BadArtifact, match="score of golden row 2"):
        prove(made, rows, ticks(0).__next__)
