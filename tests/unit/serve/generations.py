"""Generations whose model is a plain function: no JVM, no bundle."""

from __future__ import annotations

from collections.abc import Sequence

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from hotpath.contract.request import request_decoder
from hotpath.contract.row import row_function
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from serve.generation import Generation, Scored

START: Micros = 1_795_000_000_000_000

CONTRACT = Contract.from_yaml(
    """
name: things
question: Will it be late?
events:
  topic: things.asked
  id: event_id
  entity: thing_id
  host: host
  time: event_time
  fields:
    event_id: {type: string}
    thing_id: {type: string}
    host: {type: string}
    event_time: {type: timestamp}
    due_at: {type: timestamp}
    size: {type: double, nullable: true}
    kind: {type: category, nullable: true}
    count: {type: long, nullable: true}
    urgent: {type: bool, nullable: true}
labels:
  topic: things.done
  entity: thing_id
  fields: {thing_id: {type: string}, late: {type: bool}}
  target: late
  horizon: 1h
features:
  minutes: minutes_between(event_time, due_at)
  size: size
  kind: kind
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
""",
    "things.yaml",
)

NAMES = [f.name for f in CONTRACT.features]


def by_size(vector: Sequence[Value]) -> Scored:
    """A model: the score is the size; the kind `strange` was never met."""
    size, kind = vector[NAMES.index("size")], vector[NAMES.index("kind")]
    if size is None:
        raise BadArtifact("model", None, "a score for every row")
    return Scored(float(size), ("kind",) if kind == "strange" else ())


def generation(sequence: int = 5, bundle: str = "b5") -> Generation:
    """One that was trained at START and says yes from 0.5 on."""
    return Generation(
        sequence=sequence,
        bundle=bundle,
        contract=CONTRACT,
        trained_at=START,
        threshold=0.5,
        decode=request_decoder(CONTRACT),
        features=row_function(CONTRACT),
        model=by_size,
    )
