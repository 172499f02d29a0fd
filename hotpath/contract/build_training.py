"""How a model is made and what it is held to, out of a strictly read contract. Raises BadConfig.

The sections train, metrics, gate, scorecard and floor. What a metric of the table means is metrics.py's, what
the contract's own one comes to business.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hotpath.contract import metrics
from hotpath.contract.build_expression import expression
from hotpath.contract.expressions import Scope
from hotpath.contract.fields import named
from hotpath.contract.keys import DECIDE, FLOOR, GATE, SCORECARD, SEARCH, TRAIN, USUAL_ALGORITHMS
from hotpath.contract.parts import (
    ALGORITHMS,
    ROWS,
    TURNS,
    Business,
    Decide,
    Events,
    Floor,
    Gate,
    Labels,
    Rule,
    Scorecard,
    Search,
    Train,
)
from hotpath.contract.sections import Section, Span
from hotpath.contract.strict_yaml import nearest
from hotpath.contract.types import Type
from hotpath.contract.used import fields_used

RATES, COVERAGE = Span(0, 0.5, low_too=False), Span(0.5, 1, low_too=False, high_too=False)
CONFIDENCE = Span(0.5, 0.9999)
MOST_ROWS = (1_000, 1_000_000_000)
_LEAK = Span(0.5, 1, low_too=False)
_NUMBERS = (Type.LONG, Type.DOUBLE)
_TOLERANCES = {"false_positive_rate": RATES, "false_negative_rate": RATES, "coverage": COVERAGE}
_OF_KIND = {
    "false_positive_rate": ("binary", "classes"),
    "false_negative_rate": ("binary", "classes"),
    "coverage": ("number",),
    "decide": ("binary",),
}


def train(section: Section) -> Train:
    """The `train` section."""
    section.only(TRAIN)
    has, usual = section.data.__contains__, Train(1, 0.1, 1)
    every = section.duration("retrain_every")
    return Train(
        window=section.duration("window"),
        holdout=section.share("holdout", most=50),
        retrain_every=every,
        max_rows=section.integer("max_rows", *MOST_ROWS) if has("max_rows") else usual.max_rows,
        validation=section.integer("validation", 1, 10) if has("validation") else usual.validation,
        timestamp_quality=(
            section.share("timestamp_quality", most=100)
            if has("timestamp_quality")
            else usual.timestamp_quality
        ),
        leak=section.within("leak", _LEAK) if has("leak") else usual.leak,
        search=_search(section.section("search"), every) if has("search") else None,
    )


def _search(section: Section, retrain_every: int) -> Search:
    section.only(SEARCH)
    every, budget = section.duration("every"), section.duration("budget")
    if every < retrain_every:
        raise section.wrong("every", "no less than train.retrain_every: a search is part of a run")
    if budget >= retrain_every:
        raise section.wrong(
            "budget", "a shorter duration than train.retrain_every: the next model waits for a search's end"
        )
    return Search(every, budget, _algorithms(section))


def _algorithms(section: Section) -> tuple[str, ...]:
    if "algorithms" not in section.data:
        return USUAL_ALGORITHMS
    for name in (found := section.texts("algorithms", 1, len(ALGORITHMS))):
        if name not in ALGORITHMS:
            known = f"algorithms out of {', '.join(ALGORITHMS)}"
            raise section.wrong("algorithms", f"{known}{nearest(name, ALGORITHMS)}")
    return tuple(sorted(found))


def business(section: Section, asked: Events, answered: Labels) -> tuple[Business, ...]:
    """The `metrics` section, sorted by name."""
    if answered.kind != "binary":
        why = f"no metric of its own: it counts decisions on a bool target, not {answered.kind}"
        raise section.wrong(next(iter(section.data)), why)
    return tuple(_business(section, name, asked) for name in sorted(section.data))


def _business(section: Section, name: str, asked: Events) -> Business:
    named(section, name)
    if name in metrics.BY_NAME or name in [key.name for key in GATE]:
        raise section.wrong(name, "a name of its own: a gate knows this one as another thing")
    sums = [f"{turn}_{f.name}" for turn in TURNS for f in asked.fields if f.type in _NUMBERS]
    scope = Scope(dict.fromkeys((ROWS, *TURNS, *sums), Type.DOUBLE), what="a count or sum of outcomes")
    if name in scope.fields:
        raise section.wrong(name, "a name of its own: an expression knows this one as what it counts")
    spelt, tree = expression(section, name, scope, _NUMBERS)
    if not fields_used(tree):
        raise section.wrong(name, f"an expression over outcomes: {ROWS}, {', '.join(TURNS)}, fn_FIELD …")
    return Business(name, spelt, tree)


def gate(section: Section, answered: Labels, own: Sequence[Business], train: Train) -> Gate:
    """The `gate` section: rules of the target's kind and of the contract's `own` metrics."""
    ours, known = [m.name for m in own], {m.name: m for m in metrics.ruled(answered.kind)}
    for key in section.data:
        if key not in (*_settings(), *known, *ours):
            kind, names = answered.truth.type, [*known, *ours]
            what = f"a metric for a {kind} target: {', '.join(names)}"
            raise section.wrong(
                key, f"{what}, or {' or '.join(_settings())}{nearest(key, [*names, *_settings()])}"
            )
        if section.data[key] is None:
            raise section.wrong(key, "a rule" if key not in _settings() else "a number")
    has, usual = section.data.__contains__, Gate(())
    rules = tuple(_rule(section, name, known) for name in sorted({*known, *ours}) if has(name))
    if not rules:
        raise section.wrong("shadow" if has("shadow") else "confidence", "a rule beside it: a metric's")
    shadow = section.integer("shadow", 0, 10_000_000) if has("shadow") else usual.shadow
    if shadow > (most := round(train.max_rows * train.holdout)):
        raise section.wrong(
            "shadow", f"at most {most}, the holdout of train.max_rows: no run sees more outcomes"
        )
    return Gate(
        rules,
        shadow,
        section.within("confidence", CONFIDENCE) if has("confidence") else usual.confidence,
    )


def _settings() -> tuple[str, ...]:
    """Keys of a gate that are no metric's."""
    return tuple(key.name for key in GATE if key.name not in metrics.BY_NAME)


