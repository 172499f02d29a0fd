"""The common mistakes with data, each made on purpose and to be caught: one table. Pure.

`hotpath test` makes every mistake that a contract and its sample allow; one that nobody notices is a failed
test. To add one, add an entry to MISTAKES: it spoils the sample (or the contract) and says who noticed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact
from hotpath.people.evidence import NUMBERS, Evidence, number
from hotpath.people.suspicion import BY_NAME

Spread = Mapping[str, Sequence[float]]
CONVERSIONS: Mapping[str, tuple[str, Callable[[float], float]]] = {
    "mi": ("km", lambda v: v * 1.609344),
    "km": ("m", lambda v: v * 1000),
    "m": ("ft", lambda v: v / 0.3048),
    "ft": ("m", lambda v: v * 0.3048),
    "in": ("mm", lambda v: v * 25.4),
    "mm": ("in", lambda v: v / 25.4),
    "mph": ("m/s", lambda v: v * 0.44704),
    "km/h": ("m/s", lambda v: v / 3.6),
    "m/s": ("km/h", lambda v: v * 3.6),
    "kn": ("m/s", lambda v: v * 0.514444),
    "degF": ("degC", lambda v: (v - 32) / 1.8),
    "degC": ("degF", lambda v: v * 1.8 + 32),
    "hPa": ("Pa", lambda v: v * 100),
    "percent": ("a share", lambda v: v / 100),
    "s": ("ms", lambda v: v * 1000),
    "min": ("s", lambda v: v * 60),
    "h": ("min", lambda v: v * 60),
    "d": ("h", lambda v: v * 24),
    "USD": ("cents", lambda v: v * 100),
    "EUR": ("cents", lambda v: v * 100),
    "GBP": ("pence", lambda v: v * 100),
}
"""What a unit is most easily mistaken for, and the value there."""
THOUSANDS = ("thousands", lambda v: v / 1000)
"""For a number without a unit, or one that is not converted (count, deg)."""


@dataclass(frozen=True)
class Caught:
    """What was done, to which field, and who noticed: nobody where `by` is empty."""

    mistake: str
    where: str
    by: str


@dataclass(frozen=True)
class Mistake:
    """`made` spoils the evidence in as many ways as it knows and says of each who noticed."""

    name: str
    made: Callable[[Evidence], Iterator[Caught]]


def caught(found: Evidence) -> tuple[Caught, ...]:
    """What came of every mistake. `found.spreads` are the accepted ones."""
    return tuple(each for mistake in MISTAKES for each in mistake.made(found))


def _label_as_feature(found: Evidence) -> Iterator[Caught]:
    target = found.contract.labels.target
    yield Caught("the label among the features", target, _refusal(found.contract, target))


def _label_in_a_field(found: Evidence) -> Iterator[Caught]:
    """A producer that knows the answer already and sends it in a field that exists."""
    for feature in found.contract.features:
        field = next((f for f in found.contract.events.fields if f.name == feature.expression), None)
        if field is not None and field.type in NUMBERS and found.contract.labels.kind != "classes":
            told = zip(found.rows, found.truth, strict=True)
            rows = [{**row, field.name: None if true is None else number(true)} for row, true in told]
            yield Caught("the label inside a field", field.name, _suspected(found, rows, "leak by strength"))
            return


def _duplicated_ids(found: Evidence) -> Iterator[Caught]:
    name = found.contract.events.id
    half = len(found.rows) // 2
    rows = [*found.rows[:half], *({**row, name: found.rows[0][name]} for row in found.rows[half:])]
    yield Caught("duplicated ids", name, _suspected(found, rows, "duplicated id"))


def _shuffled_time(found: Evidence) -> Iterator[Caught]:
    name = found.contract.events.time
    times = [row[name] for row in found.rows]
    random.Random(20130709).shuffle(times)
    rows = [{**row, name: time} for row, time in zip(found.rows, times, strict=True)]
    yield Caught("shuffled time", name, _suspected(found, rows, "shuffled time"))


def _changed_units(found: Evidence) -> Iterator[Caught]:
    for field in found.contract.events.fields:
        if field.type in NUMBERS and (old := found.spreads.get(field.name)) and old[-1] > old[0]:
            other, convert = CONVERSIONS.get(field.unit or "", THOUSANDS)
            yield Caught(f"{field.unit or 'units'} sent as {other}", field.name, _unit(found, field, convert))


MISTAKES: tuple[Mistake, ...] = (
    Mistake("the label among the features", _label_as_feature),
    Mistake("the label inside a field", _label_in_a_field),
    Mistake("duplicated ids", _duplicated_ids),
    Mistake("shuffled time", _shuffled_time),
    Mistake("a changed unit", _changed_units),
)


def _refusal(contract: Contract, target: str) -> str:
    """What refuses a contract whose features hold the target."""
    leaked = replace(contract.features[0], name="leaked", expression=target)
    spoiled = replace(contract, features=(*contract.features, leaked)).canonical()
    try:
        Contract.from_json(spoiled)
    except BadArtifact as error:
        return f"the contract: {error.expected}"
    return ""


def _unit(found: Evidence, field: Field, convert: Callable[[float], float]) -> str:
    """A range refuses before a shift can be seen."""
    values = [number(v) for v in found.column(field.name)]
    changed = [convert(value) for value in values]
    low = float("-inf") if field.min is None else field.min
    high = float("inf") if field.max is None else field.max
    if outside := sum(not low <= value <= high for value in changed):
        return f"the decoder: {outside} of {len(changed)} values out of range"
    rows = [_converted(row, field.name, convert) for row in found.rows]
    return _suspected(found, rows, "changed unit")


def _converted(row: Mapping[str, Value], name: str, convert: Callable[[float], float]) -> Mapping[str, Value]:
    value = row[name]
    return row if value is None else {**row, name: convert(number(value))}


def _suspected(found: Evidence, rows: Sequence[Mapping[str, Value]], suspicion: str) -> str:
    """What hotpath check says of these rows that it does not say of the good ones."""
    look = BY_NAME[suspicion].look
    before = list(look(found))
    said = [says for where, says in look(replace(found, rows=rows)) if (where, says) not in before]
    return f"hotpath check: {said[0]}" if said else ""
