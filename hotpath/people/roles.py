"""Which fields are an event's id, entity, host and time: by what was said, else by their names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hotpath.contract.parts import Field
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Type
from hotpath.errors import BadInput

TEXTS = (Type.STRING, Type.CATEGORY)


@dataclass(frozen=True)
class Role:
    """`names`: what such a field is usually called, `endings`: how its name ends; the first that is there."""

    name: str
    types: tuple[Type, ...]
    names: tuple[str, ...]
    endings: tuple[str, ...]
    means: str


ROLES: tuple[Role, ...] = (
    Role("id", TEXTS, ("event_id", "id", "uuid", "request_id", "transaction_id"), (), "a unique text"),
    Role("entity", TEXTS, ("entity", "entity_id"), ("_id",), "a text that the label refers to"),
    Role(
        "host",
        TEXTS,
        ("host", "hostname", "machine", "server", "node", "instance", "terminal"),
        ("_host", "_node", "_terminal"),
        "a text, the machine whose clock stamped the time",
    ),
    Role(
        "time",
        (Type.TIMESTAMP,),
        ("event_time", "time", "timestamp", "ts", "at", "occurred_at", "created_at"),
        ("_time", "_at", ""),
        "an RFC 3339 instant with a zone, when the event happened",
    ),
)
BY_NAME = {role.name: role for role in ROLES}


def roles(
    fields: Sequence[Field], unique: Callable[[str], bool], answered: Iterable[str], said: Mapping[str, str]
) -> dict[str, str]:
    """Field by role, of those that are found.

    `unique` tells whether a field has another value in every row; `answered` are the labels' fields, `said`
    the roles that the user named. Raises BadInput where a named field cannot have the role.
    """
    found = {role.name: _said(role, fields, said) for role in ROLES if role.name in said}
    usable = [f for f in fields if not f.nullable]
    if "id" not in found:
        found["id"] = _first(BY_NAME["id"], [f for f in usable if unique(f.name)]) or _unique(usable, unique)
    if "entity" not in found:
        shared = set(answered)
        # Without a labels file every row has its own answer: it is about the row itself.
        told = [f for f in usable if f.name in shared and f.type in TEXTS]
        found["entity"] = (_first(BY_NAME["entity"], told) if shared else None) or found["id"]
    for name in ("host", "time"):
        if name not in found:
            found[name] = _first(BY_NAME[name], usable)
    return {role.name: found[role.name] for role in ROLES if found.get(role.name)}


def missing(found: Mapping[str, str]) -> tuple[Role, ...]:
    """The roles that no field has."""
    return tuple(role for role in ROLES if role.name not in found)


def _said(role: Role, fields: Sequence[Field], said: Mapping[str, str]) -> str:
    known = {f.name: f for f in fields}
    name = said[role.name]
    if name not in known:
        hint = nearest(name, list(known))
        raise BadInput(f"--{role.name}", name, f"a field of the sample ({', '.join(known)}){hint}")
    if known[name].type not in role.types or known[name].nullable:
        raise BadInput(
            f"--{role.name}", f"{name}, {_shown(known[name])}", f"a field in every row: {role.means}"
        )
    return name


def _first(role: Role, fields: Sequence[Field]) -> str:
    fit = [f.name for f in fields if f.type in role.types]
    exact = [name for name in role.names if name in fit]
    ending = [name for end in role.endings for name in fit if name.endswith(end)]
    return next(iter((*exact, *ending)), "")


def _unique(fields: Sequence[Field], unique: Callable[[str], bool]) -> str:
    return next((f.name for f in fields if f.name.endswith("id") and f.type in TEXTS and unique(f.name)), "")


def _shown(field: Field) -> str:
    return f"a {field.type}{', null in some rows' if field.nullable else ''}"
