"""Generated rows, expressions and contracts: nulls, extremes, clock changes, strange texts included."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hotpath.contract.types import EARLIEST, LATEST, LONG_MAX, LONG_MIN, Type, Value

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
}
ZONES = (
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
)
# New York's clocks change; Apia leaves out a day; Lord Howe moves by half an hour; the ends of time.
EDGES = (
    1362898799999999,
    1362898800000000,
    1383458400000000,
    1325239200000000,
    1365260400000000,
    EARLIEST,
    LATEST - 1,
)
TEXTS = ("", "UA", "ua", "UA ", "Zürich", "\U0001f6eb", "a'b\"c\\", "x" * 256)
WHOLE = (0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, LONG_MAX, LONG_MAX - 1, LONG_MIN, LONG_MIN + 1)
REAL = (0.0, -0.0, 0.1, 1.5, -2.0, 5e-324, 1e-300, 1e154, 1e308, 1.7976931348623157e308, 2.0**53, 2.0**63)

texts = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
longs = st.sampled_from(WHOLE) | st.integers(-9, 9) | st.integers(LONG_MIN, LONG_MAX)
doubles = st.sampled_from(REAL) | st.floats(allow_nan=False, allow_infinity=False)
instants = st.sampled_from(EDGES) | st.integers(EARLIEST, LATEST - 1)

_VALUES: dict[Type, st.SearchStrategy[Value]] = {
    Type.CATEGORY: texts,
    Type.STRING: texts,
    Type.BOOL: st.booleans(),
    Type.LONG: longs,
    Type.DOUBLE: doubles,
    Type.TIMESTAMP: instants,
}
rows: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {name: st.none() | _VALUES[kind] for name, kind in FIELDS.items()}
)
"""A decoded row of FIELDS."""


def expressions(depth: int = 3) -> st.SearchStrategy[str]:
    """Source text of an expression over FIELDS that has a feature's type."""
    return _either(_numbers(depth), _truths(depth))


def _numbers(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return _either(st.sampled_from("ijxy"), longs.map(repr) | doubles.map(repr))
    deeper, times = _numbers(depth - 1), st.permutations("tu")
    between = times.map("minutes_between({0[0]}, {0[1]})".format)
    hours = st.builds('hour({}, "{}")'.format, st.sampled_from("tu"), st.sampled_from(ZONES))
    return _either(_joined(deeper, "+ - * /", deeper), deeper.map("-({})".format) | between | hours)


def _truths(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return st.sampled_from(["p", "q", "p", "q", "True", "False"])
    words = st.sampled_from("cds")
    compared = st.one_of(
        _joined(_numbers(depth - 1), "< <= > >= == !=", _numbers(depth - 1)),
        _joined(st.just("t"), "< <= > >= == !=", st.just("u")),
        _joined(words, "== !=", _either(words, texts.map(repr))),
    )
    deeper = _truths(depth - 1)
    return _either(_joined(deeper, "and or == !=", deeper) | deeper.map("not ({})".format), compared)


def _either(one: st.SearchStrategy[str], other: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Half of each (`|` would weigh them by their branches)."""
    return st.booleans().flatmap(lambda first: one if first else other)


def _joined(
    left: st.SearchStrategy[str], words: str, right: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    return st.builds("({}) {} ({})".format, left, st.sampled_from(words.split()), right)


_names = st.from_regex(r"f_[a-z0-9_]{0,8}", fullmatch=True)
_durations = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from("smhd"))


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a valid contract."""
    fields = draw(st.dictionaries(_names, _fields(), max_size=6))
    usable = [n for n, f in fields.items() if f["type"] not in ("string", "timestamp")]
    features = draw(
        st.dictionaries(_names, st.sampled_from([*usable, "minutes_between(at, at)"]), min_size=1)
    )
    fresh = draw(st.integers(1, 100))
    floor = draw(st.sampled_from([{}, {"floor": draw(_floors())}]))
    base = {"id": {"type": "string"}, "who": {"type": "string"}, "at": {"type": "timestamp"}}
    truth = {"who": {"type": "string"}, "truth": {"type": "bool"}}
    return {
        "name": draw(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)),
        "question": draw(st.text(st.characters(codec="utf-8", categories=["L", "P"]), min_size=1)),
        "events": {
            "topic": "a.b", "id": "id", "entity": "who", "host": "who", "time": "at",
            "fields": {**base, **fields},
        },
        "labels": {
            "topic": "c", "entity": "who", "target": "truth", "horizon": draw(_durations), "fields": truth,
        },
        "features": features,
        "train": {
            "window": draw(_durations),
            "holdout": f"{draw(st.integers(1, 50))}%",
            "retrain_every": draw(_durations),
        },
        "gate": {"auc": f">= {draw(st.integers(50, 100)) / 100}"},
        "serve": {"fresh": f"{fresh}m", "expired": f"{fresh + 1}m"},
        **floor,
    }  # fmt: skip


def _floors() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "auc": st.integers(50, 100).map(lambda n: f">= {n / 100}"),
            "window": _durations,
            "windows": st.integers(1, 100),
            "labels": st.integers(2, 1_000_000),
        }
    )


def _fields() -> st.SearchStrategy[dict[str, Any]]:
    nullable = {"nullable": st.booleans()}
    length = {"max_length": st.integers(1, 65536)}
    low, high = st.integers(-1000, 0), st.integers(0, 1000)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("string")}, optional={**nullable, **length}),
        st.fixed_dictionaries(
            {"type": st.just("category")},
            optional={**nullable, **length, "max_levels": st.integers(2, 65536)},
        ),
        st.fixed_dictionaries({"type": st.sampled_from(["bool", "timestamp"])}, optional=nullable),
        st.fixed_dictionaries({"type": st.just("long")}, optional={**nullable, "min": low, "max": high}),
        st.fixed_dictionaries(
            {"type": st.just("double")},
            optional={**nullable, "min": low.map(lambda n: n / 7), "max": high, "unit": st.just("mi")},
        ),
    )
