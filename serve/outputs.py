"""What an answer holds beside its flags: the values that the contract declares, read and validated. Pure.

A declared name is an output of the model (`hotpath.contract.outputs`), a feature, or a parameter that the
caller gets back. A value that is not what was declared is answered as null and named: the model or the
contract is at fault, never the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hotpath.contract.model import Contract
from hotpath.contract.response import answered
from hotpath.contract.types import Value
from serve.decide import Decision


@dataclass(frozen=True, slots=True)
class Said:
    """All that a row came to. `predicted`: the likeliest class; `parameters` as the caller sent them."""

    score: float | None
    predicted: str | None
    decision: Decision
    features: tuple[Value, ...]
    parameters: Mapping[str, Value]


Read = Callable[[Said], Value]

_OUTPUTS: Mapping[str, Read] = {
    "score": lambda said: said.score,
    "class": lambda said: said.predicted,
    "decision": lambda said: said.decision,
}


def reader(contract: Contract) -> Callable[[Said], dict[str, Value]]:
    """The declared values of an answer by name, as they stand on the wire; composed once, called a row."""
    places = {f.name: place for place, f in enumerate(contract.features)}
    defaults = {f.name: f.default for f in contract.serve.parameters}
    reads = tuple((f.name, _read(f.name, places, defaults)) for f in answered(contract))
    return lambda said: {name: read(said) for name, read in reads}


def nulled(values: Mapping[str, Value], wrong: Iterable[str]) -> dict[str, Value]:
    """The values without the wrong ones, and with the decision that is left: to abstain."""
    kept = {**values, **dict.fromkeys((name for name in wrong if name in values), None)}
    return {**kept, "decision": "abstain"} if "decision" in kept else kept


def _read(name: str, places: Mapping[str, int], defaults: Mapping[str, Value]) -> Read:
    if name in _OUTPUTS:
        return _OUTPUTS[name]
    if name in places:
        place = places[name]
        return lambda said: said.features[place]
    default = defaults[name]
    return lambda said: said.parameters.get(name, default)
