"""Generated contracts: nested objects, arrays, tables, streams, aggregates, every kind of target."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from hotpath.contract import metrics
from hotpath.contract.formats import FORMATS
from hotpath.contract.parts import ALGORITHMS, TURNS, Kind, Train
from hotpath.contract.statistics import STATISTICS

names = st.from_regex(r"f_[a-z0-9_]{0,8}", fullmatch=True)
durations = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from("smhd"))
texts = st.text(st.characters(codec="utf-8", categories=["L", "P", "N"]), min_size=1, max_size=8)
_low, _high = st.integers(-1000, 0), st.integers(0, 1000)
_DOCS = {"doc": texts}
_LEVELS = st.lists(texts, min_size=2, max_size=5, unique=True)
_ROLES = {"id": {"type": "string"}, "who": {"type": "string"}, "at": {"type": "timestamp"}}
_KINDS: tuple[Kind, ...] = ("binary", "classes", "number")


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a valid contract."""
    fields = draw(st.dictionaries(names, _parts(depth=3), max_size=6))
    for number, field in enumerate(fields.values()):
        if draw(st.booleans()):
            field["from"] = f"Foreign Name {number}"
    kind = draw(st.sampled_from(_KINDS))
    features = draw(
        st.dictionaries(names, st.sampled_from([*_usable(fields), "minutes_between(at, at)"]), min_size=1)
    )
    streams = draw(st.dictionaries(names, _streams(), max_size=2))
    for name, stream in streams.items():
        stream["topic"] = f"further.{name}"
    counted = draw(_counted(fields, kind, [*streams]))
    features |= {f"read_{name}": draw(_reading(name, said)) for name, said in counted.items()}
    consent = [n for n, f in fields.items() if f["type"] == "bool" and "default" not in f][:1]
    fresh, truth = draw(st.integers(1, 100)), draw(_truths(kind))
    own = draw(_own(fields)) if kind == "binary" else {}
    training = draw(_training())
    rule = _fallback(kind, min(features), truth.get("levels", []))
    fallback = {"fallback": rule} if draw(st.booleans()) else {}
    return {
        "name": draw(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)),
        "question": draw(texts),
        "events": {
            "topic": "a.b", "id": "id", "entity": "who", "host": "who", "time": "at",
            "fields": {**_ROLES, **fields},
            **({"consent": consent[0]} if consent else {}),
        },
        "labels": {
            "topic": "c", "entity": "who", "target": "truth", "horizon": draw(durations),
            "fields": {"who": {"type": "string"}, "truth": truth},
        },
        "features": features,
        "train": training,
        **({"metrics": own} if own else {}),
        "gate": draw(_gates(kind, [*own], training)),
        **draw(_promised(kind)),
        "serve": {
            "fresh": f"{fresh}m", "expired": f"{fresh + 1}m", **draw(_said(features)), **fallback,
        },
        **({"floor": draw(_floors(kind))} if draw(st.booleans()) else {}),
        **({"streams": streams} if streams else {}),
        **({"aggregates": counted} if counted else {}),
        **({"tables": {"places": draw(_tables())}} if draw(st.booleans()) else {}),
    }  # fmt: skip


@cache  # to build a strategy costs more than to draw from it
def _streams() -> st.SearchStrategy[dict[str, Any]]:
    keyed = {"place": {"type": "string"}, "level": {"type": "double", "nullable": True}}
    further = st.dictionaries(names, _parts(depth=1), max_size=2)
    return st.fixed_dictionaries({"fields": further.map(lambda found: {**found, **keyed})})


@st.composite
def _counted(
    draw: st.DrawFn, fields: dict[str, dict[str, Any]], kind: Kind, streams: list[str]
) -> dict[str, dict[str, Any]]:
    """Aggregates over any source; each of them says what it counts, or nothing."""
    numbers = [None, *(n for n, f in fields.items() if f["type"] in ("bool", "long", "double"))]
    truths = [None] if kind == "classes" else [None, "truth"]
    found = {}
    for name in draw(st.lists(st.from_regex(r"g_[a-z]{1,4}", fullmatch=True), max_size=3, unique=True)):
        over = draw(st.sampled_from(["events", "labels", *streams]))
        by = {"by": "who"} if over in ("events", "labels") else {"by": "place", "key": "who"}
        value = draw(st.sampled_from({"events": numbers, "labels": truths}.get(over, [None, "level"])))
        double = (
            over != "labels" and value is not None and (value == "level" or fields[value]["type"] == "double")
        )
        digits = {"digits": draw(st.integers(0, 8))} if double and draw(st.booleans()) else {}
        found[name] = {
            "over": over, **by, **({"value": value} if value else {}), **digits, **draw(_spans()),
        }  # fmt: skip
    return found


