"""What the quality of a model is measured by: one row a metric, for gate, scorecard, monitors and docs.

To add one, add a row here and the function of its name to hotpath/quality.py: a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hotpath.contract.parts import Kind, Sign

BINARY: tuple[Kind, ...] = ("binary",)
CLASSES: tuple[Kind, ...] = ("classes",)
NUMBER: tuple[Kind, ...] = ("number",)
CHANCES: tuple[Kind, ...] = ("binary", "classes")
EVERY: tuple[Kind, ...] = ("binary", "classes", "number")


@dataclass(frozen=True)
class Metric:
    """`least` and `most` bound a rule's number; `better` says which side of it is good.

    `proof`: measured when the bundle is proved, not on the holdout; for the gate alone.
    """

    name: str
    kinds: tuple[Kind, ...]
    better: Literal["higher", "lower"]
    least: float
    most: float
    doc: str
    proof: bool = False

    @property
    def sign(self) -> Sign:
        """How a rule is written."""
        return ">=" if self.better == "higher" else "<="


LATENCY = "latency_us"
METRICS: tuple[Metric, ...] = (
    Metric("auc", BINARY, "higher", 0.5, 1.0, "area under the ROC curve"),
    Metric("pr_auc", BINARY, "higher", 0.0, 1.0, "area under the precision-recall curve (average precision)"),
    Metric("f1", BINARY, "higher", 0.0, 1.0, "F1 at the threshold that makes it greatest"),
    Metric("f2", BINARY, "higher", 0.0, 1.0, "F2 at the threshold that makes it greatest"),
    Metric("accuracy", CHANCES, "higher", 0.0, 1.0, "share of right answers"),
    Metric("log_loss", CHANCES, "lower", 0.0, 100.0, "mean negative log likelihood (nats)"),
    Metric("brier", CHANCES, "lower", 0.0, 2.0, "mean squared error of the probabilities (of many: summed)"),
    Metric(
        "calibration_error",
        BINARY,
        "lower",
        0.0,
        1.0,
        "mean distance of score and share of yes, in ten bins of equally many rows",
    ),
    Metric("ks", BINARY, "higher", 0.0, 1.0, "Kolmogorov-Smirnov: greatest distance of the classes' scores"),
    Metric(
        "lift", BINARY, "higher", 0.0, 10.0, "share of yes in the tenth with the highest scores, over all's"
    ),
    Metric("macro_f1", CLASSES, "higher", 0.0, 1.0, "F1 of each class, their mean"),
    Metric(
        "macro_auc",
        CLASSES,
        "higher",
        0.0,
        1.0,
        "area under the ROC curve of each class against the rest, their mean",
    ),
    Metric("rmse", NUMBER, "lower", 0.0, 1e300, "root of the mean squared error, in the target's unit"),
    Metric("mae", NUMBER, "lower", 0.0, 1e300, "mean absolute error, in the target's unit"),
    Metric("r2", NUMBER, "higher", 0.0, 1.0, "share of the variance that is explained"),
    Metric("median_error", NUMBER, "lower", 0.0, 1e300, "median absolute error, in the target's unit"),
    Metric(
        LATENCY, EVERY, "lower", 0.0, 1e300, "median µs a row of features and score, as proved", proof=True
    ),
)
BY_NAME = {m.name: m for m in METRICS}


def of(kind: Kind) -> tuple[Metric, ...]:
    """The metrics of a kind of target on its holdout; the first is the one to speak of."""
    return tuple(m for m in METRICS if kind in m.kinds and not m.proof)


def ruled(kind: Kind) -> tuple[Metric, ...]:
    """What a gate may ask of a kind of target, the contract's own metrics apart."""
    return tuple(m for m in METRICS if kind in m.kinds)
