"""One row through one generation: decoded, made into features, scored, decided. Pure; time is handed in.

What each of the first three takes is added to the sums that came with the call (`Timed`). What a row reads of
the tiles is got between its decoding and its features, for all rows of a request at once, so it is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite

from hotpath.clock import Micros
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from hotpath.handoffs import Score
from serve.decide import FALLBACK, Age, Decided, Decision, decide
from serve.generation import Generation, Scored
from serve.outputs import Said, nulled
from serve.stages import Elapsed, Sums
from serve.state import Held, without

Request = dict[str, object]
"""Field name -> value, as it came."""
Row = Mapping[str, Value]
"""Decoded event fields by name."""
Parameters = Mapping[str, Value]
"""The caller's own, checked: name -> value, as it came."""

NO_SCORE = "no score"
UNSEEN = "unseen"
"""Flag of a category that the model never met: `unseen:FEATURE`."""
INVALID = "invalid"
"""Flag of a value of the answer that is not what the contract declares: `invalid:NAME`."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Where a row's times are added up; the default adds nothing."""

    sums: Sums = field(default_factory=Sums)
    elapsed: Elapsed = lambda: 0.0


@dataclass(frozen=True)
class Answer:
    """What one row was answered, and all it takes to compute it again; `outputs`: what the caller gets.

    `score`, `predicted` and `scores` are the model's: none where the fallback rule answers in its place.
    """

    prediction_id: str
    request: Request
    parameters: Parameters
    entity: str | None
    features: tuple[Value, ...]
    score: float | None
    predicted: str | None
    scores: tuple[float, ...]
    decision: Decision
    outputs: Mapping[str, Value]
    degraded: tuple[str, ...]
    tiles: Mapping[str, object] = field(default_factory=dict)


def decoded(generation: Generation, request: Request, asked_at: Micros, timed: Timed | None = None) -> Row:
    """A row's values, asked at `asked_at`, which is also its time where it states none.

    Raises BadInput naming the field that is wrong.
    """
    timed, time = timed or Timed(), generation.contract.events.time
    began = timed.elapsed()
    values = generation.decode(request)
    if values.get(time) is None:
        values = {**values, time: asked_at}
    timed.sums.parse_s += timed.elapsed() - began
    return values


def answer(
    generation: Generation,
    request: Request,
    asked_at: Micros,
    prediction_id: str,
    parameters: Parameters | None = None,
    timed: Timed | None = None,
    row: Row | None = None,
    held: Held | None = None,
) -> Answer:
    """The answer to a row; `row` is what `decoded` made of the request where that was done before.

    `held` is what the row reads; None: tiles cannot be had. Raises BadInput as `decoded` does; `parameters`
    were checked before, once a request.
    """
    given, entity = parameters or {}, generation.contract.events.entity
    timed = timed or Timed()
    values = decoded(generation, request, asked_at, timed) if row is None else row
    held = without(generation.reads) if held is None else held
    whole = {**values, **held.readings} if held.readings else values
    features, scored = _computed(generation, whole, timed)
    decided = _decided(generation, features, scored, asked_at)
    by_rule = FALLBACK in decided.degraded
    told = None if by_rule else scored
    score, predicted = (told.score, _predicted(generation, told)) if told else (None, None)
    said = _ruled(generation, decided) if by_rule else (score, predicted)
    outputs = generation.outputs(Said(*said, decided.decision, features, given))
    wrong = generation.wrong(outputs)
    return Answer(
        prediction_id=prediction_id,
        request=request,
        parameters=given,
        entity=None if values.get(entity) is None else str(values[entity]),
        features=features,
        score=None if "score" in wrong else score,
        predicted=None if "class" in wrong else predicted,
        scores=told.scores if told else (),
        decision="abstain" if wrong else decided.decision,
        outputs=nulled(outputs, wrong) if wrong else outputs,
        degraded=(
            *decided.degraded,
            *held.degraded,
            *_shortcomings(scored),
            *(f"{INVALID}:{name}" for name in wrong),
        ),
        tiles=held.tiles,
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
        predicted=answered.predicted,
        scores=list(answered.scores),
        parameters=dict(answered.parameters),
        tiles=dict(answered.tiles),
    )


def _computed(generation: Generation, row: Row, timed: Timed) -> tuple[tuple[Value, ...], Scored | None]:
    """A row's features and score, each step's time added up."""
    sums, elapsed = timed.sums, timed.elapsed
    began = elapsed()
    features = generation.features(row)
    featured = elapsed()
    scored = _scored(generation, features)
    ended = elapsed()
    sums.rows += 1
    sums.features_s += featured - began
    sums.model_s += ended - featured
    return features, scored


def _scored(generation: Generation, features: tuple[Value, ...]) -> Scored | None:
    """None where the model gives no finite score for this row: the answer is to abstain, not to fail."""
    try:
        scored = generation.model(features)
    except BadArtifact:
        return None
    return scored if isfinite(scored.score) and all(map(isfinite, scored.scores)) else None


def _decided(
    generation: Generation, features: tuple[Value, ...], scored: Scored | None, asked_at: Micros
) -> Decided:
    serve, fallback = generation.contract.serve, generation.fallback
    age = Age(asked_at - generation.trained_at, serve.fresh, serve.expired)
    rule = None if fallback is None else partial(fallback, features)
    return decide(scored.score if scored else None, generation.cuts, age, rule)


def _ruled(generation: Generation, decided: Decided) -> tuple[float | None, str | None]:
    """The number or the class that the rule says in place of the model's; a yes or no is a decision alone."""
    said, kind = decided.ruled, generation.contract.labels.kind
    if kind == "number" and isinstance(said, float):
        return said, None
    return None, said if kind == "classes" and isinstance(said, str) else None


def _predicted(generation: Generation, scored: Scored) -> str | None:
    """The likeliest class, the first of equals; None where the target has no classes."""
    if not scored.scores:
        return None
    return generation.contract.labels.classes[scored.scores.index(scored.score)]


def _shortcomings(scored: Scored | None) -> tuple[str, ...]:
    return (NO_SCORE,) if scored is None else tuple(f"{UNSEEN}:{name}" for name in scored.unseen)
