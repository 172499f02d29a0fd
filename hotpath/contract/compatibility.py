"""What parts two contracts of a pipeline, and whom it breaks: changes are data, the rules are a table. Pure.

>>> breaks_callers(live, candidate)  # doctest: +SKIP
('events.fields.size: narrowed (0.0 to 10.0; was 0.0 to 12.0): values that were accepted are refused',)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hotpath.contract import plain as rules
from hotpath.contract.build_aggregates import plain
from hotpath.contract.checks import Check, check
from hotpath.contract.compatibility_rules import BY_NAME, WHOM, Rule, Whom
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field, Object, Part, Source
from hotpath.contract.request import left_out
from hotpath.contract.response import answered
from hotpath.contract.types import ARRAYS, Type
from hotpath.errors import BadInput

_TEXTS = (Type.STRING, Type.CATEGORY)


@dataclass(frozen=True)
class Change:
    """`what` changed, as a path into the contract, from `was` to `now`; `breaks` is the rule's, or less."""

    rule: Rule
    what: str
    was: str
    now: str
    breaks: tuple[Whom, ...]

    def __str__(self) -> str:
        return f"{self.what}: {self.rule.name} ({self.now}; was {self.was}): {self.rule.why}"


def changes(old: Contract, new: Contract) -> tuple[Change, ...]:
    """Everything in which `new` differs from `old`, in the order of a contract's sections."""
    found = [
        *_sources(old, new),
        *_fields("events.fields", _requests(old), _requests(new)),
        *_fields("labels.fields", _records(old.labels), _records(new.labels)),
        *_fields("serve.parameters", _parameters(old), _parameters(new)),
        *_outputs(answered(old), answered(new)),
        *_named(
            "features",
            {f.name: f.expression for f in old.features},
            {f.name: f.expression for f in new.features},
        ),
        *_streams(old, new),
        *_named("aggregates", _aggregates(old), _aggregates(new), "aggregate"),
        *(_change("table changed", f"tables.{name}", "other rows", "these") for name in _tables(old, new)),
        *_rest(old, new),
    ]
    if not found and old.fingerprint != new.fingerprint:
        found.append(_change("words changed", "documentation", "other words", "these"))
    return tuple(found)


def breaks_callers(live: Contract, candidate: Contract) -> tuple[str, ...]:
    """Why callers of the `live` model would be broken by the candidate's: nothing where they would not."""
    return tuple(str(change) for change in changes(live, candidate) if "callers" in change.breaks)


@dataclass(frozen=True)
class _Side:
    """Fields as an audience meets them: `unasked` may be absent from a request, `never_empty` may not be "".

    `keys` are what records call them and the objects around them, `nullables` the objects that may be null.
    """

    fields: Mapping[str, Field]
    keys: Mapping[str, str]
    nullables: frozenset[str]
    audience: tuple[Whom, ...]
    never_empty: tuple[str, ...] = ()
    unasked: frozenset[str] = frozenset()
    ignores: bool = False

    def may_lack(self, name: str, whom: Whom) -> bool:
        field = self.fields[name]
        return field.nullable or field.default is not None or (whom == "callers" and name in self.unasked)


def _requests(contract: Contract) -> _Side:
    side, ignores = _records(contract.events), contract.serve.unknown == "ignore"
    return replace(side, audience=tuple(WHOM), unasked=left_out(contract), ignores=ignores)


def _records(source: Source) -> _Side:
    parts = tuple(_parts(source.parts))
    keys = {part.name: part.key for part in parts}
    nullables = frozenset(part.name for part in parts if isinstance(part, Object) and part.nullable)
    return _Side(_by_name(source.fields), keys, nullables, ("producers", "lake"), source.never_empty)


def _parameters(contract: Contract) -> _Side:
    fields, ignores = _by_name(contract.serve.parameters), contract.serve.unknown == "ignore"
    return _Side(fields, {}, frozenset(), ("callers", "bundles"), ignores=ignores)


