"""A contract's parts out of a strictly read document. Raises BadConfig with file, line and column.

What the keys are called is keys.py's, what a Document is strict_yaml.py's.
"""

from __future__ import annotations

import keyword
import re

from hotpath.contract.expressions import Scope, normal, parse
from hotpath.contract.keys import EVENTS, FIELD, FLOOR, GATE, LABELS, RESERVED, SERVE, TRAIN
from hotpath.contract.parts import Events, Feature, Field, Floor, Gate, Labels, Serve, Train
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import FIELD_TYPES, LONG_MAX, LONG_MIN, LONGEST_TEXT, MOST_LEVELS, UNITS, Type

_TOPIC = r"(?!hotpath\.|\.+$)[A-Za-z0-9._-]{1,200}"
_A_TOPIC = "a Kafka topic (letters, digits, . _ -) that does not begin with hotpath."
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_A_NAME = "a name of lower-case letters, digits and _ that is no Python keyword"
_TYPES = {t.type: t for t in FIELD_TYPES}
_TEXTS, _FEATURES = (Type.STRING, Type.CATEGORY), tuple(t.type for t in FIELD_TYPES if t.feature)


def events(section: Section) -> Events:
    """The `events` section."""
    section.only(EVENTS)
    fields = _fields(section.section("fields"))
    return Events(
        topic=section.text("topic", _A_TOPIC, _TOPIC),
        id=_role(section, "id", fields, (Type.STRING,)),
        entity=_role(section, "entity", fields, (Type.STRING,)),
        host=_role(section, "host", fields, _TEXTS),
        time=_role(section, "time", fields, (Type.TIMESTAMP,)),
        fields=fields,
    )


def labels(section: Section, asked: Events) -> Labels:
    """The `labels` section; `asked` are the events it answers."""
    section.only(LABELS)
    fields = _fields(section.section("fields"))
    topic, target = section.text("topic", _A_TOPIC, _TOPIC), _role(section, "target", fields, (Type.BOOL,))
    if topic == asked.topic:
        raise section.wrong("topic", "another topic than the events'")
    if target in [f.name for f in asked.fields]:
        raise section.wrong("target", "a field that no event has: the truth is known only later")
    entity = _role(section, "entity", fields, (Type.STRING,))
    return Labels(topic, entity, target, section.duration("horizon"), fields)


def features(section: Section, asked: Events, answered: Labels) -> tuple[Feature, ...]:
    """The `features` section, sorted by name."""
    types = {f.name: f.type for f in asked.fields}
    later = {f.name: "it comes with the label" for f in answered.fields if f.name not in types}
    scope = Scope(types, {**later, answered.target: "it is the label's target"})
    return tuple(_feature(section, name, scope) for name in sorted(section.data))


def train(section: Section) -> Train:
    """The `train` section."""
    section.only(TRAIN)
    window, every = section.duration("window"), section.duration("retrain_every")
    return Train(window, section.share("holdout", most=50), every)


def gate(section: Section) -> Gate:
    """The `gate` section."""
    return Gate(section.only(GATE).at_least("auc", least=0.5))


def serve(section: Section) -> Serve:
    """The `serve` section."""
    section.only(SERVE)
    fresh, expired = section.duration("fresh"), section.duration("expired")
    if expired <= fresh:
        raise section.wrong("expired", "a longer duration than serve.fresh")
    return Serve(fresh, expired)


def floor(section: Section) -> Floor:
    """The `floor` section."""
    section.only(FLOOR)
    return Floor(
        auc=section.at_least("auc", least=0.5),
        window=section.duration("window"),
        windows=section.integer("windows", 1, 100),
        labels=section.integer("labels", 2, 1_000_000),
    )


def options(kind: Type) -> tuple[str, ...]:
    """Keys that a field of type `kind` may have."""
    return ("type", "nullable", *_TYPES[kind].options)


def _feature(section: Section, name: str, scope: Scope) -> Feature:
    _named(section, name)
    text = section.text(name, "an expression as text")
    path = (*section.path, name)
    dotted = ".".join(map(str, path))
    tree = parse(text, scope, lambda offset: f"{section.document.where(path, offset)}: {dotted}")
    if tree.type not in _FEATURES:
        raise section.wrong(name, f"an expression of type {', '.join(_FEATURES)}, not {tree.type}")
    return Feature(name, normal(text), tree)


def _fields(section: Section) -> tuple[Field, ...]:
    for name in section.data:
        _named(section, name)
        if name in RESERVED:
            raise section.wrong(name, f"a name that the lake does not use ({', '.join(RESERVED)})")
    return tuple(_field(name, section.section(name)) for name in sorted(section.data))


def _field(name: str, section: Section) -> Field:
    section.only(FIELD)
    kind = Type(section.one_of("type", [t.type.value for t in FIELD_TYPES]))
    known = options(kind)
    for key in section.data:
        if key not in known:
            raise section.wrong(key, f"only {', '.join(known)} for a {kind}{nearest(key, known)}")
    low, high = _bound(section, "min", kind), _bound(section, "max", kind)
    if low is not None and high is not None and high < low:
        raise section.wrong("max", f"at least min ({low})")
    has = section.data.__contains__
    return Field(
        name=name,
        type=kind,
        nullable=has("nullable") and section.boolean("nullable"),
        min=low,
        max=high,
        max_levels=section.integer("max_levels", 2, 65536) if has("max_levels") else MOST_LEVELS,
        max_length=section.integer("max_length", 1, 65536) if has("max_length") else LONGEST_TEXT,
        unit=section.one_of("unit", UNITS) if has("unit") else None,
    )


def _bound(section: Section, key: str, kind: Type) -> int | float | None:
    if key not in section.data:
        return None
    return section.integer(key, LONG_MIN, LONG_MAX) if kind == Type.LONG else section.number(key)


def _named(section: Section, name: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise section.wrong(name, _A_NAME, f"rename {name!r}")


def _role(section: Section, key: str, fields: tuple[Field, ...], types: tuple[Type, ...]) -> str:
    name = section.text(key, "the name of a field")
    known = {f.name: f for f in fields}
    if name not in known:
        raise section.wrong(key, f"one of its fields ({', '.join(known)}){nearest(name, list(known))}")
    if known[name].type not in types or known[name].nullable:
        raise section.wrong(key, f"a field of type {' or '.join(types)} that is not nullable")
    return name
