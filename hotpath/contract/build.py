"""A contract's data out of a strictly read document: sources, tables, features. Raises BadConfig.

What the keys are called is keys.py's, what a field may be fields.py's, what a Document is strict_yaml.py's,
what a model is made by and held to build_training.py's, what is answered build_serving.py's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hotpath.contract.aggregates import Aggregate
from hotpath.contract.build_expression import expression
from hotpath.contract.decode import DECODERS, check_schema
from hotpath.contract.expressions import Scope
from hotpath.contract.fields import named, parts
from hotpath.contract.keys import EVENTS, LABELS, STREAM, TABLE
from hotpath.contract.parts import Events, Feature, Field, Labels, Source, Stream
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.tables import Table, from_csv, from_plain
from hotpath.contract.types import FIELD_TYPES, PIPELINE_NAME, Type
from hotpath.errors import BadConfig
from hotpath.manifests import DATASETS, NO_RECORDS, NO_ROWS

S = TypeVar("S", bound=Source)
ReadFile = Callable[[str], str]
"""A file's name, relative to the contract's own folder, to its text. Raises BadConfig."""

_TOPIC = r"(?!hotpath\.|\.+$)[A-Za-z0-9._-]{1,200}"
_SCORES = "hotpath.scores."
_STREAM_TOPIC = rf"{_TOPIC}|{re.escape(_SCORES)}{PIPELINE_NAME.pattern}"
NO_STREAM = (*DATASETS, "manifest", "imports", "replayed", *sorted(NO_RECORDS | NO_ROWS))
"""Names of the lake's own, its datasets, folders and counts: no stream may be called so."""
_A_TOPIC = "a Kafka topic (letters, digits, . _ -) that does not begin with hotpath."
_FILE = r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}"
_A_FILE = "a file's name relative to the contract, without .."
_TEXTS, _FEATURES = (Type.STRING, Type.CATEGORY), tuple(t.type for t in FIELD_TYPES if t.feature)
_MOST_CLASSES = 1000
"""What H2O's tree models take at the most."""
_TARGETS = (Type.BOOL, Type.CATEGORY, Type.LONG, Type.DOUBLE)


def verbatim(text: str) -> str:
    """Reads no file: a contract that travels holds its schemas' texts themselves."""
    return text


def no_file(name: str) -> str:
    """Reads no file: for a contract whose text stands nowhere."""
    raise BadConfig(name, "no such file", "a contract that stands in a file, beside the files it names")


def events(section: Section, read: ReadFile) -> Events:
    """The `events` section."""
    section.only(EVENTS)
    found = parts(section.section("fields"))
    source = Source(section.text("topic", _A_TOPIC, _TOPIC), "", found)
    return _sound(
        section,
        Events(
            topic=source.topic,
            entity=_role(section, "entity", source.fields, (Type.STRING,)),
            parts=found,
            id=_role(section, "id", source.fields, (Type.STRING,)),
            host=_role(section, "host", source.fields, _TEXTS),
            time=_role(section, "time", source.fields, (Type.TIMESTAMP,)),
            consent=_consent(section, source.fields),
            **_decoding(section, read),
        ),
    )


def labels(section: Section, asked: Events, read: ReadFile) -> Labels:
    """The `labels` section; `asked` are the events it answers."""
    section.only(LABELS)
    found = parts(section.section("fields"))
    source = Source(section.text("topic", _A_TOPIC, _TOPIC), "", found)
    target = _role(section, "target", source.fields, _TARGETS)
    if source.topic == asked.topic:
        raise section.wrong("topic", "another topic than the events'")
    if target in [f.name for f in asked.fields]:
        raise section.wrong("target", "a field that no event has: the truth is known only later")
    made = Labels(
        topic=source.topic,
        entity=_role(section, "entity", source.fields, (Type.STRING,)),
        parts=found,
        target=target,
        horizon=section.duration("horizon"),
        **_decoding(section, read),
    )
    if made.truth.type == Type.CATEGORY and not made.truth.levels:
        raise section.wrong("target", "a category whose field states its `levels`: they are the classes")
    if len(made.truth.levels) > _MOST_CLASSES:
        raise section.wrong("target", f"a category of at most {_MOST_CLASSES} levels: they are the classes")
    return _sound(section, made)


def streams(whole: Section, asked: Events, answered: Labels, read: ReadFile) -> tuple[Stream, ...]:
    """The `streams` of the whole file, sorted by name; none where it has none."""
    if "streams" not in whole.data:
        return ()
    section = whole.section("streams")
    taken = [asked.topic, answered.topic, f"{_SCORES}{whole.data['name']}"]
    found = []
    for name in sorted(section.data):
        found.append(_stream(section, name, read, taken))
        taken.append(found[-1].topic)
    return tuple(found)


