"""A record's values, wherever a format put them: by the contract's dotted names, each of them checked.

Pure. Formats (json_records.py, csv_records.py, avro_records.py) turn bytes into what is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from hotpath.contract.checks import Check, checks
from hotpath.contract.parts import Field, Object, Part, Source
from hotpath.contract.types import Scalar, Value
from hotpath.errors import BadConfig, BadInput


@dataclass(frozen=True, slots=True)
class Decoded:
    """Every field of the contract by name (null: None, timestamps: µs), and names it does not know."""

    values: dict[str, Value]
    unknown: tuple[str, ...] = ()


Read = Callable[[bytes], Decoded]
"""One record's bytes. Raises BadInput, whose `thing` is a field or `message`."""


def flattened(source: Source) -> Callable[[Mapping[str, Any]], Decoded]:
    """A record as nested mappings of wire values to its fields, composed once. What it makes raises BadInput.

    An absent object is one whose values are absent; one that is null needs `nullable`.
    """
    level = _level(source.parts, {f.name: f for f in source.fields}, checks(source), "")
    plain, known, flat = level.plain, level.known, not (level.others or level.objects)

    # Of a flat record a call for each value and nothing else: nearly all records are.
    def read(found: Mapping[str, Any]) -> Decoded:
        values = {name: check(found.get(name)) for name, check in plain}
        if flat and found.keys() == known:
            return Decoded(values)
        unknown = [name for name in found if name not in known]
        _others(level, found, values, unknown)
        return Decoded(values, tuple(unknown))

    return read


def by_path(source: Source) -> dict[str, Field]:
    """Each field by the path of keys under which its records have it, joined by dots.

    Raises BadConfig where two have one path, which takes a `from` with a dot.
    """
    found = dict[str, str]()
    _paths(source.parts, "", found)
    by_name = {f.name: f for f in source.fields}
    return {path: by_name[name] for path, name in found.items()}


class _Leaf(NamedTuple):
    key: str
    name: str
    check: Check
    default: Scalar


@dataclass(frozen=True)
class _Level:
    """One object's own values; `plain` are those that are called as the contract does and have no default."""

    prefix: str
    nullable: bool
    plain: tuple[tuple[str, Check], ...]
    others: tuple[_Leaf, ...]
    objects: Mapping[str, _Level]
    known: frozenset[str]


def _level(
    parts: Sequence[Part],
    fields: Mapping[str, Field],
    by_name: Mapping[str, Check],
    prefix: str,
    nullable: bool = False,
) -> _Level:
    plain, others, objects = list[tuple[str, Check]](), list[_Leaf](), dict[str, _Level]()
    for part in parts:
        if isinstance(part, Object):
            objects[part.key] = _level(part.parts, fields, by_name, f"{part.name}.", part.nullable)
            continue
        leaf = _Leaf(part.key, part.name, by_name[part.name], fields[part.name].default)
        if leaf.key == leaf.name and leaf.default is None:
            plain.append((leaf.name, leaf.check))
        else:
            others.append(leaf)
    known = frozenset(part.key for part in parts)
    return _Level(prefix, nullable, tuple(plain), tuple(others), objects, known)


def _others(level: _Level, found: Mapping[str, Any], values: dict[str, Value], unknown: list[str]) -> None:
    for key, name, check, default in level.others:
        values[name] = check(found.get(key, default))
    for key, inner in level.objects.items():
        within = _object(inner, found.get(key, _ABSENT))
        unknown += [inner.prefix + name for name in within if name not in inner.known]
        _others(inner, within, values, unknown)


_ABSENT: Mapping[str, Any] = {}


def _object(level: _Level, value: Any) -> Mapping[str, Any]:
    if isinstance(value, dict) or value is _ABSENT:
        return value
    if value is None and level.nullable:
        return _ABSENT
    raise BadInput(level.prefix[:-1], value, "a value" if value is None else "an object")


def _paths(parts: Sequence[Part], prefix: str, found: dict[str, str]) -> None:
    for part in parts:
        if isinstance(part, Object):
            _paths(part.parts, f"{prefix}{part.key}.", found)
        elif (path := prefix + part.key) in found:
            raise BadConfig("schema", path, f"each path once, not of {found[path]} and of {part.name}")
        else:
            found[path] = part.name
