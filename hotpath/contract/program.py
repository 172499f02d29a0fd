"""The features as a compact program: plain data that another core runs without this code or Python's grammar.

Every value has a slot: the event's fields first, then constants, then what each instruction writes, each slot
once. Equal parts of the features are computed once. docs/program.md is the format; a test runs it on a
machine that knows nothing else and compares with the row function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Feature
from hotpath.contract.tables import Table
from hotpath.contract.tree import Call, Literal, Reading, Ref, Tree, Widen
from hotpath.contract.types import Type
from hotpath.contract.used import nodes
from hotpath.contract.zones import zone

VERSION = 1
WIDEN = "widen"
"""The one instruction that is no function of the language: a long as the nearest double."""


def program(contract: Contract, fitted: Fitted = NOTHING) -> dict[str, Any]:
    """The contract's features and what was fitted as data for `json.dumps`."""
    made = compiled(contract.features, contract.tables, fitted)
    return {"version": VERSION, "fingerprint": contract.fingerprint, **made}


def compiled(features: Sequence[Feature], tables: Sequence[Table], fitted: Fitted) -> dict[str, Any]:
    """The program of these features, without the keys that say whose it is."""
    trees = [f.tree for f in features]
    parts = [node for tree in trees for node in nodes(tree)]
    fields = sorted({(part.name, part.type) for part in parts if isinstance(part, Ref | Reading)})
    slots = _Slots({t.name: t for t in tables}, fitted, fields)
    for literal in (part for part in parts if isinstance(part, Literal)):
        slots.of(literal)
    named = [[f.name, slots.of(f.tree)] for f in features]
    return {
        "slots": slots.types,
        "inputs": slots.inputs,
        "constants": slots.constants,
        "instructions": slots.instructions,
        "features": named,
        "zones": slots.zones,
        "tables": slots.tables,
        "levels": slots.levels,
    }


@dataclass
class _Slots:
    """Hands out slots, the same one to the same thing."""

    known_tables: Mapping[str, Table]
    fitted: Fitted
    fields: Sequence[tuple[str, Type]]
    types: list[str] = field(default_factory=list)
    constants: list[list[Any]] = field(default_factory=list)
    instructions: list[list[Any]] = field(default_factory=list)
    zones: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    levels: list[list[str]] = field(default_factory=list)
    _taken: dict[object, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in self.fields:
            self._slot((Ref, name), kind)

    @property
    def inputs(self) -> list[list[Any]]:
        """Names of the event's fields and of the readings that are used, and their slots."""
        return [[name, self._taken[Ref, name]] for name, _ in self.fields]

    def of(self, tree: Tree) -> int:
        """The slot that holds the value of `tree`; what it takes to fill it is noted where it is new."""
        match tree:
            case Ref(name=name) | Reading(name=name):
                return self._taken[Ref, name]
            case Literal(value, kind):
                return self._constant(value, kind)
            case Widen(arg):
                return self._instruction(WIDEN, (self.of(arg),), Type.DOUBLE)
            case Call(name, args, kind):
                return self._instruction(name, tuple(map(self.of, args)), kind)

    def _instruction(self, name: str, args: tuple[int, ...], kind: Type) -> int:
        key = (name, args)
        if key not in self._taken:
            self.instructions.append([name, self._slot(key, kind), *args])
        return self._taken[key]

    def _constant(self, value: Any, kind: Type) -> int:
        key = (Literal, kind, repr(value))
        if key not in self._taken:
            self.constants.append([self._slot(key, kind), self._said(value, kind)])
        return self._taken[key]

    def _said(self, value: Any, kind: Type) -> Any:
        """A constant as it stands in the program: of a zone, a table or levels their place in its list."""
        if kind == Type.ZONE:
            found = zone(value)
            self.zones.append({"name": value, "starts": list(found.starts), "offsets": list(found.offsets)})
            return len(self.zones) - 1
        if kind == Type.TABLE:
            self.tables.append(_table(self.known_tables[value]))
            return len(self.tables) - 1
        if kind == Type.LEVELS:
            self.levels.append(list(self.fitted.levels.get(value, ())))
            return len(self.levels) - 1
        return value

    def _slot(self, key: object, kind: Type) -> int:
        self.types.append(kind.value)
        return self._taken.setdefault(key, len(self.types) - 1)


def _table(table: Table) -> dict[str, Any]:
    columns = [{"name": c.name, "type": c.type.value, "values": list(c.values)} for c in table.columns]
    return {"name": table.name, "key": table.key, "columns": columns}
