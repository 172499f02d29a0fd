"""The gate: whether a challenger goes live, is held back, or waits for outcomes. Pure.

Every rule is a reason with its numbers, those that hold too: an operator sees all that was weighed. NaN
reaches no bound. A challenger that is not significantly worse than the champion is promoted, for fresh
counts; where the bounds of a difference are unknown, one that is worse at all is held.

The gate is monotone: a promotion stays one where a figure gets better and all else stays as it is. A figure
that has bounds gets better when its value and both bounds shift by the same. Bounds that draw closer are no
such shift: what was worse by chance alone can become significantly worse when more is known.

To add a rule, add a function from gate and evidence to its reasons, and name it in `_RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Literal

from hotpath.contract import metrics
from hotpath.contract.parts import Decide, Gate, Rule
from hotpath.handoffs import Parity
from train.measured import CHAMPION, Estimate, Measured, Shadow

State = Literal["promote", "hold", "wait"]
OUTCOMES = "shadow outcomes"
"""The one rule whose failure alone is no refusal: time cures it."""
_KNOWN = 1e300
"""A bound beyond it says that nothing is known (train.measured.Estimate)."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a challenger.

    `metrics`: every figure that a rule of the gate may name, the contract's own and latency_us too; None or
    absent where there is none. `apart`: why a rival cannot be held against this window, by its name.
    `believed`: the window's timestamp quality, `least_believed` what the contract asks for. `decide`: the
    tolerances that decisions are made by. `shadow`: the challenger's own outcomes since its window.
    """

    measured: Measured
    metrics: Mapping[str, float | None]
    parity: Parity | None = None
    believed: float = 1.0
    least_believed: float = 0.0
    decide: Decide | None = None
    apart: Mapping[str, str] = field(default_factory=dict)
    shadow: Shadow | None = None


@dataclass(frozen=True)
class Reason:
    """One rule: the figure found (None: there is none), what was asked, and both as a sentence."""

    rule: str
    value: float | None
    asked: str
    holds: bool
    says: str


@dataclass(frozen=True)
class Verdict:
    """`why`, in one line: what does not hold; where all does, how good it is and against whom."""

    state: State
    reasons: tuple[Reason, ...]
    why: str


def judged(gate: Gate, evidence: Evidence) -> Verdict:
    """What is to become of a challenger.

    >>> found = Measured("binary", {"auc": 0.55}, {})
    >>> judged(Gate((Rule("auc", 0.6, ">="),)), Evidence(found, found.metrics)).why
    'auc is 0.5500, the gate asks for at least 0.6'
    """
    reasons = tuple(reason for rule in _RULES for reason in rule(gate, evidence))
    return _verdict(reasons, _praise(evidence))


def judged_shadow(gate: Gate, evidence: Evidence) -> Verdict:
    """What is to become of a challenger that has waited: all else was judged when it was made."""
    reasons = tuple(reason for rule in (_agreeing, _shadow) for reason in rule(gate, evidence))
    return _verdict(reasons, "; ".join(reason.says for reason in reasons))


def _verdict(reasons: tuple[Reason, ...], praise: str) -> Verdict:
    failed = [reason for reason in reasons if not reason.holds]
    if not failed:
        return Verdict("promote", reasons, praise)
    state: State = "wait" if all(reason.rule == OUTCOMES for reason in failed) else "hold"
    return Verdict(state, reasons, "; ".join(reason.says for reason in failed))


def _asked(gate: Gate, evidence: Evidence) -> Iterator[Reason]:
    """The contract's own rules."""
    for rule in gate.rules:
        value = evidence.metrics.get(rule.metric)
        yield _reason(rule.metric, value, _bound(rule), _reaches(rule, value))


def _reaches(rule: Rule, value: float | None) -> bool:
    if value is None:
        return False
    return value >= rule.bound if rule.sign == ">=" else value <= rule.bound


def _bound(rule: Rule) -> str:
    return f"at {'least' if rule.sign == '>=' else 'most'} {rule.bound:g}"


