"""The gate: whether a challenger's quality permits it to go live. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from hotpath.contract import metrics
from hotpath.contract.parts import Gate, Rule
from hotpath.handoffs import Parity
from train.account import Account
from train.scorecard import Measured


@dataclass(frozen=True)
class Verdict:
    """`why` says what failed; empty where all held."""

    passed: bool
    why: str = ""


def trainable(account: Account) -> Verdict:
    """Whether a window can teach a model at all: rows on both sides whose answers differ."""
    return _verdict(list(account.shortcomings()))


def verdict(gate: Gate, measured: Measured) -> Verdict:
    """Whether every rule of the contract's gate holds (NaN reaches no bound).

    >>> verdict(Gate((Rule("auc", 0.6),)), Measured("binary", {"auc": 0.55})).why
    'auc is 0.5500, the gate asks for at least 0.6'
    """
    failures = (_failure(rule, measured.metrics[rule.metric]) for rule in gate.rules)
    return _verdict([why for why in failures if why])


def agreeing(parity: Parity | None) -> Verdict:
    """Whether the answers that were computed again from the lake of late agree with it (law 2).

    Not a word of them holds nothing up: before the first answers there is none.
    """
    if parity is None or not parity.differing:
        return Verdict(True)
    first = parity.examples[0] if parity.examples else {}
    values = f"answered {first.get('answered')!r}, the lake gives {first.get('recomputed')!r}"
    which = f"{first.get('feature')} of {first.get('prediction_id')} {values}"
    why = f"{parity.differing} of {parity.checked} answers differ from the lake: {which}"
    return Verdict(False, why)


def _failure(rule: Rule, value: float) -> str:
    """Why a rule does not hold; empty where it does."""
    higher = metrics.BY_NAME[rule.metric].better == "higher"
    if value >= rule.bound if higher else value <= rule.bound:
        return ""
    asked = f"at {'least' if higher else 'most'} {rule.bound:g}"
    return f"{rule.metric} is {value:.4f}, the gate asks for {asked}"


def _verdict(failures: Sequence[str]) -> Verdict:
    return Verdict(not failures, "; ".join(failures))