def _stream(section: Section, name: str, read: ReadFile, taken: Sequence[str]) -> Stream:
    named(section, name)
    if name in NO_STREAM:
        raise section.wrong(name, f"a name that the lake does not use ({', '.join(NO_STREAM)})")
    within = section.section(name).only(STREAM)
    topic = within.text("topic", f"{_A_TOPIC}, or hotpath.scores.NAME", _STREAM_TOPIC)
    if topic in taken:
        raise within.wrong("topic", "a topic that nothing else of this contract has")
    found = parts(within.section("fields"))
    return _sound(within, Stream(topic=topic, entity="", parts=found, name=name, **_decoding(within, read)))


def tables(section: Section, read: ReadFile) -> tuple[Table, ...]:
    """The `tables` section, sorted by name."""
    return tuple(_table(section, name, read) for name in sorted(section.data))


def features(
    section: Section,
    asked: Events,
    answered: Labels,
    known: Sequence[Table],
    aggregates: Sequence[Aggregate] = (),
) -> tuple[Feature, ...]:
    """The `features` section, sorted by name."""
    types = {f.name: f.type for f in asked.fields}
    for table in known:
        if table.name in types or any(n.startswith(f"{table.name}.") for n in types):
            where = section.document.where_key(("tables", table.name))
            raise BadConfig(f"{where}: tables.{table.name}", table.name, "a name that no event field has")
    later = {f.name: "it comes with the label" for f in answered.fields if f.name not in types}
    refused = {**later, answered.target: "it is the label's target"}
    scope = Scope(
        types,
        refused,
        tables={t.name: t for t in known},
        time=asked.time,
        aggregates={a.name: a for a in aggregates},
    )
    return tuple(_feature(section, name, scope) for name in sorted(section.data))


def _decoding(section: Section, read: ReadFile) -> dict[str, Any]:
    decoder = section.one_of("decoder", tuple(DECODERS)) if "decoder" in section.data else "json"
    if "schema" not in section.data:
        return {"decoder": decoder}
    return {"decoder": decoder, "schema": _file(section, "schema", read)}


def _sound(section: Section, source: S) -> S:
    """The source, if its decoder can work with its schema."""
    try:
        check_schema(source)
    except BadConfig as error:
        key = "schema" if "schema" in section.data else "decoder"
        raise section.wrong(key, error.expected, error.todo) from error
    return source


def _file(section: Section, key: str, read: ReadFile) -> str:
    if read is verbatim:
        return section.text(key, "the schema's text")
    return read(section.text(key, _A_FILE, _FILE))


def _table(section: Section, name: str, read: ReadFile) -> Table:
    named(section, name)
    within = section.section(name).only(TABLE)
    key, where = within.text("key", "a column's name"), within.document.where(within.path)
    if ("file" in within.data) == ("rows" in within.data):
        raise within.wrong("file", "the name of a CSV file beside the contract")
    if "rows" in within.data:
        return from_plain(name, within.data, f"{where}: tables.{name}")
    if "columns" in within.data:
        raise within.wrong("columns", "nothing: the columns are those of the file")
    file = within.text("file", _A_FILE, _FILE)
    return from_csv(name, key, read(file), f"{where}: tables.{name}: {file}")


def _consent(section: Section, fields: tuple[Field, ...]) -> str | None:
    if "consent" not in section.data:
        return None
    name = section.text("consent", "the name of a bool field")
    known = {f.name: f for f in fields}
    if name not in known or known[name].type != Type.BOOL:
        raise section.wrong("consent", f"one of its bool fields{nearest(name, list(known))}")
    if known[name].default is not None:
        raise section.wrong("consent", "a field without default: consent is given, never assumed")
    return name


def _feature(section: Section, name: str, scope: Scope) -> Feature:
    named(section, name)
    return Feature(name, *expression(section, name, scope, _FEATURES))


def _role(section: Section, key: str, fields: tuple[Field, ...], types: tuple[Type, ...]) -> str:
    name = section.text(key, "the name of a field")
    known = {f.name: f for f in fields}
    if name not in known:
        raise section.wrong(key, f"one of its fields ({', '.join(known)}){nearest(name, list(known))}")
    if known[name].type not in types or known[name].nullable:
        raise section.wrong(key, f"a field of type {' or '.join(types)} that is not nullable")
    if known[name].default == "":
        raise section.wrong(key, "a field that has no empty default")
    return name
