"""What a contract and a sample are judged by: decoded rows, their features, their truth. Pure.

The sample goes through the contract's own decoder, so what the lake would reject is no row here either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from hotpath.contract.decode import Decoded, Rejected, decoder
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Feature, Source
from hotpath.contract.row import row_function
from hotpath.contract.types import Type, Value
from hotpath.contract.used import readings_used
from hotpath.errors import Bug

Row = Mapping[str, Value]
NUMBERS = (Type.LONG, Type.DOUBLE)


@dataclass(frozen=True)
class Evidence:
    """`rows` and `answers` in the sample's order; `refused`: the decoder's reasons, counted; `spreads`:
    deciles by numeric field as they were accepted.
    """

    contract: Contract
    rows: Sequence[Row] = ()
    answers: Sequence[Row] = ()
    refused: Counter[str] = field(default_factory=Counter)
    spreads: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @cached_property
    def judged(self) -> tuple[Feature, ...]:
        """The features that a sample tells of: what reads tiles has no value without them, and tiles tell
        nothing of a label that had not arrived.
        """
        return tuple(f for f in self.contract.features if not readings_used([f]))

    @cached_property
    def features(self) -> Mapping[str, Sequence[Value]]:
        """Values by `judged` feature, a level of the sample being a fitted one."""
        told = replace(self.contract, features=self.judged)
        of = row_function(told, levels_of(self.contract, self.rows))
        made = [of(row) for row in self.rows]
        return {f.name: [row[i] for row in made] for i, f in enumerate(self.judged)}

    @cached_property
    def truth(self) -> Sequence[Value]:
        """The newest answer to each row's entity; None where there is none."""
        labels, entity = self.contract.labels, self.contract.events.entity
        told = {row[labels.entity]: row[labels.target] for row in self.answers}
        return [told.get(row[entity]) for row in self.rows]

    def column(self, name: str) -> list[Value]:
        """A field's values that are not null."""
        return [row[name] for row in self.rows if row[name] is not None]

    def numbers(self) -> Mapping[str, Sequence[float]]:
        """Values that are not null by numeric field."""
        fields = [f.name for f in self.contract.events.fields if f.type in NUMBERS]
        return {name: [number(value) for value in self.column(name)] for name in fields}


def number(value: Value) -> float:
    """A number or truth value of a row as a double."""
    if not isinstance(value, int | float):
        raise Bug("a value of a numeric field", value, "a number")
    return float(value)


def evidence(
    contract: Contract,
    events: Iterable[bytes],
    labels: Iterable[bytes],
    spreads: Mapping[str, Sequence[float]] | None = None,
) -> Evidence:
    """What the lines of a sample show."""
    refused: Counter[str] = Counter()
    rows = _decoded(contract.events, events, refused)
    answers = _decoded(contract.labels, labels, refused)
    return Evidence(contract, rows, answers, refused, spreads or {})


def levels_of(contract: Contract, rows: Sequence[Row]) -> Fitted:
    """Every level of the rows, up to a field's most, as if a model had been trained on them."""
    levels = {}
    for kind in contract.events.fields:
        if kind.type == Type.CATEGORY:
            counts = Counter(str(row[kind.name]) for row in rows if row[kind.name] is not None)
            levels[kind.name] = tuple(sorted(name for name, _ in counts.most_common(kind.max_levels)))
    return Fitted(levels)


def _decoded(source: Source, lines: Iterable[bytes], refused: Counter[str]) -> list[Row]:
    decode = decoder(source)
    rows: list[Row] = []
    for line in lines:
        match decode(line):
            case Decoded(values):
                rows.append(values)
            case Rejected(reason):
                refused[reason] += 1
    return rows
