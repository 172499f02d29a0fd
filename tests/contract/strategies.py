"""Generated rows and expressions: nulls, extremes, clock changes, strange texts included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st

from hotpath.clock import HOUR, MINUTE
from hotpath.contract.aggregates import Aggregate
from hotpath.contract.expressions import LONGEST, Knows, Reading, Scope, normal
from hotpath.contract.fitted import Fitted
from hotpath.contract.functions import FUNCTIONS, Function
from hotpath.contract.tables import from_csv
from hotpath.contract.types import ARRAYS, EARLIEST, LATEST, LONG_MAX, LONG_MIN, LONGEST_SPAN, Type, Value

MANY = settings(
    phases=[Phase.generate],
    database=None,
    derandomize=False,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""For a test that collects what is generated, to judge it in one job of Spark."""
FIELDS: dict[str, Type] = {
    "c": Type.CATEGORY,
    "d": Type.CATEGORY,
    "s": Type.STRING,
    "p": Type.BOOL,
    "q": Type.BOOL,
    "i": Type.LONG,
    "j": Type.LONG,
    "x": Type.DOUBLE,
    "y": Type.DOUBLE,
    "t": Type.TIMESTAMP,
    "u": Type.TIMESTAMP,
    "v": Type.DURATION,
    "w": Type.DURATION,
    "ss": Type.STRINGS,
    "ll": Type.LONGS,
    "dd": Type.DOUBLES,
    "o.c": Type.CATEGORY,
    "o.p.x": Type.DOUBLE,
}
_PLACES = """\
k,lat,lon,n,kind,nothing
UA,40.64,-73.78,13,hub,
ua,-33.9,151.2,,"a,b",
Zürich,90,0,9007199254740993,,
🛫,0,180,-1,hub,
"a'b""c\\",0.000001,-180,7,x,
far,,,5,,
"""
TABLES = {
    "places": from_csv("places", "k", _PLACES, "places.csv"),
    "bare": from_csv("bare", "k", "k,lat\na,1\n", "bare.csv"),
}
FITTED = Fitted({"c": ("UA", "Zürich", "a'b\"c\\"), "o.c": ("",)})
_SPANS_OF_TILES = (5 * MINUTE, HOUR, 2 * MINUTE, MINUTE)
"""Tile, horizon, delay, grace."""
AGGREGATES = {
    a.name: a
    for a in (
        Aggregate("told", "labels", "id", "s", "truth", Type.BOOL, None, *_SPANS_OF_TILES),
        Aggregate("spent", "events", "c", "o.c", "x", Type.DOUBLE, 6, *_SPANS_OF_TILES),
        Aggregate("seen", "events", "i", "i", None, None, None, *_SPANS_OF_TILES),
    )
}
READINGS = {
    "count(told)": Reading("count", "told", HOUR, Type.LONG),
    "last(told, '15m')": Reading("last", "told", 15 * MINUTE, Type.LONG),
    "std(spent)": Reading("std", "spent", HOUR, Type.DOUBLE),
    "sum(spent, '5m')": Reading("sum", "spent", 5 * MINUTE, Type.DOUBLE),
    "age(seen)": Reading("age", "seen", HOUR, Type.DOUBLE),
}
"""What reads tiles, by its text."""
COLUMNS = {**FIELDS, **{reading.name: reading.type for reading in READINGS.values()}}
"""All that a row has."""
LEAVES = {**FIELDS, **{text: reading.type for text, reading in READINGS.items()}}
"""All that an expression is made of beside literals."""
SCOPE = Scope(FIELDS, {"late": "it is the label's target"}, TABLES, "t", AGGREGATES)
KNOWS = Knows(TABLES, FITTED)
ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)
# New York's clocks change; Apia leaves out a day; Lord Howe moves by half an hour; leap days; the ends.
EDGES = (
    1362898799999999,
    1362898800000000,
    1383458400000000,
    1325239200000000,
    1365260400000000,
    951868799999999,
    1709164800000000,
    1735689599999999,
    EARLIEST,
    LATEST - 1,
)
TEXTS = ("", "UA", "ua", "UA ", "Zürich", "\U0001f6eb", "a'b\"c\\", "x" * 256)
WHOLE = (0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, LONG_MAX, LONG_MAX - 1, LONG_MIN, LONG_MIN + 1)
REAL = (0.0, -0.0, 0.1, 1.5, -2.0, 5e-324, 1e-300, 1e154, 1e308, 1.7976931348623157e308, 2.0**53, 2.0**63)

