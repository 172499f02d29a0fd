"""The gate: whether a challenger's quality permits it to go live. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hotpath.contract.parts import Gate
from train.account import Account
from train.scorecard import Measured


@dataclass(frozen=True)
class Verdict:
    """`why` says what failed; empty where all held."""

    passed: bool
    why: str = ""


def trainable(account: Account) -> Verdict:
    """Whether a window can teach a model at all: rows of both classes on both sides."""
    return _verdict(list(account.shortcomings()))


def verdict(gate: Gate, measured: Measured) -> Verdict:
    """Whether every metric that the contract's gate names reaches its least value (NaN reaches none).

    >>> verdict(Gate(auc=0.6), Measured(auc=0.55, f1=0.4, accuracy=0.7, threshold=0.2)).why
    'auc is 0.5500, the gate asks for at least 0.6'
    """
    quality = asdict(measured)
    return _verdict(
        [
            f"{name} is {quality[name]:.4f}, the gate asks for at least {least}"
            for name, least in asdict(gate).items()
            if not quality[name] >= least
        ]
    )


def _verdict(failures: Sequence[str]) -> Verdict:
    return Verdict(not failures, "; ".join(failures))
