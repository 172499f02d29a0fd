"""What a pipeline's runs say together, and what one tells of itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from hotpath.bundle_store import Run
from hotpath.contract import metrics
from train.account import Account
from train.clocks import for_clocks

USUAL_OF = 5
"""Runs that say how long a stage usually takes."""


def tally(runs: Sequence[Run]) -> dict[str, int | float | None]:
    """What all runs came to, as the trainer's progress shows it."""
    states = [run.state for run in runs]
    return {
        "trained": sum(bool(run.metrics) for run in runs),
        "announced": sum(run.sequence is not None for run in runs),
        "refused": states.count("refused"),
        "waiting": states.count("waiting"),
        "failed": states.count("failed"),
        "holdout_auc": next((run.auc for run in reversed(runs) if run.auc is not None), None),
    }


def usual(stage: str, runs: Sequence[Run]) -> float | None:
    """Seconds that a stage took in the middle of the newest runs that had it."""
    taken = [run.seconds[stage] for run in runs if stage in run.seconds][-USUAL_OF:]
    return median(taken) if taken else None


def measured(run: Run, account: Account | None, latency_us: float | None = None) -> dict[str, float | None]:
    """The measurement `run`; `account` is its window's, None where it came to none."""
    left_out = account.left_out if account else {}
    return {
        "seconds": sum(run.seconds.values()),
        "rows": account.rows["train"] if account else None,
        "left_out": sum(left_out.values()) if account else None,
        "wrong_clock": for_clocks(left_out) if account else None,
        "believed": account.believed if account else None,
        "latency_us": latency_us,
        **{metric.name: run.metrics.get(metric.name) for metric in metrics.METRICS if not metric.proof},
        "sequence": run.sequence,
    }