texts = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
longs = st.sampled_from(WHOLE) | st.integers(-9, 9) | st.integers(LONG_MIN, LONG_MAX)
doubles = st.sampled_from(REAL) | st.floats(allow_nan=False, allow_infinity=False)
spans = st.sampled_from((0, 1, -1, LONGEST_SPAN, -LONGEST_SPAN)) | st.integers(-LONGEST_SPAN, LONGEST_SPAN)
instants = st.sampled_from(EDGES) | st.integers(EARLIEST, LATEST - 1)

_VALUES: dict[Type, st.SearchStrategy[Value]] = {
    Type.CATEGORY: texts,
    Type.STRING: texts,
    Type.BOOL: st.booleans(),
    Type.LONG: longs,
    Type.DOUBLE: doubles,
    Type.TIMESTAMP: instants,
    Type.DURATION: spans,
    Type.STRINGS: st.lists(texts, max_size=4),
    Type.LONGS: st.lists(longs, max_size=4),
    Type.DOUBLES: st.lists(doubles, max_size=4),
}
rows: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {name: st.none() | _VALUES[kind] for name, kind in COLUMNS.items()}
)
"""A decoded row of FIELDS, and its readings."""


_PERIODS = st.sampled_from(("24", "7", "365.25", "1", "3.3"))
_LOOKED_UP = {Type.LONG: ("n",), Type.DOUBLE: ("lat",), Type.CATEGORY: ("kind", "nothing")}
"""Of TABLES' places, by type."""


def _fixed(name: str, kind: Type, wanted: Type) -> st.SearchStrategy[list[str]]:
    """A function's fixed arguments, by the type of its first other argument and the type it is to give."""
    texts_or_longs = texts if kind in (Type.STRING, Type.CATEGORY) else longs
    match name:
        case "hour" | "weekday" | "day_of_year" | "is_weekend":
            return st.sampled_from(ZONES).map(lambda zone: [repr(zone)])
        case "sin_cycle" | "cos_cycle":
            return _PERIODS.map(lambda period: [period])
        case "contains_any" | "one_of":
            return st.lists(texts_or_longs.map(repr), min_size=1, max_size=3)
        case "bucket":
            bounds = longs if kind == Type.LONG else doubles.map(lambda x: x + 0.0)
            some = st.lists(bounds, min_size=1, max_size=4, unique=True)
            return some.map(lambda found: [repr(bound) for bound in sorted(found)])
        case "has":
            return _LITERAL[_ITEM[kind]].map(lambda text: [text])
        case "look_up":
            return st.sampled_from(_LOOKED_UP[wanted]).map(lambda column: ["places", repr(column)])
        case "span":
            return _SPANS.map(lambda text: [repr(text)])
    return st.sampled_from(_FIXED.get(name, [[]]))


_FIXED: dict[str, list[list[str]]] = {
    "round": [[], ["0"], ["2"], ["12"]],
    "hash_bucket": [["1"], ["16"], ["1000003"]],
    "item": [["0"], ["1"], ["3"]],
    "nearest_km": [["places"]],
}
_SPANS = st.builds("{}{}".format, st.integers(1, 999_999), st.sampled_from("smhd"))
_ITEM = {array: item for item, array in ARRAYS.items()}
_LITERAL: dict[Type, st.SearchStrategy[str]] = {
    Type.BOOL: st.sampled_from(["True", "False"]),
    Type.LONG: longs.map(repr),
    Type.DOUBLE: doubles.map(repr),
    Type.STRING: texts.map(repr),
    Type.CATEGORY: texts.map(repr),
    Type.DURATION: _SPANS.map("span({!r})".format),
}
_FEATURES = (Type.BOOL, Type.LONG, Type.DOUBLE, Type.CATEGORY)
_MAKERS: dict[Type, list[tuple[Function, tuple[Type, ...]]]] = {
    kind: [
        (f, takes)
        for f in FUNCTIONS
        if not f.tolerance
        for takes, gives in f.signatures
        if gives == kind or (gives == Type.COLUMN and kind in _LOOKED_UP)
    ]
    for kind in Type
}
"""Who gives a type, and from what: a new function is found here by itself, unless it has fixed arguments."""

