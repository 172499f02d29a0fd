"""A target's values as a contract's truth: yes or no, one of some classes, or a number. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean
from typing import Any

from hotpath.contract.parts import Field
from hotpath.contract.sections import HUGE, rule_text
from hotpath.contract.types import MOST_LEVELS, Type
from hotpath.errors import BadInput
from hotpath.people.infer import levels

MOST_NUMBERED_CLASSES = 10
"""Whole numbers of no more distinct values name classes; of more they count something."""
_YES = {"yes", "true", "y", "t", "1"}
_NO = {"no", "false", "n", "f", "0"}


@dataclass(frozen=True)
class Truth:
    """The target's field, how a value of the sample becomes one of it, and what a producer must know."""

    field: Field
    convert: Callable[[Any], Any]
    note: str
    gate: dict[str, str]


def truth(field: Field, values: Sequence[Any]) -> Truth:
    """What `values` (none of them null) of an inferred `field` say. Raises BadInput on a single value."""
    distinct = set(values)
    if len(distinct) < 2:
        raise BadInput(f"target {field.name}", next(iter(distinct), None), "at least two different values")
    field = replace(field, nullable=False)
    if field.type == Type.BOOL:
        return Truth(_yes_or_no(field), bool, "", _AUC)
    if field.type in (Type.LONG, Type.DOUBLE):
        return _of_numbers(field, values, distinct)
    if field.type in (Type.STRING, Type.CATEGORY) and len(distinct) <= MOST_LEVELS:
        return _of_texts(field, values, distinct)
    raise BadInput(f"target {field.name}", f"a {field.type}", "true or false, a class or a number")


_AUC = {"auc": ">= 0.6"}


def _yes_or_no(field: Field) -> Field:
    return Field(field.name, Type.BOOL, source=field.source)


def _of_numbers(field: Field, values: Sequence[float], distinct: set[float]) -> Truth:
    if distinct <= {0, 1}:
        note = f"{field.name} was 0 and 1 and is a bool now: producers must send true or false"
        return Truth(_yes_or_no(field), bool, note, _AUC)
    if len(distinct) <= MOST_NUMBERED_CLASSES and all(isinstance(v, int) for v in distinct):
        note = f"{field.name} was a number and names a class now: producers must send it as a text"
        return _classes(field, str, note, [str(v) for v in values])
    mean = fmean(values)
    spread = sqrt(fmean((v - mean) ** 2 for v in values))
    # A model that is no better than the mean has an RMSE of about the standard deviation; half a percent
    # is what three digits may round away.
    bound = max(1e-6, float(f"{spread * 1.005:.3g}"))
    if bound >= HUGE:
        found = f"a standard deviation of {spread:.3g}"
        raise BadInput(f"target {field.name}", found, f"one below {HUGE:g}", "send it in a larger unit")
    return Truth(field, lambda v: v, "", {"rmse": rule_text("<=", bound)})


def _of_texts(field: Field, values: Sequence[str], distinct: set[str]) -> Truth:
    if len(distinct) > 2:
        return _classes(field, str, "", values)
    lowered = {v.lower() for v in distinct}
    yes = next((v for v in distinct if v.lower() in _YES), "") if lowered & _YES and lowered & _NO else ""
    yes = yes or Counter(sorted(values)).most_common()[-1][0]
    note = f"{field.name} was a text and is a bool now, true for {yes!r}: producers must send true or false"
    return Truth(_yes_or_no(field), lambda v: v == yes, note, _AUC)


def _classes(field: Field, convert: Callable[[Any], Any], note: str, values: Sequence[str]) -> Truth:
    known = levels(values)
    longest = max(map(len, known))
    made = Field(field.name, Type.CATEGORY, levels=known, source=field.source, max_length=max(16, longest))
    share = Counter(values).most_common(1)[0][1] / len(values)
    # A model that always says the largest class is right as often as that class comes.
    return Truth(made, convert, note, {"accuracy": rule_text(">=", int(share * 100) / 100)})