@st.composite
def _spans(draw: st.DrawFn) -> dict[str, Any]:
    tile, unit = draw(st.integers(1, 60)), draw(st.sampled_from("smh"))
    length = tile * {"s": 1, "m": 60, "h": 3600}[unit]
    delay = draw(st.integers(2, min(720 * length, 3600)))
    grace = {"grace": f"{draw(st.integers(1, delay - 1))}s"} if draw(st.booleans()) else {}
    return {
        "tile": f"{tile}{unit}",
        "horizon": f"{tile * draw(st.integers(1, 1440))}{unit}",
        "delay": f"{delay}s",
        **grace,
        **({"default": {"count": draw(st.integers(0, 9)), "age": 0.5}} if draw(st.booleans()) else {}),
    }


def _reading(name: str, said: dict[str, Any]) -> st.SearchStrategy[str]:
    known = [s.name for s in STATISTICS if "value" in said or not s.valued]
    windows = st.sampled_from(["", f", '{said['tile']}'", f', "{said["horizon"]}"'])
    return st.builds(
        lambda statistic, window: f"{statistic}({name}{window})", st.sampled_from(known), windows
    )


def _usable(fields: dict[str, dict[str, Any]], prefix: str = "") -> list[str]:
    """Names of fields that can be features as they are."""
    found = []
    for name, field in fields.items():
        if field["type"] == "object":
            found += _usable(field["fields"], f"{prefix}{name}.")
        elif field["type"] in ("category", "bool", "long", "double"):
            found.append(prefix + name)
    return found


@cache
def _parts(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """A field or, above the last level, an object."""
    if depth == 0:
        return fields()
    inner = st.dictionaries(names, _parts(depth - 1), min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "fields": inner}, optional={"nullable": st.booleans(), **_DOCS}
    )
    return st.one_of(fields(), fields(), objects)


@cache
def fields() -> st.SearchStrategy[dict[str, Any]]:
    """Plain data of a field that is no object."""
    nullable = {"nullable": st.booleans(), **_DOCS}
    length = {"max_length": st.integers(8, 65536)}
    bounds = {"min": _low, "max": _high}
    unit = {"unit": st.just("mi")}
    formats = {"format": st.sampled_from([f.name for f in FORMATS])}
    return st.one_of(
        _field("string", {**nullable, **length, **formats}),
        _field("string", {"default": texts, **length}),
        _field("category", {**nullable, **length, "max_levels": st.integers(2, 65536)}),
        _field("category", {**nullable, "levels": _LEVELS}),
        _field("bool", nullable),
        _field("bool", {"default": st.booleans()}),
        _field("timestamp", nullable),
        _field("timestamp", {"default": st.just("2026-01-01T00:00:00Z")}),
        _field("duration", nullable),
        _field("duration", {"default": st.just("-P1DT2H3M4.5S")}),
        _field("long", {**nullable, **bounds, **unit}),
        _field("long", {"default": st.just(0), **bounds}),
        _field("double", {**nullable, "min": _low.map(lambda n: n / 7), "max": _high, **unit}),
        st.fixed_dictionaries(
            {"type": st.just("array"), "of": st.sampled_from(["long", "double"])},
            optional={**nullable, **bounds, "max_items": st.integers(1, 1024)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "of": st.just("string")}, optional={**nullable, **length, **formats}
        ),
    )


def _field(kind: str, optional: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=optional)


@cache
def _truths(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    if kind == "binary":
        return st.just({"type": "bool"})
    if kind == "classes":
        return st.fixed_dictionaries({"type": st.just("category"), "levels": _LEVELS})
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["long", "double"])}, optional={"unit": st.just("min")}
    )


@st.composite
def _training(draw: st.DrawFn) -> dict[str, Any]:
    span, unit = draw(st.integers(2, 999)), draw(st.sampled_from("smhd"))
    algorithms = st.lists(st.sampled_from(ALGORITHMS), min_size=1, unique=True)
    search = st.fixed_dictionaries(
        {"every": st.just(f"{span}{unit}"), "budget": st.just(f"{span - 1}{unit}")},
        optional={"algorithms": algorithms},
    )
    more = {
        "max_rows": st.integers(1_000, 1_000_000_000),
        "validation": st.integers(1, 10),
        "timestamp_quality": st.integers(1, 100).map("{}%".format),
        "leak": st.floats(0.5, 1, exclude_min=True) | st.just(1),
        "search": search,
    }
    return {
        "window": draw(durations),
        "holdout": f"{draw(st.integers(1, 50))}%",
        "retrain_every": f"{span}{unit}",
        **draw(st.fixed_dictionaries({}, optional=more)),
    }