_TOLERANT = [f for f in FUNCTIONS if f.tolerance]
"""They stand outermost only: beneath a comparison, bucket, round or remainder the last bit decides between
answers that differ by more than any tolerance, and a product or exp makes it greater."""


@st.composite
def expressions(draw: st.DrawFn, fields: Mapping[str, Type] = LEAVES, depth: int = 3) -> str:
    """Source text of an expression over `fields` and TABLES that has a feature's type."""
    if not draw(st.integers(0, 7)):
        return draw(with_function(draw(st.sampled_from(_TOLERANT)), fields, depth))
    text = draw(of(draw(st.sampled_from(_FEATURES)), fields, depth))
    assume(text[0] not in "'\"")  # a text alone is a string, which no feature is
    assume(len(text) <= LONGEST and len(normal(text)) <= LONGEST)
    return text


@st.composite
def of(draw: st.DrawFn, kind: Type, fields: Mapping[str, Type], depth: int) -> str:
    """Source text of an expression of type `kind`."""
    makers = _MAKERS[kind] if depth else []
    if not makers or not draw(st.integers(0, 3)):
        return draw(_leaf(kind, fields))
    # By name first: else the functions of many signatures would leave the others no room.
    name = draw(st.sampled_from(sorted({f.name for f, _ in makers})))
    function, takes = draw(st.sampled_from([m for m in makers if m[0].name == name]))
    return draw(_call(function, takes, kind, fields, depth))


@st.composite
def with_function(
    draw: st.DrawFn, function: Function, fields: Mapping[str, Type] = LEAVES, depth: int = 3
) -> str:
    """Source text of an expression whose outermost function is this."""
    takes, gives = draw(st.sampled_from(function.signatures))
    wanted = draw(st.sampled_from(sorted(_LOOKED_UP))) if gives == Type.COLUMN else gives
    return draw(_call(function, takes, wanted, fields, depth))


def _leaf(kind: Type, fields: Mapping[str, Type]) -> st.SearchStrategy[str]:
    names = [n for n, k in fields.items() if k == kind or (k == Type.CATEGORY and kind == Type.STRING)]
    literal = _LITERAL.get(kind, st.sampled_from(names) if names else st.just("t"))
    return st.sampled_from(names) | literal if names else literal


@st.composite
def _call(
    draw: st.DrawFn,
    function: Function,
    takes: tuple[Type, ...],
    wanted: Type,
    fields: Mapping[str, Type],
    depth: int,
) -> str:
    fixed = range(len(takes))[function.fixed or slice(0)]
    others = [t for place, t in enumerate(takes) if place not in fixed]
    if function.repeats and not fixed:
        others += others[-1:] * draw(st.integers(0, 2))
    if function.implied == "levels":
        args = [draw(st.sampled_from([n for n, k in fields.items() if k == Type.CATEGORY]))]
    else:
        args = [draw(of(kind, fields, depth - 1)) for kind in others]
    literals = draw(_fixed(function.name, others[0] if others else Type.STRING, wanted))
    args = [*literals, *args] if fixed and fixed[0] == 0 else [*args, *literals]
    return spelled(function.name, args)


def spelled(name: str, args: Sequence[str]) -> str:
    """A call as an expression writes it."""
    if name.isidentifier() and name not in ("and", "or", "not"):
        return f"{name}({', '.join(args)})"
    return f"not ({args[0]})" if name == "not" else f"({args[0]}) {name} ({args[1]})"
