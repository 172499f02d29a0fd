"""What a change breaks is said, and what is not said to break breaks nothing: law and examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.contract.checks import check
from hotpath.contract.compatibility import breaks_callers, changes
from hotpath.contract.compatibility_rules import RULES, page
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.request import left_out, parameters_decoder, request_decoder
from hotpath.contract.types import FIELD_TYPES, Type
from hotpath.settings import PROJECT
from tests.contract.declared import fields, near, taken
from tests.contract.samples import CONTRACT, small

NAMES = ("f", "level")
BASE = small()
LEVELS = "level:  {type: category, max_levels: 4, nullable: true}"
COUNT = "count:  {type: long, min: 0, max: 100}"
DEFAULT = COUNT.replace("}", ", default: 1}")
DEFAULTED = "level: {type: category, default: low}"
TRUTH = ("truth: {type: bool}", "truth: {type: category, levels: [a, b]}")
STREAM = "streams:\n  wind: {topic: small.wind, fields: {at: {type: string}, gust: {type: double, max: 9}}}\n"
COUNTED = (
    "features:\n",
    "aggregates:\n  seen: {over: events, by: level, tile: 5m, horizon: 1h, delay: 2m}\n"
    "features:\n  often: count(seen)\n",
)
SERVE = "serve: {fresh: 3h, expired: 24h}"
SENDERS = ("callers", "producers")
ALL = ("callers", "producers", "lake", "bundles")


def nested(text: str) -> str:
    return f"{COUNT}\n    device: {{type: object, {text}fields: {{os: {{type: string, nullable: true}}}}}}"


def card(decide: str) -> str:
    return f"scorecard: {{false_positive_rate: [0.1]{decide}}}\n{SERVE}"


def serve(text: str) -> str:
    return SERVE.replace("24h", f"24h, {text}")


EXAMPLES: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, ...]]] = {
    "pipeline renamed": (("", ""), ("name: small", "name: other"), ALL),
    "topic moved": (("", ""), ("small.asked", "small.else"), ("producers",)),
    "decoder changed": (
        ("", ""),
        ("decoder", "csv"),
        ("producers",),
    ),
    "role moved": (("", ""), ("host: host", "host: who"), ("lake",)),
    "consent demanded": (("", ""), ("  time: at\n", "  time: at\n  consent: flag\n"), ("producers", "lake")),
    "consent dropped": (("  time: at\n", "  time: at\n  consent: flag\n"), ("", ""), ()),
    "field added, required": (("", ""), (COUNT, f"{COUNT}\n    new: {{type: bool}}"), ALL),
    "field added": (("", ""), (COUNT, f"{COUNT}\n    new: {{type: bool, default: true}}"), ("bundles",)),
    "field added that was passed over": (
        (SERVE, serve("unknown: ignore")),
        (COUNT, f"{COUNT}\n    new: {{type: bool, nullable: true}}"),
        ("callers",),
    ),
    "field removed": ((COUNT, f"{COUNT}\n    new: {{type: bool}}"), ("", ""), ("callers", "bundles")),
    "field removed, passed over": (
        (COUNT, f"{COUNT}\n    new: {{type: bool}}"),
        (SERVE, serve("unknown: ignore")),
        ("bundles",),
    ),
    "type changed": (("", ""), (COUNT, "count: {type: double}"), ALL),
    "category or string": (("", ""), ("host:   {type: category}", "host: {type: string}"), ()),
    "unit changed": (("", ""), ("unit: km", "unit: mi"), ALL),
    "narrowed": (("", ""), (COUNT, "count: {type: long, min: 1, max: 100}"), SENDERS),
    "widened": (("", ""), (COUNT, "count: {type: long, max: 100}"), ("bundles",)),
    "null refused": (("", ""), (LEVELS, DEFAULTED), ("callers", "producers", "lake")),
    "null allowed": (("", ""), (COUNT, COUNT.replace("}", ", nullable: true}")), ("bundles",)),
    "absence refused": ((COUNT, DEFAULT), ("", ""), SENDERS),
    "absence allowed": (("", ""), (COUNT, DEFAULT), ("bundles",)),
    "default changed": ((COUNT, DEFAULT), (COUNT, COUNT.replace("}", ", default: 2}")), ()),
    "renamed in records": (("", ""), (COUNT, COUNT.replace("}", ", from: Count}")), ("producers",)),
    "unknown fields refused": ((SERVE, serve("unknown: ignore")), ("", ""), ("callers",)),
    "unknown fields passed over": (("", ""), (SERVE, serve("unknown: ignore")), ("bundles",)),
    "output removed": (
        ("", ""),
        (SERVE, serve("response: {score: {type: double, nullable: true}}")),
        ("callers",),
    ),
    "output added": ((SERVE, serve("response: {score: {type: double, nullable: true}}")), ("", ""), ()),
    "output changed": (
        (SERVE, serve("response: {score: {type: double}}")),
        (SERVE, serve("response: {score: {type: double, nullable: true}}")),
        ("callers",),
    ),
    "target changed": (("", ""), TRUTH, ("callers", "lake", "bundles")),
    "levels kept changed": (("", ""), (LEVELS, LEVELS.replace("4", "8")), ()),
    "horizon changed": (("", ""), ("horizon: 24h", "horizon: 12h"), ()),
    "feature added": (("", ""), ("  level: level\n", "  level: level\n  more: count\n"), ()),
    "feature removed": (("  level: level\n", "  level: level\n  more: count\n"), ("", ""), ()),
    "feature changed": (("", ""), ("size > 1.5", "size > 2.5"), ()),
    "stream added": (("", ""), ("features:\n", f"{STREAM}features:\n"), ()),
    "stream removed": (("features:\n", f"{STREAM}features:\n"), ("", ""), ("producers",)),
    "aggregate added": (("", ""), COUNTED, ()),
    "aggregate removed": (COUNTED, ("", ""), ()),
    "aggregate changed": (COUNTED, (COUNTED[0], COUNTED[1].replace("tile: 5m", "tile: 10m")), ()),
    "training changed": (("", ""), ("window: 30d", "window: 10d"), ()),
    "gate or floor changed": (("", ""), ('">= 0.60"', '">= 0.70"'), ()),
    "own metric changed": (("", ""), ("gate:", "metrics: {cost: 40 * fn / rows}\ngate:"), ()),
    "scorecard changed": (("", ""), (SERVE, card("")), ()),
    "decisions changed": ((SERVE, card("")), (SERVE, card(", decide: {false_positive_rate: 0.1}")), ()),
    "fallback changed": (("", ""), (SERVE, serve("fallback: big")), ()),
    "ages changed": (("", ""), ("fresh: 3h", "fresh: 2h"), ()),
    "words changed": (("", ""), ("Is it so?", "Is it?"), ()),
}  # fmt: skip


def aimed(kind: str) -> Contract:
    """The contract with a target of another type."""
    gate = '{rmse: "<= 9"}' if kind == "double" else '{accuracy: ">= 0.1"}'
    text = CONTRACT.replace("truth: {type: bool}", f"truth: {{type: {kind}}}")
    return Contract.from_yaml(text.replace('{auc: ">= 0.60"}', gate), "small.yaml")


def edited(edit: tuple[str, str]) -> Contract:
    old, new = edit
    if new == "csv":
        text = "id,who,host,at,level,flag,count,size"
        return replace(BASE, events=replace(BASE.events, decoder="csv", schema=text))
    if "levels: [a, b]" in new:
        changed = BASE
        (truth,) = (f for f in changed.labels.fields if f.name == "truth")
        parts = tuple(
            p if p.name != "truth" else replace(truth, type=Type.CATEGORY, levels=("a", "b"))
            for p in changed.labels.parts
        )
        return replace(changed, labels=replace(changed.labels, parts=parts))
    return small(old, new)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_change_is_called_by_its_name_and_breaks_whom_the_rule_says(rule: str) -> None:
    old, new, breaks = EXAMPLES[rule]
    found = {change.rule.name: change for change in changes(edited(old), edited(new))}
    assert rule in found
    assert found[rule].breaks == breaks


def test_every_rule_has_an_example_but_that_of_tables() -> None:
    assert {rule.name for rule in RULES} - set(EXAMPLES) == {"table changed"}


def test_a_field_of_labels_breaks_no_caller() -> None:
    found = changes(small(), small("seen: {type: timestamp}", "seen: {type: bool}"))
    assert [(c.rule.name, c.breaks) for c in found] == [("type changed", ("producers", "lake"))]


def test_a_stream_is_changed_like_the_other_topics_and_breaks_no_caller() -> None:
    edits = {
        "small.wind": "small.gale",
        "max: 9": "max: 8",
        "at: {type: string}": "at: {type: long}",
        "wind, fields": "wind, decoder: csv, schema: wind.csv, fields",
    }
    text = CONTRACT.replace("features:\n", f"{STREAM}features:\n")
    before = Contract.from_yaml(text, "small.yaml")
    found: dict[str, object] = {}
    for old, new in edits.items():
        after = Contract.from_yaml(text.replace(old, new), "small.yaml", lambda _: "at,gust")
        found |= {c.what: (c.rule.name, c.breaks) for c in changes(before, after)}
    assert found == {
        "streams.wind.topic": ("topic moved", ("producers",)),
        "streams.wind.decoder": ("decoder changed", ("producers",)),
        "streams.wind.fields.gust": ("narrowed", ("producers",)),
        "streams.wind.fields.at": ("type changed", ("producers", "lake")),
    }


def test_an_object_that_may_not_be_null_any_more_breaks_producers() -> None:
    found = changes(small(COUNT, nested("nullable: true, ")), small(COUNT, nested("")))
    assert [(c.rule.name, c.what, c.breaks) for c in found] == [
        ("null refused", "events.fields.device", ("producers",))
    ]


SCORE = "response: {score: {type: double, nullable: true, min: 0, max: %s}}"
OUTPUTS: dict[str, tuple[Contract, Contract, list[tuple[str, tuple[str, ...]]]]] = {
    "more of a score": (
        small(SERVE, serve(SCORE % 0.5)),
        small(SERVE, serve(SCORE % 1)),
        [("output changed", ("callers",))],
    ),
    "less of a score": (
        small(SERVE, serve(SCORE % 1)),
        small(SERVE, serve(SCORE % 0.5)),
        [("output changed", ())],
    ),
    "an estimate for a probability": (BASE, aimed("double"), [("output changed", ("callers",))]),
    "one class more": (
        aimed("category, levels: [a, b]"),
        aimed("category, levels: [a, b, c]"),
        [("output changed", ("callers",))],
    ),
    "one class less": (
        aimed("category, levels: [a, b, c]"),
        aimed("category, levels: [a, b]"),
        [("output changed", ())],
    ),
}


@pytest.mark.parametrize(("old", "new", "found"), OUTPUTS.values(), ids=OUTPUTS)
def test_an_answer_that_may_hold_what_it_never_held_breaks_callers(
    old: Contract, new: Contract, found: list[tuple[str, tuple[str, ...]]]
) -> None:
    outputs = [c for c in changes(old, new) if c.what.startswith("serve.response")]
    assert [(c.rule.name, c.breaks) for c in outputs] == found


def test_a_reason_names_field_change_and_both_limits() -> None:
    (reason,) = breaks_callers(small(), small(COUNT, "count: {type: long, min: 1, max: 100}"))
    assert (
        reason
        == "events.fields.count: narrowed (1 to 100; was 0 to 100): values that were accepted are refused"
    )


def test_the_same_contract_breaks_nobody() -> None:
    assert changes(small(), small()) == ()


def test_the_page_in_docs_is_rendered_from_the_table() -> None:
    assert (PROJECT / "docs/compatibility.md").read_text() == page()


# laws: a contract whose declared fields are drawn, edited, and asked


Unknown = Literal["refuse", "ignore"]


def with_fields(declared: dict[str, Field], parameter: Field | None, unknown: Unknown) -> Contract:
    contract = BASE
    roles = tuple(
        p for p in contract.events.parts if p.name in ("id", "who", "host", "at", "flag", "size", "level")
    )
    kept = tuple(p for p in roles if p.name not in declared)
    parts = tuple(sorted((*kept, *declared.values()), key=lambda part: part.name))
    serve = replace(contract.serve, parameters=(parameter,) if parameter else (), unknown=unknown)
    return replace(contract, events=replace(contract.events, parts=parts), serve=serve)


ROLES = {"who": "w", "flag": True, "size": 1.5}
"""What is asked of the fields that no law draws; id, host and time may be left out."""
WORDS = st.sampled_from(["UA", "Zürich", "zz"])
_EDITS: tuple[st.SearchStrategy[dict[str, Any]], ...] = (
    st.just({}),
    st.just({"nullable": True, "default": None}),
    # Thrice, because it tells only of fields that were nullable or had a default, where these were used.
    st.just({"nullable": False, "default": None}),
    st.just({"nullable": False, "default": None}),
    st.just({"nullable": False, "default": None}),
    st.sampled_from([{"min": None}, {"max": None}, {"min": 0}, {"max": 1}]),
    st.lists(WORDS, max_size=3, unique=True).map(lambda levels: {"levels": tuple(sorted(levels))}),
    st.sampled_from([{"format": None}, {"format": "hex"}]),
    st.integers(1, 300).map(lambda most: {"max_length": most}),
    st.integers(1, 80).map(lambda most: {"max_items": most}),
    st.sampled_from([{"source": "F"}, {"doc": "Of a field."}, {"max_levels": 7}, {"unit": "km"}]),
)

_ALWAYS = ("nullable", "default", "source", "doc")


@st.composite
def edits(draw: st.DrawFn, name: str, field: Field | None) -> Field | None:
    """The field as it was, changed a little, another one, or none."""
    kind = draw(st.sampled_from(("same", "little", "little", "little", "other", "none")))
    if kind == "none":
        return None
    if kind == "other" or field is None:
        return draw(st.none() | fields(name)) if kind == "other" else field
    known = (*_ALWAYS, *next(t.options for t in FIELD_TYPES if t.type == field.type))
    edit = draw(st.one_of(_EDITS)) if kind == "little" else {}
    found = replace(field, **{key: value for key, value in edit.items() if key in known})
    sound = found.default is None or (not found.nullable and taken(check(found), found.default))
    return found if sound else field


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Contract, Contract]:
    """A live contract, and a candidate that differs a little or much."""
    before = {name: draw(st.none() | fields(name)) for name in NAMES}
    after = {name: draw(edits(name, field)) for name, field in before.items()}
    said = draw(st.none() | fields("p", (Type.STRING, Type.LONG, Type.DOUBLE, Type.BOOL)))
    unknowns: st.SearchStrategy[Unknown] = st.sampled_from(["refuse", "refuse", "ignore"])
    live = with_fields({n: f for n, f in before.items() if f}, said, draw(unknowns))
    candidate = with_fields({n: f for n, f in after.items() if f}, draw(edits("p", said)), draw(unknowns))
    return live, candidate


def values(declared: Field, optional: bool, draw: st.DrawFn) -> list[Any]:
    """What a caller sends of a field, as a list of one; of none where it leaves it out."""
    if (optional or declared.nullable or declared.default is not None) and draw(st.booleans()):
        return []
    if declared.nullable and draw(st.booleans()):
        return [None]
    return [draw(near(declared).filter(lambda value: taken(check(declared), value)))]


@st.composite
def questions(draw: st.DrawFn, contract: Contract) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and parameters that the contract accepts."""
    unasked = left_out(contract)
    drawn = [f for f in contract.events.fields if f.name in NAMES]
    asked = {f.name: values(f, f.name in unasked, draw) for f in drawn}
    said = {f.name: values(f, False, draw) for f in contract.serve.parameters}
    if contract.serve.unknown == "ignore":
        asked |= {name: [draw(st.sampled_from([None, "x", 1]))] for name in NAMES if name not in asked}
    asked, said = ({n: found[0] for n, found in part.items() if found} for part in (asked, said))
    return {**ROLES, **asked}, said


@settings(max_examples=400)
@given(st.data())
def test_a_candidate_accepts_what_the_live_contract_accepts_unless_it_is_said_to_break(
    data: st.DataObject,
) -> None:
    live, candidate = data.draw(pairs())
    request, parameters = data.draw(questions(live))
    request_decoder(live)(request)
    parameters_decoder(live)(parameters)
    asked = taken(request_decoder(candidate), request)
    said = taken(parameters_decoder(candidate), parameters)
    assert (asked and said) or breaks_callers(live, candidate)


@given(pairs())
def test_contracts_that_differ_differ_in_something_and_equal_ones_in_nothing(
    pair: tuple[Contract, Contract],
) -> None:
    live, candidate = pair
    assert bool(changes(live, candidate)) == (live.canonical() != candidate.canonical())