def _rule(section: Section, name: str, known: Mapping[str, metrics.Metric]) -> Rule:
    if name not in known:
        sign, bound = section.own_rule(name)
        return Rule(name, bound, sign)
    metric = known[name]
    return Rule(name, section.rule(name, metric.sign, metric.least, metric.most), metric.sign)


def scorecard(section: Section, answered: Labels) -> Scorecard:
    """The `scorecard` section: what may be asked depends on the target's kind."""
    section.only(SCORECARD)
    for key, kinds in _OF_KIND.items():
        if key in section.data and answered.kind not in kinds:
            raise section.wrong(key, f"no such key: it is for a target that is {' or '.join(kinds)}")
    has, usual = section.data.__contains__, Scorecard()
    listed = {key: section.ascending(key, span) if has(key) else () for key, span in _TOLERANCES.items()}
    return Scorecard(
        **listed,
        confidence=section.within("confidence", CONFIDENCE) if has("confidence") else usual.confidence,
        decide=_decide(section.section("decide"), listed) if has("decide") else None,
    )


def _decide(section: Section, listed: Mapping[str, Sequence[float]]) -> Decide:
    section.only(DECIDE)
    for key in section.data:
        if section.within(key, RATES) not in listed[key]:
            known = ", ".join(f"{rate:g}" for rate in listed[key]) or "it lists none"
            raise section.wrong(key, f"one of the rates that scorecard.{key} lists ({known})")
    return Decide(**{key: float(value) for key, value in section.data.items()})


def floor(section: Section, answered: Labels) -> Floor:
    """The `floor` section: one metric of the target's kind."""
    section.only(FLOOR)
    known = {m.name: m for m in metrics.of(answered.kind)}
    asked = [key for key in section.data if key in metrics.BY_NAME]
    for key in asked:
        if key not in known:
            raise section.wrong(key, f"a metric for a {answered.truth.type} target: {', '.join(known)}")
    if len(asked) != 1:
        where = asked[1] if asked else next(iter(known))
        raise section.wrong(where, f"one metric, out of {', '.join(known)}")
    metric = known[asked[0]]
    return Floor(
        metric=metric.name,
        bound=section.rule(metric.name, metric.sign, metric.least, metric.most),
        window=section.duration("window"),
        windows=section.integer("windows", 1, 100),
        labels=section.integer("labels", 2, 1_000_000),
    )