def _clocks(_: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Whether enough of the window's timestamps are to be believed."""
    value, least = evidence.believed, evidence.least_believed
    yield _reason("timestamp quality", value, f"at least {least:g}", value >= least)


def _agreeing(_: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Whether answers that were computed again from the lake of late agree with it (law 2).

    Not a word of them holds nothing up: before the first answers there is none.
    """
    if (parity := evidence.parity) is None:
        return
    says = f"{parity.differing} of {parity.checked} answers differ from the lake"
    if parity.examples:
        first = parity.examples[0]
        values = f"answered {first.get('answered')!r}, the lake gives {first.get('recomputed')!r}"
        says += f": {first.get('feature')} of {first.get('prediction_id')} {values}"
    yield Reason("parity", parity.differing, "no answer that differs", not parity.differing, says)


def _promised(_: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Whether the data carry the tolerances that decisions are made by."""
    if evidence.decide is None:
        return
    tolerances = ", ".join(f"{name} {value:g}" for name, value in vars(evidence.decide).items() if value)
    holds = evidence.measured.promised
    says = f"{tolerances} {'can' if holds else 'cannot'} be promised on this holdout"
    yield Reason("promise", None, f"{tolerances} promised", holds, says)


def _champion(gate: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Against what is live; one that could not be asked is said, and blocks nothing by itself."""
    if (live := evidence.measured.champion) is not None:
        yield _ahead(CHAMPION, live.ahead, evidence.measured, gate)
        return
    says = _not_asked(evidence) or "no champion to be held against"
    yield Reason(CHAMPION, None, "not significantly worse", True, says)


def _not_asked(evidence: Evidence) -> str:
    """Of a champion that there is but that was held against nobody, why; else ""."""
    why = evidence.apart.get(CHAMPION, "")
    if CHAMPION in evidence.measured.unsound:
        why = "its answers to the holdout are not one finite number a row"
    return f"the champion could not be asked: {why}" if why else ""


def _baselines(gate: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Against what needs no model at all."""
    for name, rival in sorted(evidence.measured.baselines.items()):
        yield _ahead(name, rival.ahead, evidence.measured, gate)


def _shadow(gate: Gate, evidence: Evidence) -> Iterator[Reason]:
    """Outcomes of its own, where the contract asks for them: first enough of them, then no worse ones."""
    if not gate.shadow:
        return
    shadow = evidence.shadow or Shadow(0, None)
    enough = shadow.outcomes >= gate.shadow
    yield Reason(
        OUTCOMES,
        shadow.outcomes,
        f"at least {gate.shadow}",
        enough,
        f"{shadow.outcomes} outcomes in the shadow, the gate asks for at least {gate.shadow}",
    )
    of = "champion in the shadow"
    if enough and shadow.ahead is not None:
        yield _ahead(of, shadow.ahead, evidence.measured, gate)
    elif enough:
        says = _not_asked(evidence) or "the shadow has no champion to be held against"
        yield Reason(of, None, "not significantly worse", True, says)


_RULES: tuple[Callable[[Gate, Evidence], Iterator[Reason]], ...] = (
    _asked,
    _clocks,
    _agreeing,
    _promised,
    _champion,
    _baselines,
    _shadow,
)


def _ahead(of: str, ahead: Estimate, measured: Measured, gate: Gate) -> Reason:
    """Not significantly worse: the upper bound of what it is ahead by is not below 0; without bounds, the
    value itself is not.
    """
    if _known(ahead):
        holds = ahead.high >= 0
        worse = "not significantly worse" if holds else "significantly worse"
        judged_as = f"{worse} at {gate.confidence:.4g}"
    else:
        holds = ahead.value >= 0
        judged_as = "not worse" if holds else "worse, and nothing says that it is chance"
    says = f"{_headline(measured)} is {_lead(ahead)} against the {of}, {judged_as}"
    return Reason(of, _finite(ahead.value), "not significantly worse", holds, says)


def _known(ahead: Estimate) -> bool:
    return not (abs(ahead.high) > _KNOWN or abs(ahead.low) > _KNOWN)


def _lead(ahead: Estimate) -> str:
    if not _known(ahead):
        return f"{ahead.value:+.4f} (bounds unknown)"
    return f"{ahead.value:+.4f} ({ahead.low:+.4f} to {ahead.high:+.4f})"


def _reason(name: str, value: float | None, asked: str, holds: bool) -> Reason:
    found = f"{nan if value is None else value:.4f}"
    return Reason(name, _finite(value), asked, holds, f"{name} is {found}, the gate asks for {asked}")


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _headline(measured: Measured) -> str:
    return metrics.of(measured.kind)[0].name


def _praise(evidence: Evidence) -> str:
    """Such as `holdout auc 0.7132, +0.0012 (-0.0030 to +0.0054) against the champion`."""
    measured = evidence.measured
    name = _headline(measured)
    said = f"holdout {name} {measured.metrics.get(name, nan):.4f}"
    if measured.champion is None:
        return "; ".join(filter(None, (said, _not_asked(evidence))))
    return f"{said}, {_lead(measured.champion.ahead)} against the champion"
