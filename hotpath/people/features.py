"""First features of a draft: what a model can take as it is, and times as spans. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hotpath.contract.parts import Field, Part, leaves
from hotpath.contract.types import Type
from hotpath.people.infer import LeftOut

LONGEST = 48
"""Characters of a field's name in that of its feature."""


def features(
    parts: Sequence[Part], has: Mapping[str, str], rows: Sequence[Mapping[str, Any]], made_up: tuple[str, ...]
) -> tuple[dict[str, str], list[LeftOut]]:
    """Feature by name, and fields that became none."""
    found: dict[str, str] = {}
    unused: list[LeftOut] = []
    values = {part.name: {str(row.get(part.key)) for row in rows} for part in parts}
    for field in leaves(parts):
        if field.name in (has["id"], has["entity"], has["host"], *(has[role] for role in made_up)):
            continue
        if field.name in values and len(values[field.name]) == 1:
            unused.append(LeftOut(field.name, "constant in the sample"))
        elif made := _feature(field, has["time"]):
            found[_free(made[0], found)] = made[1]
        else:
            unused.append(LeftOut(field.name, f"of type {field.type}: docs/contract.md has functions for it"))
    return found, unused


def _feature(field: Field, time: str) -> tuple[str, str] | None:
    """Name and expression; None of what no model can take."""
    name = field.name.replace(".", "_")[:LONGEST]
    if field.type in (Type.CATEGORY, Type.BOOL, Type.LONG, Type.DOUBLE):
        return name, field.name
    if field.type == Type.DURATION:
        return f"{name}_minutes", f"minutes({field.name})"
    if field.type != Type.TIMESTAMP:
        return None
    if field.name != time:
        return f"minutes_to_{name}", f"minutes_between({time}, {field.name})"
    return "hour", f'hour({field.name}, "UTC")'


def _free(name: str, taken: Mapping[str, str]) -> str:
    """`name`, made longer where another feature has it: device_os may be device.os too."""
    while name in taken:
        name += "_"
    return name
