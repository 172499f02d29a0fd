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
from hotpath.contract.model import Contract
from hotpath.contract.request import request_decoder
from hotpath.contract.row import row_function
from hotpath.contract.types import Type, Value
from hotpath.errors import BadArtifact

Kind = Literal["number", "category"]
NUMBER: Kind = "number"
CATEGORY: Kind = "category"


@dataclass(frozen=True, slots=True)
class Scored:
    """`score`: probability of the question's yes. `unseen`: features whose category the model never met."""

    score: float
    unseen: tuple[str, ...]


Model = Callable[[Sequence[Value]], Scored]
"""The contract's features in their order -> Scored."""
LoadModel = Callable[[bytes, Mapping[str, Kind]], Model]
"""A MOJO's bytes and the features it must take, in order; raises BadArtifact."""


@dataclass(frozen=True, eq=False)
class Generation:
    """A bundle on this scorer, named by its sequence. `threshold`: a score from there on is a yes."""

    sequence: int
    bundle: str
    contract: Contract
    trained_at: Micros
    threshold: float
    decode: Callable[[Mapping[str, object]], dict[str, Value]]
    features: Callable[[Mapping[str, Value]], tuple[Value, ...]]
    model: Model


def build(bundle: Bundle, sequence: int, pipeline: str, load: LoadModel) -> Generation:
    """The generation in a verified bundle.

    Raises BadArtifact where contract, facts, scorecard and model do not belong together, or are another
    pipeline's.
    """
    contract = _contract(bundle, pipeline)
    kinds = {f.name: CATEGORY if f.type == Type.CATEGORY else NUMBER for f in contract.features}
    return Generation(
        sequence=sequence,
        bundle=bundle.id,
        contract=contract,
        trained_at=_trained_at(bundle),
        threshold=_threshold(bundle),
        decode=request_decoder(contract),
        features=row_function(contract),
        model=load(bundle.files["model.zip"], kinds),
    )


def _contract(bundle: Bundle, pipeline: str) -> Contract:
    contract = Contract.from_json(bundle.files["contract.json"])
    if contract.name != pipeline or bundle.facts.get("pipeline") != pipeline:
        raise BadArtifact("bundle's pipeline", contract.name, f"{pipeline}, in contract and facts alike")
    if bundle.facts.get("fingerprint") != contract.fingerprint:
        raise BadArtifact("bundle's fingerprint", bundle.facts.get("fingerprint"), contract.fingerprint)
    return contract


def _trained_at(bundle: Bundle) -> Micros:
    at = bundle.facts.get("trained_at")
    if not isinstance(at, int) or isinstance(at, bool):
        raise BadArtifact("bundle's trained_at", at, "an instant in µs")
    return at


def _threshold(bundle: Bundle) -> float:
    try:
        threshold = json.loads(bundle.files["scorecard.json"])["threshold"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadArtifact("bundle's scorecard.json", str(error), "an object with a threshold") from error
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 <= threshold <= 1:
        raise BadArtifact("bundle's threshold", threshold, "a number from 0 to 1")
    return float(threshold)
