"""NAME/accepted.json: the quality and the spread of a pipeline's sample as somebody accepted them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from hotpath.contract.metrics import BY_NAME
from hotpath.errors import BadArtifact


@dataclass(frozen=True)
class Accepted:
    """Metrics of the holdout by name (rounded to 6 digits), `rows` by side, deciles by numeric field.

    Deciles are kept to the last bit: values lie on them, and a rounded one would part them from their bin.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    spreads: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's content."""
        metrics = {name: float(f"{value:.6g}") for name, value in self.metrics.items()}
        return (json.dumps({**asdict(self), "metrics": metrics}, sort_keys=True, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, raw: bytes, source: str) -> Accepted:
        """Raises BadArtifact where `raw` is not what `to_bytes` writes."""
        try:
            data = json.loads(raw)
            spreads = {str(name): tuple(map(float, found)) for name, found in data["spreads"].items()}
            metrics = {str(name): float(value) for name, value in data["metrics"].items()}
            return cls(metrics, {str(k): int(v) for k, v in data["rows"].items()}, spreads)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            todo = "write it anew: hotpath test NAME --accept"
            raise BadArtifact(source, str(error), "metrics, rows and spreads", todo) from error


def worse(accepted: Mapping[str, float], found: Mapping[str, float], tolerance: float) -> list[str]:
    """Metrics that are worse by more than `tolerance` (of a metric without a bound: so much of its value).

    >>> worse({"auc": 0.71, "log_loss": 0.5}, {"auc": 0.68, "log_loss": 0.51}, 0.02)
    ['auc is 0.6800, accepted was 0.7100']
    """
    return [
        f"{name} is {found.get(name, float('nan')):.4f}, accepted was {value:.4f}"
        for name, value in accepted.items()
        if not _holds(name, value, found.get(name, float("nan")), tolerance)
    ]


def _holds(name: str, accepted: float, found: float, tolerance: float) -> bool:
    metric = BY_NAME.get(name)
    if metric is None or metric.proof:  # which side of an own one is good, its gate says; µs are a machine's
        return True
    slack = tolerance * (accepted if metric.most > 1e6 else 1.0)
    return found >= accepted - slack if metric.better == "higher" else found <= accepted + slack
