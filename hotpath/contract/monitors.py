"""The monitors that a pipeline's features give rise to: names and baselines. Pure.

Measuring and judging is monitoring's; here stands what there is to be watched, so that the page of a
pipeline, its bundle's card and the monitors speak of the same thing by the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hotpath.contract.fitted import NOTHING, Baseline, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.types import Type

Kind = Literal["drift", "parity"]
MEANINGS: dict[Kind, str] = {
    "drift": "live values against the training rows'",
    "parity": "live values against those computed again from the lake",
}


@dataclass(frozen=True)
class FeatureMonitor:
    """`baseline` is None until a model was trained."""

    name: str
    kind: Kind
    feature: str
    type: Type
    baseline: Baseline | None


def feature_monitors(contract: Contract, fitted: Fitted = NOTHING) -> tuple[FeatureMonitor, ...]:
    """Two of each feature, in the order of `contract.features`: `drift_FEATURE` and `parity_FEATURE`."""
    return tuple(
        FeatureMonitor(f"{kind}_{f.name}", kind, f.name, f.type, fitted.baselines.get(f.name))
        for f in contract.features
        for kind in MEANINGS
    )
