"""Generations whose model is a plain function: no JVM, no bundle."""

from __future__ import annotations

from collections.abc import Sequence

from hotpath.clock import Micros
from hotpath.contract.fitted import NOTHING
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from serve.decide import Cuts
from serve.generation import Generation, Model, Scored, composed

START: Micros = 1_795_000_000_000_000

THINGS = """
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
"""


def changed(*texts: tuple[str, str]) -> Contract:
    """The contract of things with texts replaced, old by new."""
    found = THINGS
    for old, new in texts:
        assert old in found
        found = found.replace(old, new, 1)
    return Contract.from_yaml(found, "things.yaml")


CONTRACT = changed()

_LATE, _GATE, _SERVE = "late: {type: bool}", '{auc: ">= 0.60"}', "{fresh: 3h, expired: 24h}"
PORTS = changed((_LATE, "late: {type: category, levels: [air, rail, sea]}"), (_GATE, '{accuracy: ">= 0.5"}'))
"""The same things: by which of three ways will it come?"""
COSTS = changed((_LATE, "late: {type: double, unit: EUR}"), (_GATE, '{rmse: "<= 90"}'))
"""The same things: what will it cost?"""
_SENT = """
    spent: {type: duration, default: PT1H}
    box: {type: object, fields: {tags: {type: array, of: string, max_items: 3}}}
    count:"""
_SAID = """
  fresh: 3h
  expired: 24h
  parameters:
    channel: {type: category, levels: [shop, web], default: web}
    limit: {type: double, min: 0, nullable: true}
  response:
    score: {type: double, nullable: true, max: 0.9}
    decision: {type: category, levels: [abstain, accept, decline]}
    hours: {type: double}
    channel: {type: category, levels: [shop, web]}
"""
ASKED = changed(("\n    count:", _SENT), ("size: size", "size: size\n  hours: hours(spent)"), (_SERVE, _SAID))
"""The same things with a nested array and a default, and what callers may send and get back declared."""
IGNORING = changed((_SERVE, "{fresh: 3h, expired: 24h, unknown: ignore}"))
"""The same things, whatever else a caller sends."""

READING = changed(
    (
        "features:",
        """
aggregates:
  late_of_thing:
    {over: labels, by: thing_id, value: late, tile: 5m, horizon: 1h, delay: 10m, default: {mean: 0.25}}
  sizes:
    {over: events, by: kind, value: size, digits: 2, tile: 5m, horizon: 1h, delay: 10m, default: {max: -1}}
features:
  late_share: mean(late_of_thing, "1h")
  late_share_half: mean(late_of_thing, "30m")
  late_count: count(late_of_thing)
  largest: max(sizes, "1h")
  last_seen: age(sizes, "1h")
""".strip("\n"),
    )
)
"""The same things, with what is known of their like: two aggregates, five readings."""

NAMES = [f.name for f in CONTRACT.features]


def sized(contract: Contract) -> Model:
    """A model: the score is the size; the kind `strange` was never met."""
    names = [f.name for f in contract.features]

    def by_size(vector: Sequence[Value]) -> Scored:
        size, kind = vector[names.index("size")], vector[names.index("kind")]
        if not isinstance(size, float):
            raise BadArtifact("model", None, "a score for every row")
        return Scored(size, ("kind",) if kind == "strange" else ())

    return by_size


def shared(vector: Sequence[Value]) -> Scored:
    """A model of three classes: the second has the size, the others share the rest."""
    size = vector[NAMES.index("size")]
    assert isinstance(size, float)
    scores = ((1 - size) / 2, size, (1 - size) / 2)
    return Scored(max(scores), (), scores)


def generation(
    sequence: int = 5,
    bundle: str = "b5",
    contract: Contract = CONTRACT,
    model: Model | None = None,
    cuts: Cuts = Cuts(0.5, 0.5),  # noqa: B008 - frozen
) -> Generation:
    """One that was trained at START and, where the question is one of yes or no, says yes from 0.5 on."""
    return composed(
        contract,
        NOTHING,
        model or sized(contract),
        sequence=sequence,
        bundle=bundle,
        trained_at=START,
        cuts=cuts if contract.labels.kind == "binary" else None,
    )
