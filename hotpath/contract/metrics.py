"""What the quality of a model is measured by: one row a metric, for gate, scorecard, monitors and docs.

To add one, add a row here and a way to compute it to train/h2o_backend.py (on the holdout).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hotpath.contract.parts import Kind

BINARY: tuple[Kind, ...] = ("binary",)
CLASSES: tuple[Kind, ...] = ("classes",)
NUMBER: tuple[Kind, ...] = ("number",)


@dataclass(frozen=True)
class Metric:
    """`least` and `most` bound a rule's number; `better` says which side of it is good."""

    name: str
    kinds: tuple[Kind, ...]
    better: Literal["higher", "lower"]
    least: float
    most: float
    doc: str

    @property
    def sign(self) -> str:
        """How a rule is written."""
        return ">=" if self.better == "higher" else "<="


METRICS: tuple[Metric, ...] = (
    Metric("auc", BINARY, "higher", 0.5, 1.0, "area under the ROC curve"),
    Metric("f1", BINARY, "higher", 0.0, 1.0, "F1 at the threshold that makes it greatest"),
    Metric("accuracy", (*BINARY, *CLASSES), "higher", 0.0, 1.0, "share of right answers"),
    Metric("log_loss", (*BINARY, *CLASSES), "lower", 0.0, 100.0, "mean negative log likelihood (nats)"),
    Metric("rmse", NUMBER, "lower", 0.0, 1e300, "root of the mean squared error, in the target's unit"),
    Metric("mae", NUMBER, "lower", 0.0, 1e300, "mean absolute error, in the target's unit"),
)
BY_NAME = {m.name: m for m in METRICS}


def of(kind: Kind) -> tuple[Metric, ...]:
    """The metrics of a kind of target; the first is the one to speak of."""
    return tuple(m for m in METRICS if kind in m.kinds)
