"""What a test of a pipeline came to: one line each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isclose

from hotpath.contract.checks import Check, check, checks
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import Value
from hotpath.errors import BadInput
from hotpath.people.accepted import Accepted, worse
from hotpath.people.mistakes import Caught
from hotpath.people.plan import Budget, Case, Plan
from hotpath.people.trying import trier

CLOSE = 1e-9
"""Of a number in tests.yaml: people write decimals."""


class Kind(StrEnum):
    """The four kinds of tests, and the mistakes that are part of every run."""

    UNIT = "unit"
    MODEL = "model"
    INTEGRATION = "integration"
    RESOURCE = "resource"
    MISTAKE = "mistake"


@dataclass(frozen=True)
class Result:
    """One test: `says` what was found, of a failed one what was expected too."""

    kind: Kind
    name: str
    passed: bool
    says: str = ""


def unit(contract: Contract, cases: Iterable[Case], base: Mapping[str, Value]) -> Iterator[Result]:
    """The cases, each over the `base` row; what is null is told with where it comes from."""
    tried, by_name = trier(contract), {**checks(contract.events), **_readings(contract)}
    for case in cases:
        given = {**case.row, **case.readings}
        try:
            row = {**base, **{name: by_name[name](value) for name, value in given.items()}}
        except BadInput as error:
            yield Result(Kind.UNIT, case.name, False, f"its row is refused: {error}")
            continue
        found = tried(row)
        wrong = [
            f"{name} is {found.features[name]!r}{_because(found.nulls.get(name))}, expected {value!r}"
            for name, value in case.features.items()
            if not _same(found.features[name], value)
        ]
        yield Result(Kind.UNIT, case.name, not wrong, "; ".join(wrong))


def _readings(contract: Contract) -> dict[str, Check]:
    return {r.name: check(Field(r.name, r.type, nullable=True)) for r in contract.readings}


def quality(
    contract: Contract, metrics: Mapping[str, float], accepted: Accepted | None, plan: Plan
) -> Iterator[Result]:
    """A model's metrics on the sample's holdout against the accepted ones and the contract's gate."""
    shown = ", ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))
    if accepted is None:
        todo = "nothing is accepted yet: hotpath test NAME --accept"
        yield Result(Kind.MODEL, "quality as accepted", False, f"{shown}; {todo}")
    else:
        lost = worse(accepted.metrics, metrics, plan.tolerance)
        yield Result(Kind.MODEL, "quality as accepted", not lost, "; ".join(lost) or shown)
    below = [
        f"{rule.metric} is {metrics[rule.metric]:.4f}, the gate asks for {rule.bound:g}"
        for rule in contract.gate.rules
        if worse({rule.metric: rule.bound}, metrics, 0.0)
    ]
    yield Result(Kind.MODEL, "quality beyond the gate", not below, "; ".join(below))


def budgets(budget: Budget, found: Mapping[str, float]) -> Iterator[Result]:
    """What was measured, by the budget's names, against it."""
    for name, most in vars(budget).items():
        says = f"{found[name]:.1f}, at most {most:g}"
        yield Result(Kind.RESOURCE, name, found[name] <= most, says)


def mistakes(caught: Iterable[Caught]) -> Iterator[Result]:
    """Mistakes that were made on purpose: each must have been noticed."""
    for each in caught:
        says = each.by or "nobody noticed: narrow the field's range, or keep it out of the features"
        yield Result(Kind.MISTAKE, f"{each.mistake} ({each.where})", bool(each.by), says)


def _same(found: Value, expected: object) -> bool:
    if isinstance(found, bool) or isinstance(expected, bool) or not isinstance(found, int | float):
        return found == expected
    return isinstance(expected, int | float) and isclose(found, expected, rel_tol=CLOSE, abs_tol=CLOSE)


def _because(origins: Sequence[str] | None) -> str:
    return f" (null comes from {', '.join(origins)})" if origins else ""
