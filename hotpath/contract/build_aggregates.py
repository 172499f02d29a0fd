"""The `aggregates` of a contract file, and back to plain data. Raises BadConfig with line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hotpath.clock import SECOND, Micros
from hotpath.contract.aggregates import Aggregate
from hotpath.contract.durations import duration_text
from hotpath.contract.fields import named
from hotpath.contract.keys import AGGREGATE, DIGITS
from hotpath.contract.parts import Events, Feature, Field, Labels, Source, Stream
from hotpath.contract.sections import Section
from hotpath.contract.statistics import BY_NAME, LARGEST, MOST_DIGITS
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import LONG_MAX, Type
from hotpath.contract.used import readings_used

MOST_TILES = 1440
"""In a horizon: a packed key stays small, and a window of it cheap."""
MOST_KEPT = 2 * MOST_TILES
"""In a packed key, which holds horizon and delay, and a delay more that a late follower may have missed."""
_KEYS = (Type.STRING, Type.CATEGORY, Type.LONG, Type.BOOL)
_VALUES = (Type.BOOL, Type.LONG, Type.DOUBLE)
_TEXTS = (Type.STRING, Type.CATEGORY)


def aggregates(
    whole: Section, asked: Events, answered: Labels, streams: Sequence[Stream]
) -> tuple[Aggregate, ...]:
    """The `aggregates` of the whole file, sorted by name; none where it has none."""
    if "aggregates" not in whole.data:
        return ()
    section = whole.section("aggregates")
    sources: dict[str, Source] = {"events": asked, "labels": answered, **{s.name: s for s in streams}}
    tables = whole.data.get("tables")
    for name in section.data:
        taken = any(f.name == name or f.name.startswith(f"{name}.") for f in asked.fields)
        if taken or (isinstance(tables, dict) and name in tables):
            raise section.wrong(name, "a name that no event field and no table has")
    return tuple(_aggregate(section, name, sources) for name in sorted(section.data))


def all_read(whole: Section, known: Sequence[Aggregate], features: Sequence[Feature]) -> None:
    """Raises BadConfig naming an aggregate that no feature reads."""
    read = {reading.aggregate for reading in readings_used(features)}
    for aggregate in known:
        if aggregate.name not in read:
            raise whole.section("aggregates").wrong(aggregate.name, "an aggregate that a feature reads")


def plain(aggregate: Aggregate) -> dict[str, Any]:
    """What `aggregates` reads, defaults written out."""
    said = {
        "over": aggregate.over,
        "by": aggregate.by,
        "key": aggregate.key,
        "value": aggregate.value,
        "digits": aggregate.digits,
        **{k: duration_text(getattr(aggregate, k)) for k in ("tile", "horizon", "delay", "grace")},
        "default": dict(aggregate.default) or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _aggregate(section: Section, name: str, sources: Mapping[str, Source]) -> Aggregate:
    named(section, name)
    within = section.section(name).only(AGGREGATE)
    over = within.one_of("over", tuple(sources))
    by = _field(within, "by", within.data["by"], sources[over].fields, _KEYS)
    value = _value(within, sources[over].fields)
    digits = _digits(within, value)
    tile, horizon, delay, grace = _spans(within)
    return Aggregate(
        name=name,
        over=over,
        by=by.name,
        key=_key(within, by, sources["events"].fields),
        value=value.name if value else None,
        kind=value.type if value else None,
        digits=digits,
        tile=tile,
        horizon=horizon,
        delay=delay,
        grace=grace,
        largest=_largest(within, value, digits),
        default=_defaults(within, value),
    )


def _field(section: Section, key: str, name: object, fields: Sequence[Field], types: Sequence[Type]) -> Field:
    known = {f.name: f for f in fields if f.type in types}
    if not isinstance(name, str) or name not in known:
        where = f"a field of type {', '.join(types)}: {', '.join(known)}"
        raise section.wrong(key, where + nearest(str(name), list(known)))
    return known[name]


def _key(section: Section, by: Field, asked: Sequence[Field]) -> str:
    """The event's field that holds what `by` holds."""
    alike = _TEXTS if by.type in _TEXTS else (by.type,)
    return _field(section, "key", section.data.get("key", by.name), asked, alike).name


def _value(section: Section, fields: Sequence[Field]) -> Field | None:
    return (
        _field(section, "value", section.data["value"], fields, _VALUES) if "value" in section.data else None
    )


def _digits(section: Section, value: Field | None) -> int | None:
    double = value is not None and value.type == Type.DOUBLE
    if "digits" not in section.data:
        return DIGITS if double else None
    if not double:
        raise section.wrong("digits", "no digits: only a double value has them")
    return section.integer("digits", 0, MOST_DIGITS)


def _largest(section: Section, value: Field | None, digits: int | None) -> int:
    """The largest fixed point that the value's field allows; LARGEST where it sets no bounds."""
    if value is None or value.type == Type.BOOL:
        return 1
    if value.min is None or value.max is None:
        return LARGEST
    found = int(max(abs(value.min), abs(value.max)) * 10 ** (digits or 0)) + 1
    if found > LARGEST:
        raise section.wrong(
            "digits" if "digits" in section.data else "value",
            f"values below {LARGEST:g} once multiplied by 10**digits: the field allows {found:g}",
            "state fewer digits, or narrower min and max",
        )
    return found


def _spans(section: Section) -> tuple[Micros, Micros, Micros, Micros]:
    tile, horizon, delay = (section.duration(key) for key in ("tile", "horizon", "delay"))
    if horizon % tile or not horizon // tile <= MOST_TILES:
        raise section.wrong("horizon", f"whole tiles of {duration_text(tile)}, at most {MOST_TILES}")
    if horizon + 2 * delay > MOST_KEPT * tile:
        longest = duration_text((MOST_KEPT * tile - horizon) // 2 // SECOND * SECOND)
        raise section.wrong("delay", f"at most {longest}: of such tiles a key can keep {MOST_KEPT}")
    default = max(SECOND, delay // 4 // SECOND * SECOND)
    grace = section.duration("grace") if "grace" in section.data else default
    if grace >= delay:
        key = "grace" if "grace" in section.data else "delay"
        raise section.wrong(key, "a grace shorter than the delay: a tile is published before it is read")
    return tile, horizon, delay, grace


def _defaults(section: Section, value: Field | None) -> tuple[tuple[str, int | float], ...]:
    if "default" not in section.data:
        return ()
    within = section.section("default")
    whole = value is None or value.type != Type.DOUBLE
    for name in within.data:
        known = [s.name for s in BY_NAME.values() if value is not None or not s.valued]
        if name not in known:
            raise within.wrong(name, f"a statistic ({', '.join(known)}){nearest(name, known)}")
    return tuple(
        (name, within.integer(name, -LONG_MAX, LONG_MAX))
        if BY_NAME[name].type(whole) == Type.LONG
        else (name, within.number(name))
        for name in sorted(within.data)
    )
