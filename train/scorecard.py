"""The scorecard: what a bundle says of its model's quality on the holdout. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from hotpath.contract import metrics
from hotpath.contract.parts import Kind
from train.account import Account


@dataclass(frozen=True)
class Measured:
    """Quality on the holdout: `metrics` by name, those of metrics.of(kind).

    `threshold` is the score of the largest F1, where a binary model's `accuracy` is taken; None of others.
    """

    kind: Kind
    metrics: Mapping[str, float]
    threshold: float | None = None

    @property
    def headline(self) -> str:
        """The metric to speak of and its value, such as `auc 0.7132`."""
        name = metrics.of(self.kind)[0].name
        return f"{name} {self.metrics[name]:.4f}"


def scorecard(measured: Measured, account: Account) -> dict[str, object]:
    """The content of a bundle's scorecard.json."""
    return {
        "kind": measured.kind,
        "metrics": dict(measured.metrics),
        **({} if measured.threshold is None else {"threshold": measured.threshold}),
        "rows": dict(account.rows),
        "classes": {side: dict(found) for side, found in account.classes.items()},
    }