def _own(fields: dict[str, dict[str, Any]]) -> st.SearchStrategy[dict[str, str]]:
    """Metrics of the contract's own, over counts and the sums of its numeric fields."""
    sums = [f"{turn}_{n}" for turn in TURNS for n, f in fields.items() if f["type"] in ("long", "double")]
    over = st.sampled_from([*TURNS, *sums])
    spelt = st.builds("(40 * {} + -5.5 * {}) / rows".format, over, over)
    return st.dictionaries(st.from_regex(r"m_[a-z]{1,4}", fullmatch=True), spelt, max_size=2)


def _gates(kind: Kind, own: list[str], training: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    rules = {m.name: _rule(m) for m in metrics.ruled(kind)}
    either = st.builds("{} {}".format, st.sampled_from([">=", "<="]), st.integers(-99, 99))
    first = metrics.of(kind)[0].name
    needed = {first: rules.pop(first)}
    rows, percent = training.get("max_rows", Train(1, 0.1, 1).max_rows), int(training["holdout"][:-1])
    shadow = st.integers(0, min(10_000_000, rows * percent // 100 - 1))  # no run sees more outcomes
    more = {"shadow": shadow, "confidence": st.floats(0.5, 0.9999)}
    return st.fixed_dictionaries(needed, optional={**rules, **dict.fromkeys(own, either), **more})


def _tolerances(low: float, high: float) -> st.SearchStrategy[list[float]]:
    inside = st.floats(low, high, exclude_min=True, exclude_max=True)
    return st.lists(inside, min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def _promised(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    """The `scorecard` section, or nothing."""
    rates = dict.fromkeys(("false_positive_rate", "false_negative_rate"), _tolerances(0, 0.5))
    asked = {"coverage": _tolerances(0.5, 1)} if kind == "number" else rates
    more: dict[str, st.SearchStrategy[Any]] = {**asked, "confidence": st.floats(0.5, 0.9999)}
    found: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=more))
    listed = {name: found[name] for name in rates if name in found}
    if kind == "binary" and listed:
        decide = {name: draw(st.sampled_from(rates)) for name, rates in listed.items()}
        found |= {"decide": decide} if draw(st.booleans()) else {}
    return {"scorecard": found} if found else {}


def _fallback(kind: Kind, feature: str, levels: list[str]) -> str:
    """A rule of the type that the target asks for, over any feature."""
    says = {"binary": ["True", "False"], "classes": [repr(v) for v in levels[:2]], "number": ["1", "2.5"]}
    return f"if_else(is_null({feature}), {', '.join(says[kind])})"


def _rule(metric: metrics.Metric) -> st.SearchStrategy[str]:
    bounds = st.integers(int(metric.least * 100) + 1, 100)
    return bounds.map(lambda n: f"{metric.sign} {n / 100}")


def _said(features: dict[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    score = {"score": {"type": "double", "nullable": True}}
    channel = {"channel": {"type": "category", "levels": ["web", "branch"], "default": "web"}}
    given = {name: {"type": "double"} for name, text in features.items() if text.startswith("minutes")}
    return st.fixed_dictionaries(
        {},
        optional={
            "parameters": st.just(channel),
            "response": st.just({**score, **given}),
            "unknown": st.just("ignore"),
        },
    )


@cache
def _floors(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    bound = st.sampled_from(metrics.of(kind)).flatmap(lambda m: st.tuples(st.just(m.name), _rule(m)))
    rest = {"window": durations, "windows": st.integers(1, 100), "labels": st.integers(2, 1_000_000)}
    return st.builds(lambda rule, said: {rule[0]: rule[1], **said}, bound, st.fixed_dictionaries(rest))


@cache
def _tables() -> st.SearchStrategy[dict[str, Any]]:
    rows = st.lists(
        st.tuples(texts, st.none() | st.integers(-9, 9), st.none() | st.floats(-180, 180)),
        min_size=1, max_size=5, unique_by=lambda row: row[0],
    )  # fmt: skip
    columns = {"code": "string", "rank": "long", "lat": "double"}
    return rows.map(
        lambda found: {"key": "code", "columns": columns, "rows": [[*row[:2], row[2]] for row in found]}
    )
