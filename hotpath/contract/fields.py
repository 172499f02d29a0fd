"""A contract's fields out of a strictly read section, and back to plain data. Raises BadConfig.

Owns what a field may say of itself; what a value must then be is checks.py's.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from hotpath.contract import formats
from hotpath.contract.checks import check
from hotpath.contract.keys import FIELD, OBJECT, RESERVED
from hotpath.contract.parts import Field, Object, Part
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import (
    ARRAYS,
    DEEPEST_FIELD,
    FIELD_TYPES,
    ITEMS,
    LONG_MAX,
    LONG_MIN,
    LONGEST_TEXT,
    MOST_ITEMS,
    MOST_LEVELS,
    UNITS,
    Type,
)
from hotpath.errors import BadInput

ARRAY, OBJECT_TYPE = "array", "object"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_A_NAME = "a name of lower-case letters, digits and _ that is no Python keyword"
_OPTIONS = {t.type: t.options for t in FIELD_TYPES}
_ALWAYS = ("type", "nullable", "doc", "from")
_SCALARS = tuple(t.type.value for t in FIELD_TYPES if t.type not in ARRAYS.values())
_NUMBERS = {Type.LONG, Type.LONGS}


def parts(section: Section, prefix: str = "", ours: Collection[str] = ()) -> tuple[Part, ...]:
    """The fields and objects of a `fields` section, sorted by name; `prefix` is the path around it.

    `ours`: names that are given, such as an output's, and need not be fit for an expression.
    """
    for name in section.data:
        if name not in ours:
            named(section, name)
        if not prefix and name in RESERVED:
            raise section.wrong(name, f"a name that the lake does not use ({', '.join(RESERVED)})")
    found = tuple(_part(prefix + name, section.section(name)) for name in sorted(section.data))
    keys = [part.key for part in found]
    for part, name in zip(found, sorted(section.data), strict=True):
        if keys.count(part.key) > 1:
            raise section.section(name).wrong("from", "a name that no other field here has")
    return found


def scalars(section: Section, ours: Collection[str] = ()) -> tuple[Field, ...]:
    """The fields of a section that holds no objects (`serve.parameters`, `serve.response`)."""
    found = []
    for part, name in zip(parts(section, ours=ours), sorted(section.data), strict=True):
        if isinstance(part, Object) or part.source:
            raise section.section(name).wrong("type", "a field that is no object and has no `from`")
        found.append(part)
    return tuple(found)


def plain(found: tuple[Part, ...]) -> dict[str, dict[str, Any]]:
    """What `parts` reads, defaults written out."""
    return {part.name.rpartition(".")[2]: _plain(part) for part in found}


def named(section: Section, name: str) -> None:
    """Raises BadConfig where a key is no name of ours."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise section.wrong(name, _A_NAME, f"rename {name!r}")


def _part(name: str, section: Section) -> Part:
    if section.data.get("type") != OBJECT_TYPE:
        return _field(name, section.only(FIELD))
    section.only(OBJECT)
    if name.count(".") + 2 > DEEPEST_FIELD:
        raise section.wrong("type", f"no object here: fields lie at most {DEEPEST_FIELD} names deep")
    return Object(
        name,
        parts(section.section("fields"), f"{name}."),
        nullable="nullable" in section.data and section.boolean("nullable"),
        doc=section.optional_text("doc", "a sentence"),
        source=_source(section),
    )


def _field(name: str, section: Section) -> Field:
    kind = _kind(section)
    known = (*_ALWAYS, *(() if kind in ITEMS else ("default",)), *_OPTIONS[kind])
    for key in section.data:
        if key not in known:
            said = section.data["type"]
            raise section.wrong(
                key, f"only {', '.join(known)} for a field of type {said}{nearest(key, known)}"
            )
    low, high = _bound(section, "min", kind), _bound(section, "max", kind)
    if low is not None and high is not None and high < low:
        raise section.wrong("max", f"at least min ({low})")
    has = section.data.__contains__
    field = Field(
        name=name,
        type=kind,
        nullable=has("nullable") and section.boolean("nullable"),
        min=low,
        max=high,
        max_levels=section.integer("max_levels", 2, 65536) if has("max_levels") else MOST_LEVELS,
        max_length=section.integer("max_length", 1, 65536) if has("max_length") else LONGEST_TEXT,
        unit=section.one_of("unit", UNITS) if has("unit") else None,
        default=section.data.get("default"),
        levels=_levels(section) if has("levels") else (),
        format=section.one_of("format", tuple(formats.BY_NAME)) if has("format") else None,
        max_items=section.integer("max_items", 1, 1024) if has("max_items") else MOST_ITEMS,
        doc=section.optional_text("doc", "a sentence"),
        source=_source(section),
    )
    for level in field.levels:
        _take(section, "levels", replace(field, levels=()), level)
    return _with_a_sound_default(section, field)


def _take(section: Section, key: str, field: Field, value: Any) -> None:
    """Raises BadConfig where the field's own check refuses what the contract says of it."""
    try:
        check(field)(value)
    except BadInput as error:
        raise section.wrong(key, f"{error.expected}, as the field asks for") from error


def _with_a_sound_default(section: Section, field: Field) -> Field:
    if field.default is None:
        return field
    if field.nullable:
        raise section.wrong("default", "no default beside `nullable`: an absent value is null")
    _take(section, "default", field, field.default)
    return field


def _kind(section: Section) -> Type:
    said = section.one_of("type", (*_SCALARS, ARRAY, OBJECT_TYPE))
    if said != ARRAY:
        return Type(said)
    if "of" not in section.data:
        raise section.wrong("of", f"the type of an item: {', '.join(ARRAYS)} (the key is missing)")
    return ARRAYS[Type(section.one_of("of", tuple(ARRAYS)))]


def _levels(section: Section) -> tuple[str, ...]:
    return tuple(sorted(section.texts("levels", 2, MOST_LEVELS)))


def _source(section: Section) -> str | None:
    found = section.optional_text("from", "the record's own name for it")
    return None if found == section.path[-1] else found


def _bound(section: Section, key: str, kind: Type) -> int | float | None:
    if key not in section.data:
        return None
    return section.integer(key, LONG_MIN, LONG_MAX) if kind in _NUMBERS else section.number(key)


def _plain(part: Part) -> dict[str, Any]:
    if isinstance(part, Object):
        own: dict[str, Any] = {"type": OBJECT_TYPE, "fields": plain(part.parts), "nullable": part.nullable}
    else:
        own = _options(part)
    said = {"doc": part.doc, "from": part.source}
    return {**own, **{key: value for key, value in said.items() if value is not None}}


def _options(field: Field) -> dict[str, Any]:
    values = {
        **vars(field),
        "type": ARRAY if field.type in ITEMS else field.type,
        "of": ITEMS.get(field.type),
        "levels": list(field.levels) or None,
    }
    known = ("type", "nullable", "default", *_OPTIONS[field.type])
    return {key: values[key] for key in known if values[key] is not None}
