"""A generation in use: everything that one bundle needs to answer, built once and only called afterwards.

Owns how a bundle's entries become callables and which of them must agree. Knows no JVM (the engine is handed
in), no file and no pointer. Nothing of the scorer's own code or settings decides what a feature means: the
contract inside the bundle does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hotpath.bundle import Bundle
from hotpath.clock import Micros
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.parts import Kind as TargetKind
from hotpath.contract.request import Decode, parameters_decoder, request_decoder
from hotpath.contract.response import answered, response_checker
from hotpath.contract.row import fallback_function, row_function
from hotpath.contract.tree import fitted_fields
from hotpath.contract.types import Type, Value
from hotpath.errors import BadArtifact
from hotpath.readings import Reads
from serve.decide import Cuts
from serve.outputs import Said, reader

Kind = Literal["number", "category"]
_ONE = object()
"""In place of the second cut of a scorecard that knows but one."""
NUMBER: Kind = "number"
CATEGORY: Kind = "category"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one row. `unseen`: features whose category the model never met.

    `score`: the probability of yes, that of the likeliest class, or the estimate, as the target is binary,
    classes or a number. `scores`: of many classes the probability of each, in the contract's order; () else.
    """

    score: float
    unseen: tuple[str, ...]
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Target:
    """What a model must say. `classes`: no and yes ("0", "1"), a category's levels, () of a number."""

    kind: TargetKind
    classes: tuple[str, ...]


Model = Callable[[Sequence[Value]], Scored]
"""The contract's features in their order -> Scored."""
LoadModel = Callable[[bytes, Mapping[str, Kind], Target], Model]
"""A MOJO's bytes, the features it must take, in order, and its target; raises BadArtifact."""


@dataclass(frozen=True, eq=False)
class Generation:
    """A bundle on this scorer, named by its sequence.

    `cuts`: what decisions are made by; None where the target is not binary. `reads`: what rows read of tiles.
    `fallback`: what the contract's rule says of features; None where it has none. `response` declares what an
    answer holds, `outputs` reads it, `wrong` names those of its values that are not what was declared.
    """

    sequence: int
    bundle: str
    contract: Contract
    trained_at: Micros
    cuts: Cuts | None
    decode: Decode
    parameters: Decode
    reads: Reads
    features: Callable[[Mapping[str, Value]], tuple[Value, ...]]
    model: Model
    fallback: Callable[[Sequence[Value]], Value] | None
    response: tuple[Field, ...]
    outputs: Callable[[Said], dict[str, Value]]
    wrong: Callable[[Mapping[str, Value]], tuple[str, ...]]

    @property
    def threshold(self) -> float | None:
        """A score from here on is declined; None: no score is, or the target is not binary."""
        return self.cuts.decline_at if self.cuts else None


def build(bundle: Bundle, sequence: int, pipeline: str, load: LoadModel) -> Generation:
    """The generation in a verified bundle.

    Raises BadArtifact where contract, fitted levels, facts, scorecard and model do not belong together, or
    are another pipeline's.
    """
    contract = _contract(bundle, pipeline)
    kinds = {f.name: CATEGORY if f.type == Type.CATEGORY else NUMBER for f in contract.features}
    target = Target(contract.labels.kind, contract.labels.classes)
    return composed(
        contract,
        _fitted(bundle, contract),
        load(bundle.files["model.zip"], kinds, target),
        sequence=sequence,
        bundle=bundle.id,
        trained_at=_trained_at(bundle),
        cuts=_cuts(bundle) if contract.labels.kind == "binary" else None,
    )


def composed(
    contract: Contract,
    fitted: Fitted,
    model: Model,
    *,
    sequence: int,
    bundle: str,
    trained_at: Micros,
    cuts: Cuts | None,
) -> Generation:
    """The generation of a model under its contract: every callable composed."""
    return Generation(
        sequence=sequence,
        bundle=bundle,
        contract=contract,
        trained_at=trained_at,
        cuts=cuts,
        decode=request_decoder(contract),
        parameters=parameters_decoder(contract),
        reads=Reads.of(contract),
        features=row_function(contract, fitted),
        model=model,
        fallback=fallback_function(contract),
        response=answered(contract),
        outputs=reader(contract),
        wrong=response_checker(contract),
    )


def _contract(bundle: Bundle, pipeline: str) -> Contract:
    contract = Contract.from_json(bundle.files["contract.json"])
    if contract.name != pipeline or bundle.facts.get("pipeline") != pipeline:
        raise BadArtifact("bundle's pipeline", contract.name, f"{pipeline}, in contract and facts alike")
    if bundle.facts.get("fingerprint") != contract.fingerprint:
        raise BadArtifact("bundle's fingerprint", bundle.facts.get("fingerprint"), contract.fingerprint)
    return contract


def _fitted(bundle: Bundle, contract: Contract) -> Fitted:
    """Without a field's levels every one of its values would be "(other)", and nobody would notice."""
    fitted = Fitted.from_bytes(bundle.files["fitted.json"])
    if missing := sorted(fitted_fields(contract.features) - fitted.levels.keys()):
        raise BadArtifact("bundle's fitted.json", sorted(fitted.levels), f"levels of {', '.join(missing)}")
    return fitted


def _trained_at(bundle: Bundle) -> Micros:
    at = bundle.facts.get("trained_at")
    if not isinstance(at, int) or isinstance(at, bool):
        raise BadArtifact("bundle's trained_at", at, "an instant in µs")
    return at


def _cuts(bundle: Bundle) -> Cuts:
    """Where scores part. A bundle of before there were two of them declines from the one on."""
    try:
        card = json.loads(bundle.files["scorecard.json"])
        found = {"threshold": card["threshold"], "accept_below": card.get("accept_below", _ONE)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadArtifact("bundle's scorecard.json", str(error), "an object with a threshold") from error
    if found["accept_below"] is _ONE:
        return Cuts(cut := _cut("threshold", found["threshold"]), cut)
    decline_at, accept_below = (None if v is None else _cut(name, v) for name, v in found.items())
    if decline_at is not None and accept_below is not None and accept_below > decline_at:
        raise BadArtifact("bundle's accept_below", accept_below, f"at most its threshold, {decline_at}")
    return Cuts(decline_at, accept_below)


def _cut(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise BadArtifact(f"bundle's {name}", value, "a number from 0 to 1")
    return float(value)