def _parts(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        if isinstance(part, Object):
            yield from _parts(part.parts)


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {f.name: f for f in fields}


def _fields(where: str, old: _Side, new: _Side) -> Iterator[Change]:
    for name in sorted(old.fields.keys() | new.fields.keys()):
        what = f"{where}.{name}"
        if name not in new.fields:
            rule = "field removed, passed over" if new.ignores else "field removed"
            yield _change(rule, what, "there", "not there", old.audience)
        elif name not in old.fields:
            yield from _added(what, name, old, new)
        else:
            yield from _changed(what, name, old, new)
    for name in sorted(old.keys.keys() & new.keys.keys()):
        if old.keys[name] != new.keys[name]:
            yield _change("renamed in records", f"{where}.{name}", old.keys[name], new.keys[name])
    for name in sorted(old.nullables ^ new.nullables):
        if name in old.keys and name in new.keys and name not in (old.fields.keys() | new.fields.keys()):
            rule = "null refused" if name in old.nullables else "null allowed"
            yield _change(rule, f"{where}.{name}", "an object", "an object", ("producers",))


def _added(what: str, name: str, old: _Side, new: _Side) -> Iterator[Change]:
    whom = tuple(w for w in new.audience if w == "bundles" or not new.may_lack(name, w))
    rule = "field added, required" if set(whom) - {"bundles"} else "field added"
    yield _change(rule, what, "not there", "there", whom)
    if old.ignores:
        yield _change("field added that was passed over", what, "any value", "checked", new.audience)


def _changed(what: str, name: str, old: _Side, new: _Side) -> Iterator[Change]:
    before, after = old.fields[name], new.fields[name]
    texts = before.type in _TEXTS and after.type in _TEXTS
    if before.type != after.type:
        rule = "category or string" if texts else "type changed"
        yield _change(rule, what, before.type, after.type, new.audience)
    if before.unit != after.unit:
        yield _change("unit changed", what, before.unit or "none", after.unit or "none", new.audience)
    if before.type == after.type or texts:
        yield from _values(what, name, old, new)
    if before.max_levels != after.max_levels:
        yield _change("levels kept changed", what, str(before.max_levels), str(after.max_levels))
    if before.nullable != after.nullable:
        rule = "null allowed" if after.nullable else "null refused"
        yield _change(rule, what, _null(before), _null(after), new.audience)
    yield from _absence(what, name, old, new)


def _values(what: str, name: str, old: _Side, new: _Side) -> Iterator[Change]:
    before, after = _limits(old, name), _limits(new, name)
    if not _within(old, new, name):
        yield _change("narrowed", what, before, after, new.audience)
    if not _within(new, old, name):
        yield _change("widened", what, before, after, new.audience)


def _within(inner: _Side, outer: _Side, name: str) -> bool:
    """Whether every value that `inner` accepts (null apart) is accepted by `outer`."""
    one, other = inner.fields[name], outer.fields[name]
    if one.levels:
        accepts = check(other, name in outer.never_empty)
        allowed = (level for level in one.levels if level or name not in inner.never_empty)
        return all(_accepted(accepts, level) for level in allowed)
    if other.levels:
        return False
    emptied = name in outer.never_empty and name not in inner.never_empty
    return (
        not emptied
        and (other.min is None or (one.min is not None and one.min >= other.min))
        and (other.max is None or (one.max is not None and one.max <= other.max))
        and one.max_length <= other.max_length
        and one.max_items <= other.max_items
        and other.format in (None, one.format)
    )


def _accepted(accepts: Check, level: str) -> bool:
    try:
        accepts(level)
    except BadInput:
        return False
    return True


def _limits(side: _Side, name: str) -> str:
    field = side.fields[name]
    empty = ", not empty" if name in side.never_empty else ""
    if field.levels:
        return f"one of {', '.join(field.levels)}{empty}"
    if field.type in _TEXTS:
        return f"{field.format or 'any text'} of at most {field.max_length} characters{empty}"
    low, high = ("any" if bound is None else str(bound) for bound in (field.min, field.max))
    items = f", at most {field.max_items} items" if field.type in ARRAYS.values() else ""
    return f"{low} to {high}{items}"


def _absence(what: str, name: str, old: _Side, new: _Side) -> Iterator[Change]:
    before, after = old.fields[name], new.fields[name]
    for rule, one, other in (("absence refused", old, new), ("absence allowed", new, old)):
        whom = tuple(w for w in new.audience if one.may_lack(name, w) and not other.may_lack(name, w))
        if whom:
            yield _change(rule, what, _default(before), _default(after), whom)
    if before.default is not None and after.default is not None and before.default != after.default:
        yield _change("default changed", what, _default(before), _default(after))


def _null(field: Field) -> str:
    return "nullable" if field.nullable else "never null"


def _default(field: Field) -> str:
    return _null(field) if field.default is None else f"default {field.default}"


def _sources(old: Contract, new: Contract) -> Iterator[Change]:
    if old.name != new.name:
        yield _change("pipeline renamed", "name", old.name, new.name)
    for where, before, after in (("events", old.events, new.events), ("labels", old.labels, new.labels)):
        yield from _written(where, before, after)
        for role in ("id", "entity", "host", "time"):
            was, now = (getattr(source, role, None) for source in (before, after))
            if was != now:
                yield _change("role moved", f"{where}.{role}", str(was), str(now))
    consent = old.events.consent, new.events.consent
    if consent[0] != consent[1]:
        rule = "consent dropped" if consent[1] is None else "consent demanded"
        yield _change(rule, "events.consent", str(consent[0]), str(consent[1]))
    target, truth = ((c.labels.target, c.labels.kind, c.labels.classes) for c in (old, new))
    if target != truth:
        yield _change("target changed", "labels.target", _target(old), _target(new))
    if old.labels.horizon != new.labels.horizon:
        yield _change(
            "horizon changed", "labels.horizon", f"{old.labels.horizon} µs", f"{new.labels.horizon} µs"
        )


def _written(where: str, before: Source, after: Source) -> Iterator[Change]:
    """Where records of a source come from, and how they are written."""
    if before.topic != after.topic:
        yield _change("topic moved", f"{where}.topic", before.topic, after.topic)
    if (before.decoder, before.schema) != (after.decoder, after.schema):
        yield _change("decoder changed", f"{where}.decoder", before.decoder, after.decoder)


def _target(contract: Contract) -> str:
    labels = contract.labels
    return f"{labels.target} ({labels.kind}{': ' if labels.classes else ''}{', '.join(labels.classes)})"


def _outputs(old: Sequence[Field], new: Sequence[Field]) -> Iterator[Change]:
    before, after = _by_name(old), _by_name(new)
    for name in sorted(before.keys() | after.keys()):
        what = f"serve.response.{name}"
        if name not in after:
            yield _change("output removed", what, "there", "not there")
        elif name not in before:
            yield _change("output added", what, "not there", "there")
        elif (was := _output(before[name])) != (now := _output(after[name])):
            whom: tuple[Whom, ...] = () if _expected(before[name], after[name]) else ("callers",)
            yield _change("output changed", what, was, now, whom)


def _expected(before: Field, after: Field) -> bool:
    """Whether an output may hold nothing that it might not have held before."""
    old, new = (_Side({f.name: f}, {}, frozenset(), ("callers",)) for f in (before, after))
    same = (before.type, before.unit) == (after.type, after.unit)
    return same and (before.nullable or not after.nullable) and _within(new, old, after.name)


def _output(field: Field) -> str:
    limits = _limits(_Side({field.name: field}, {}, frozenset(), ("callers",)), field.name)
    return f"{field.type}{f' in {field.unit}' if field.unit else ''}, {limits}, {_null(field)}"


def _named(
    where: str, old: Mapping[str, str], new: Mapping[str, str], thing: str = "feature"
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name, "not there"), new.get(name, "not there")
        rule = "added" if name not in old else "removed" if name not in new else "changed"
        if was != now:
            yield _change(f"{thing} {rule}", f"{where}.{name}", was, now)


def _streams(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = ({s.name: s for s in c.streams} for c in (old, new))
    for name in sorted(before.keys() | after.keys()):
        where = f"streams.{name}"
        if name not in after:
            yield _change("stream removed", where, before[name].topic, "not there")
        elif name not in before:
            yield _change("stream added", where, "not there", after[name].topic)
        else:
            yield from _written(where, before[name], after[name])
            yield from _fields(f"{where}.fields", _records(before[name]), _records(after[name]))


def _aggregates(contract: Contract) -> dict[str, str]:
    return {a.name: ", ".join(f"{k}: {v}" for k, v in plain(a).items()) for a in contract.aggregates}


def _tables(old: Contract, new: Contract) -> list[str]:
    before, after = ({t.name: t for t in c.tables} for c in (old, new))
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]


def _rest(old: Contract, new: Contract) -> Iterator[Change]:
    if old.serve.unknown != new.serve.unknown:
        rule = "unknown fields refused" if new.serve.unknown == "refuse" else "unknown fields passed over"
        yield _change(rule, "serve.unknown", old.serve.unknown, new.serve.unknown)
    if old.train != new.train:
        was, now = (_said(rules.train(train)) for train in (old.train, new.train))
        yield _change("training changed", "train", was, now)
    if (was := _said(_own(old))) != (now := _said(_own(new))):
        yield _change("own metric changed", "metrics", was, now)
    if (was := _held(old)) != (now := _held(new)):
        yield _change("gate or floor changed", "gate", was, now)
    yield from _promises(old, new)
    ages = ((c.serve.fresh, c.serve.expired) for c in (old, new))
    was, now = (f"{fresh} and {expired} µs" for fresh, expired in ages)
    if was != now:
        yield _change("ages changed", "serve", was, now)
    if old.question != new.question:
        yield _change("words changed", "question", old.question, new.question)


def _promises(old: Contract, new: Contract) -> Iterator[Change]:
    """What is promised, what decisions are made by, and what is answered without a model."""
    for rule, what, of in (
        ("scorecard changed", "scorecard", _listed),
        ("decisions changed", "scorecard.decide", _decided),
        ("fallback changed", "serve.fallback", _ruled),
    ):
        if of(old) != of(new):
            yield _change(rule, what, of(old), of(new))


def _listed(contract: Contract) -> str:
    return _said(rules.scorecard(replace(contract.scorecard, decide=None)))


def _decided(contract: Contract) -> str:
    decide = rules.scorecard(contract.scorecard).get("decide")
    return _said(decide) if decide else "the largest F1"


def _ruled(contract: Contract) -> str:
    return contract.serve.fallback.expression if contract.serve.fallback else "none"


def _own(contract: Contract) -> dict[str, str]:
    return {m.name: m.expression for m in contract.metrics}


def _held(contract: Contract) -> str:
    floor = _said(rules.floor(contract.floor)) if contract.floor else "no floor"
    return f"{_said(rules.gate(contract.gate))}; {floor}"


def _said(section: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in section.items()) or "none"


def _change(rule: str, what: str, was: str, now: str, audience: Sequence[Whom] = tuple(WHOM)) -> Change:
    """A change by a rule's name; it breaks those of the rule's that are in the audience too."""
    found = BY_NAME[rule]
    return Change(found, what, was, now, tuple(whom for whom in found.breaks if whom in audience))
