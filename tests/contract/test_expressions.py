"""The expression language refuses everything it does not know, with its place, and never runs Python."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hotpath.contract.expressions import Call, Literal, Ref, Scope, Widen, fitted_fields, normal, parse
from hotpath.contract.functions.places import MOST_PLACES
from hotpath.contract.parts import Feature
from hotpath.contract.row import compose
from hotpath.contract.tables import from_csv
from hotpath.contract.types import EARLIEST, Type, Value
from hotpath.contract.zones import CHUNK, known_zones, zone
from hotpath.errors import BadConfig
from tests.contract.strategies import FIELDS, KNOWS, SCOPE, TABLES, ZONES, expressions, instants, rows

# Text, the character the message points at, what it says.
REFUSED = {
    "nothing": ("", 0, "an expression"),
    "two": ("i; j", 1, "an expression"),
    "unbalanced": ("(i + ", 0, "an expression"),
    "an assignment": ("i = 1", 2, "an expression"),
    "an unknown field": ("i + k", 4, "an event field"),
    "the target": ("i > 1 and late", 10, "target"),
    "an unknown part of an object": ("o.p.y", 0, "did you mean o.p.x?"),
    "an object": ("o.p", 0, "an event field"),
    "an attribute of a call": ("hour(t).x", 0, "a field, a literal"),
    "many attributes": ("a" + ".b" * 490, 0, "an event field"),
    "a subscript": ("c[0]", 0, "a field, a literal"),
    "a call of an attribute": ("t.hour()", 0, "a field, a literal"),
    "a method trick": ('"".__class__', 0, "a field, a literal"),
    "a lambda": ("lambda: 1", 0, "a field, a literal"),
    "a comprehension": ("[i for i in c]", 0, "a field, a literal"),
    "a condition": ("i if p else j", 0, "a field, a literal"),
    "an f-string": ('f"{i}"', 0, "a field, a literal"),
    "a walrus": ("(i := 1)", 1, "a field, a literal"),
    "a power": ("i ** 2", 0, "a field, a literal"),
    "a floor division": ("i // 2", 0, "a field, a literal"),
    "identity": ("i is j", 0, "a field, a literal"),
    "membership": ('c in "UA"', 0, "a field, a literal"),
    "bytes": ('b"x"', 0, "a number, a text"),
    "None": ("i == None", 5, "a number, a text"),
    "a complex": ("1j", 0, "a number, a text"),
    "an ellipsis": ("...", 0, "a number, a text"),
    "an unknown function": ("hoours(t)", 0, "did you mean hours?"),
    "an operator called": ("eval(i)", 0, "a function"),
    "a keyword argument": ('hour(t, zone="x")', 0, "a field, a literal"),
    "too few arguments": ("hour(t)", 0, "hour of (timestamp, time zone)"),
    "too many arguments": ("minutes_between(t, u, t)", 0, "minutes_between of (timestamp, timestamp)"),
    "a wrong argument": ("minutes_between(t, i)", 0, "minutes_between of (timestamp, timestamp)"),
    "a zone that is no literal": ("hour(t, c)", 0, "time zone"),
    "an unknown zone": ('hour(t, "America/New_Yrok")', 0, "did you mean America/New_York?"),
    "an abbreviation as zone": ('hour(t, "EST")', 0, "time zone"),
    "a zone nearly": ('weekday(t, "Europe/Lodnon")', 0, "did you mean Europe/London?"),
    "an unknown table": ('look_up(place, "n", c)', 8, "did you mean places?"),
    "an unknown column": ('look_up(places, "knd", c)', 0, "did you mean kind?"),
    "a column that is no literal": ("look_up(places, c, c)", 0, "argument 2 written as a literal"),
    "a table without places": ("nearest_km(x, y, bare)", 0, "columns lat and lon"),
    "a table as a number": ("places + 1", 0, "+ of (long, long)"),
    "a field as a table": ("nearest_km(x, y, c)", 0, "argument 3 written as a literal"),
    "bounds that fall": ("bucket(i, 10, 0)", 0, "ascending bounds"),
    "a bound that is no literal": ("bucket(i, 0, j)", 0, "argument 3 written as a literal"),
    "a bound of another type": ("bucket(i, 0, 1.5, True)", 0, "bucket of (long, long, …)"),
    "no bound": ("bucket(i)", 0, "bucket of (long, long, …)"),
    "a place before the first": ("item(ll, -1)", 0, "from 0 on"),
    "a buckets' count of 0": ("hash_bucket(c, 0)", 0, "buckets"),
    "too many digits": ("round(x, 13)", 0, "0 to 12 digits"),
    "a period of nothing": ("sin_cycle(x, 0)", 0, "a period from 1"),
    "a span in words": ('span("two hours")', 0, "a span like 90s"),
    "a span that is a field": ("span(s)", 0, "argument 1 written as a literal"),
    "a level of no field": ('level(look_up(places, "kind", c))', 0, "level of a category field"),
    "a level of a text": ("level(s)", 0, "level of (category)"),
    "a duration with a number": ("(t - u) * 2", 0, "minutes(…) or hours(…)"),
    "an array with a number": ("ll + 1", 0, "+ of (long, long)"),
    "an item of another type": ('has(ll, "x")', 0, "has of"),
    "choices of two types": ("if_else(p, i, c)", 0, "if_else of (bool, bool, bool)"),
    "a sum with a text": ("i + c", 0, "+ of (long, long)"),
    "a sum of bools": ("p + q", 0, "+ of (long, long)"),
    "a sum of times": ("t + u", 0, "(timestamp, duration)"),
    "an order of texts": ("c < d", 0, "< of (long, long)"),
    "an order of bools": ("p < q", 0, "< of (long, long)"),
    "a text against a number": ("c == 1", 0, "== of"),
    "a bool against a number": ("p == 1", 0, "== of"),
    "a number as truth": ("i and p", 0, "and of (bool, bool)"),
    "not of a number": ("not i", 0, "not of (bool)"),
    "minus of a bool": ("-p", 0, "- of (long, long)"),
    "minus of True": ("-True", 0, "- of (long, long)"),
    "a chain": ("1 < i < 2", 0, "write a < b and b < c"),
    "too large a whole number": ("i + 9223372036854775808", 4, "64 bits"),
    "too large a number": ("x + 1e999", 4, "finite"),
    "a lone surrogate": (r'c == "\ud800"', 5, "surrogates"),
    "a NUL": (r'c == "\0"', 5, "NUL"),
    "a bad escape": (r'c == "\d"', 0, "an expression"),
    "after a wide character": ('c == "é" and k', 13, "an event field"),
    "after a margin": ("  i + k", 6, "an event field"),
    "two after a margin": ("  i; j", 3, "an expression ("),
    "a broken second line": ("(i +\n @)", 6, "an expression ("),
    "after a line break of another system": ("(i +\r\n k)", 7, "an event field"),
    "after the line break of an old one": ("(i +\r k)", 6, "an event field"),
    "too long": ("i + " * 300 + "i", 0, "at most 1000"),
    "too deep": ("-" * 60 + "i", 41, "levels of nesting"),
    "far too deep": ("-" * 990 + "i", 41, "levels of nesting"),
    "many brackets": ("(" * 300 + "i" + ")" * 300, 0, ""),
    "a long chain of and": (" and ".join(["p"] * 60), 0, "levels of nesting"),
}


@pytest.mark.parametrize(("text", "at", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_in_the_language_is_refused_with_its_place(text: str, at: int, says: str) -> None:
    with pytest.raises(BadConfig) as error:
        parse(text, SCOPE)
    assert says in str(error.value)
    if says and says != "an expression":
        assert error.value.thing == f"character {at}"


def test_an_event_without_a_time_has_no_hours_until() -> None:
    with pytest.raises(BadConfig, match="a time of its own"):
        parse("hours_until(t)", Scope(FIELDS))


def test_what_nobody_writes_stands_in_the_tree() -> None:
    of_time, category = Ref("t", Type.TIMESTAMP), Ref("o.c", Type.CATEGORY)
    assert parse("hours_until(u)", SCOPE) == Call(
        "hours_until", (of_time, Ref("u", Type.TIMESTAMP)), Type.DOUBLE
    )
    assert parse("level(o.c)", SCOPE) == Call("level", (category, Literal("o.c", Type.LEVELS)), Type.CATEGORY)


def test_a_look_up_has_the_type_of_its_column() -> None:
    found = {c.name: parse(f'look_up(places, "{c.name}", s)', SCOPE).type for c in TABLES["places"].columns}
    texts = dict.fromkeys(("k", "kind", "nothing"), Type.CATEGORY)
    assert found == {"lat": Type.DOUBLE, "lon": Type.DOUBLE, "n": Type.LONG, **texts}


def test_the_fields_whose_levels_a_model_needs_are_found_wherever_they_are() -> None:
    texts = {"a": 'if_else(p, level(o.c), "x")', "b": "round(length(level(c)))", "c": "d"}
    assert fitted_fields(Feature(n, t, parse(t, SCOPE)) for n, t in texts.items()) == {"c", "o.c"}


def test_types_are_widened_where_a_signature_asks() -> None:
    assert parse("i + 1.5", SCOPE) == Call(
        "+", (Widen(Ref("i", Type.LONG)), Literal(1.5, Type.DOUBLE)), Type.DOUBLE
    )
    assert parse("x + 1", SCOPE) == Call("+", (Ref("x", Type.DOUBLE), Literal(1.0, Type.DOUBLE)), Type.DOUBLE)
    assert parse("bucket(x, 0)", SCOPE) == Call(
        "bucket", (Ref("x", Type.DOUBLE), Literal(0.0, Type.DOUBLE)), Type.LONG
    )
    assert parse('coalesce(c, "none")', SCOPE).type == Type.CATEGORY
    assert parse("-v", SCOPE) == Call(
        "-", (Literal(0, Type.DURATION), Ref("v", Type.DURATION)), Type.DURATION
    )
    assert parse("i / 2", SCOPE).type == Type.DOUBLE
    assert parse("-5", SCOPE) == Literal(-5, Type.LONG)
    assert parse("-9223372036854775808", SCOPE) == Literal(-(2**63), Type.LONG)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        (" (i+1) ", "i + 1"),
        ('c=="UA"', "c == 'UA'"),
        ("1.50", "1.5"),
        ("((p))or(q)", "p or q"),
        ("1_000", "1000"),
    ],
)
def test_one_meaning_has_one_spelling(text: str, spelling: str) -> None:
    assert normal(text) == spelling


@given(expressions())
def test_the_normal_spelling_means_the_same_and_stays(text: str) -> None:
    assert parse(normal(text), SCOPE) == parse(text, SCOPE)
    assert normal(normal(text)) == normal(text)


@given(expressions(), rows)
def test_nothing_raises_at_run_time(text: str, row: dict[str, Value]) -> None:
    tree = parse(text, SCOPE)
    value = compose(tree, KNOWS)(row)
    kinds: dict[Type, type] = {Type.LONG: int, Type.DOUBLE: float, Type.BOOL: bool, Type.CATEGORY: str}
    assert value is None or type(value) is kinds[tree.type]


@given(st.text())
@example("\0")
@example("\ud800")
@example("i\n+ 1")
@example("(i +\r k)")
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(BadConfig):
        parse(text, SCOPE)


@given(st.sampled_from(ZONES), instants)
def test_a_zone_by_chunks_is_the_same_zone(name: str, instant: int) -> None:
    changes, offsets = zone(name).chunks
    chunk = (instant - EARLIEST) // CHUNK
    assert offsets[chunk + (instant >= changes[chunk])] == zone(name).at(instant)


@pytest.mark.campaign
def test_every_zone_of_the_package_fits_its_chunks() -> None:
    for name in known_zones():
        assert zone(name).chunks, name


def test_zones_change_their_offset_at_the_second() -> None:
    new_york, spring = zone("America/New_York"), 1362898800_000_000
    assert [new_york.at(spring - 1) // 3_600_000_000, new_york.at(spring) // 3_600_000_000] == [-5, -4]
    assert {"America/New_York", "UTC"} <= known_zones()
    assert not {"EST", "Etc/GMT+5", ""} & known_zones()


def test_a_table_with_more_places_than_spark_should_look_at_is_refused() -> None:
    lines = [f"p{n},{n % 90},{n % 180}" for n in range(MOST_PLACES + 1)]
    many = from_csv("many", "code", "\n".join(["code,lat,lon", *lines]), "many.csv")
    with pytest.raises(BadConfig, match=f"at most {MOST_PLACES} places"):
        parse("nearest_km(x, y, many)", Scope({"x": Type.DOUBLE, "y": Type.DOUBLE}, tables={"many": many}))
