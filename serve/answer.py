"""One row through one generation: decoded, made into features, scored, decided. Pure; time is handed in.

What each of the first three takes is added to the sums that came with the call (`Timed`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

from hotpath.clock import Micros
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from hotpath.handoffs import Score
from serve.decide import Age, Decision, decide
from serve.generation import Generation, Scored
from serve.stages import Elapsed, Sums

Request = dict[str, object]
"""Field name -> value, as it came."""

NO_SCORE = "no score"
UNSEEN = "unseen"
"""Flag of a category that the model never met: `unseen:FEATURE`."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Where a row's times are added up; the default adds nothing."""

    sums: Sums = field(default_factory=Sums)
    elapsed: Elapsed = lambda: 0.0


@dataclass(frozen=True)
class Answer:
    """What one row was answered, and all it takes to compute it again."""

    prediction_id: str
    request: Request
    entity: str | None
    features: tuple[Value, ...]
    score: float | None
    decision: Decision
    degraded: tuple[str, ...]


def answer(
    generation: Generation, request: Request, asked_at: Micros, prediction_id: str, timed: Timed | None = None
) -> Answer:
    """The answer to a row asked at `asked_at`, which is also its time where it states none.

    Raises BadInput naming the field that is wrong.
    """
    events, serve = generation.contract.events, generation.contract.serve
    values, features, scored = _computed(generation, request, asked_at, timed or Timed())
    score = scored.score if scored else None
    age = Age(asked_at - generation.trained_at, serve.fresh, serve.expired)
    decided = decide(score, generation.threshold, age)
    entity = values.get(events.entity)
    return Answer(
        prediction_id=prediction_id,
        request=request,
        entity=None if entity is None else str(entity),
        features=features,
        score=score,
        decision=decided.decision,
        degraded=(*decided.degraded, *_shortcomings(scored)),
    )


def record(generation: Generation, answered: Answer, asked_at: Micros, answered_at: Micros) -> Score:
    """The answer as it travels on `hotpath.scores.PIPELINE`: the request as it came, no time filled in."""
    return Score(
        prediction_id=answered.prediction_id,
        pipeline=generation.contract.name,
        entity=answered.entity,
        request=answered.request,
        features=list(answered.features),
        score=answered.score,
        decision=answered.decision,
        threshold=generation.threshold,
        bundle=generation.bundle,
        sequence=generation.sequence,
        fingerprint=generation.contract.fingerprint,
        asked_at=asked_at,
        answered_at=answered_at,
        degraded=list(answered.degraded),
    )


def _computed(
    generation: Generation, request: Request, asked_at: Micros, timed: Timed
) -> tuple[dict[str, Value], tuple[Value, ...], Scored | None]:
    """A row's values, features and score, each step's time added up."""
    sums, elapsed, time = timed.sums, timed.elapsed, generation.contract.events.time
    began = elapsed()
    values = generation.decode(request)
    if values.get(time) is None:
        values = {**values, time: asked_at}
    decoded = elapsed()
    features = generation.features(values)
    featured = elapsed()
    scored = _scored(generation, features)
    ended = elapsed()
    sums.rows += 1
    sums.parse_s += decoded - began
    sums.features_s += featured - decoded
    sums.model_s += ended - featured
    return values, features, scored


def _scored(generation: Generation, features: tuple[Value, ...]) -> Scored | None:
    """None where the model gives no finite score for this row: the answer is to abstain, not to fail."""
    try:
        scored = generation.model(features)
    except BadArtifact:
        return None
    return scored if isfinite(scored.score) else None


def _shortcomings(scored: Scored | None) -> tuple[str, ...]:
    return (NO_SCORE,) if scored is None else tuple(f"{UNSEEN}:{name}" for name in scored.unseen)
