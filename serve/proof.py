"""Law 4's last part: a generation must give the cluster's answers on the golden rows, and fast enough.

Pure: the stopwatch is handed in. Raises BadArtifact naming feature, row and both values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median
from typing import TypeVar

from hotpath.contract.tree import tolerance
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from serve.generation import Generation
from serve.golden import GoldenRow

Row = TypeVar("Row")

TOLERANCE = 1e-9
"""Of a score, or, beyond 1, of an estimate relative to it: engines differ by some 1e-15 (the order of sums,
exp's last bit), another model by far more."""
BUDGET_S = 0.001
"""Median of one row, features and score: some fifty times what a warm scorer takes; a busy host passes."""
_WARM_UP = 2_000


@dataclass(frozen=True)
class Proof:
    """What was measured on the way."""

    rows: int
    median_s: float


def prove(generation: Generation, golden: Sequence[GoldenRow], elapsed: Callable[[], float]) -> Proof:
    """Features equal, scores equal, finite and not all the same, one row within the budget."""
    for number, row in enumerate(golden):
        _same_features(generation, number, row)
    scores = {_same_scores(generation, number, row) for number, row in enumerate(golden)}
    if len(scores) < 2:
        raise BadArtifact("model's scores", min(scores), "scores that differ between golden rows")
    warm(generation, golden)
    taken = seconds(lambda row: generation.model(generation.features(row.values)), golden, elapsed)
    if taken > BUDGET_S:
        raise BadArtifact("model's seconds a row", taken, f"at most {BUDGET_S}")
    return Proof(len(golden), taken)


def warm(generation: Generation, golden: Sequence[GoldenRow], calls: int = _WARM_UP) -> None:
    """Answer golden rows until the JVM has compiled what a request will run."""
    for call in range(calls):
        generation.model(generation.features(golden[call % len(golden)].values))


def _same_features(generation: Generation, number: int, row: GoldenRow) -> None:
    made = generation.features(row.values)
    for feature, ours, theirs in zip(generation.contract.features, made, row.features, strict=True):
        if not _same(_as_handed_over(ours), theirs, tolerance(feature.tree)):
            thing = f"feature {feature.name} of golden row {number}"
            raise BadArtifact(thing, ours, f"{theirs!r}, which the cluster made of {feature.expression}")


def _same(ours: Value, theirs: Value, within: float) -> bool:
    """Equal, or as near as the functions used declare; beyond 1 that is relative to the value."""
    if not within or not isinstance(ours, float) or not isinstance(theirs, float):
        return ours == theirs
    return abs(ours - theirs) <= within * max(1.0, abs(theirs))


def _as_handed_over(value: Value) -> Value:
    """As the model gets it: a category is text, everything else a double."""
    return value if value is None or isinstance(value, str | list) else float(value)


def _same_scores(generation: Generation, number: int, row: GoldenRow) -> tuple[float, ...]:
    scored, kind = generation.model(row.features), generation.contract.labels.kind
    scores = scored.scores or (scored.score,)
    thing = f"score of golden row {number}"
    if not all(map(isfinite, scores)) or (kind != "number" and not all(0 <= p <= 1 for p in scores)):
        raise BadArtifact(thing, scores, "a finite number" if kind == "number" else "probabilities")
    for ours, theirs in zip(scores, row.scores, strict=True):
        if not abs(ours - theirs) <= TOLERANCE * max(1.0, abs(theirs)):
            raise BadArtifact(thing, ours, f"{theirs!r} ± {TOLERANCE}")
    return scores


def seconds(call: Callable[[Row], object], rows: Iterable[Row], elapsed: Callable[[], float]) -> float:
    """What a call of one row takes in the middle."""
    return median(_taken(call, row, elapsed) for row in rows)


def _taken(call: Callable[[Row], object], row: Row, elapsed: Callable[[], float]) -> float:
    start = elapsed()
    call(row)
    return elapsed() - start
