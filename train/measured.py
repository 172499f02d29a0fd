"""A model's quality on the holdout, its bounds, and what it was held against: measured.json. Pure.

The child that grows the model writes it, the trainer, the gate and the bundle's card read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hotpath.contract import metrics
from hotpath.contract.parts import Kind
from hotpath.errors import BadArtifact

CONSTANT = "constant"
FALLBACK = "fallback"
"""The baselines' names."""
CHALLENGER, CHAMPION, WAITING = "challenger", "champion", "waiting"
"""The models' names, in a run's folder and in what is said of it."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its confidence bounds; those of which nothing is known are as wide as a double goes."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Rival:
    """Who was measured on the same rows. `ahead`: by how much the challenger is better in the headline
    metric, with bounds of the difference itself; negative where it is worse.
    """

    metrics: Mapping[str, float]
    ahead: Estimate


@dataclass(frozen=True)
class Shadow:
    """The waiting challenger against the champion on rows that arrived after its own window.

    `ahead` None: there is no champion to compare with, or no such row.
    """

    outcomes: int
    ahead: Estimate | None = None

    def to_bytes(self) -> bytes:
        """As it stands in a file of its own, where a challenger waits and no model was grown."""
        return _written(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Shadow:
        """Raises BadArtifact where `data` is not what `to_bytes` writes."""
        try:
            return _shadow(json.loads(data))
        except (ValueError, KeyError, TypeError) as error:
            raise _no_measurement(data) from error


@dataclass(frozen=True)
class Measured:
    """Quality on the holdout: `metrics` by name, those of metrics.of(kind) that are defined and the
    contract's own; `bounds` of those that have them.

    A binary model declines from `threshold` on and accepts below `accept_below` (None: never).
    `promised`: whether the tolerances that the contract decides by can be promised. `unsound`: rivals whose
    answers to the holdout are none, by name.
    """

    kind: Kind
    metrics: Mapping[str, float]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    threshold: float | None = None
    accept_below: float | None = None
    baselines: Mapping[str, Rival] = field(default_factory=dict)
    champion: Rival | None = None
    promised: bool = True
    unsound: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The metric to speak of and its value, such as `auc 0.7132`."""
        name = metrics.of(self.kind)[0].name
        value = self.metrics.get(name)
        return f"{name} unknown" if value is None else f"{name} {value:.4f}"

    def to_bytes(self) -> bytes:
        """measured.json."""
        return _written(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Measured:
        """Raises BadArtifact where `data` is not what `to_bytes` writes."""
        try:
            raw = json.loads(data)
            bounds = {name: (float(low), float(high)) for name, (low, high) in raw.pop("bounds").items()}
            baselines = {name: _rival(found) for name, found in raw.pop("baselines").items()}
            champion, unsound = raw.pop("champion"), tuple(raw.pop("unsound", ()))
            return cls(
                bounds=bounds,
                baselines=baselines,
                champion=None if champion is None else _rival(champion),
                unsound=unsound,
                **raw,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _no_measurement(data) from error


def _rival(raw: Mapping[str, Any]) -> Rival:
    return Rival(raw["metrics"], Estimate(**raw["ahead"]))


def _shadow(raw: Mapping[str, Any]) -> Shadow:
    ahead = raw["ahead"]
    return Shadow(int(raw["outcomes"]), None if ahead is None else Estimate(**ahead))


def _written(found: Measured | Shadow) -> bytes:
    return json.dumps(asdict(found), sort_keys=True, indent=1, allow_nan=False).encode()


def _no_measurement(data: bytes) -> BadArtifact:
    return BadArtifact("a model's measurement", data[:200], "what train.fit wrote")
