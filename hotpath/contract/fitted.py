"""What a training run fitted: the levels that `level` keeps, and each feature's baseline.

Travels in the bundle as `fitted.json`; with the contract it is all that a rendering needs. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hotpath.errors import BadArtifact


@dataclass(frozen=True)
class Baseline:
    """How a feature was spread over the training rows, `nulls` of `rows` being null.

    Of a number or truth value (0.0, 1.0): the deciles from least to greatest (11), mean, and sample standard
    deviation (n - 1; null below two values). Of a category: its most frequent levels and their rows.
    """

    rows: int
    nulls: int
    deciles: tuple[float, ...] = ()
    mean: float | None = None
    std: float | None = None
    levels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Fitted:
    """`levels`: by category field, sorted; `baselines`: by feature."""

    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baselines: Mapping[str, Baseline] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The bundle's entry."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Fitted:
        """Raises BadArtifact where `raw` is not what `to_bytes` writes."""
        try:
            data = json.loads(raw)
            levels = {str(name): tuple(map(str, found)) for name, found in data["levels"].items()}
            return cls(levels, {str(name): _baseline(found) for name, found in data["baselines"].items()})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadArtifact("fitted.json", str(error), "levels and baselines") from error


def _baseline(raw: Mapping[str, Any]) -> Baseline:
    levels = tuple((str(name), int(rows)) for name, rows in raw["levels"])
    return Baseline(**{**raw, "deciles": tuple(map(float, raw["deciles"])), "levels": levels})


NOTHING = Fitted()
"""Before a model was trained: `level` knows no level."""
