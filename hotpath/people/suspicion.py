"""What may be wrong with a contract that loads: one table of suspicions, each a look at the evidence. Pure.

To add one, add a function and an entry to SUSPICIONS: `hotpath check` says it, the tests walk the table. A
suspicion may be mistaken, so each finding says what to do in either case. Without a sample most see nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hotpath.contract import metrics
from hotpath.contract.durations import duration_text
from hotpath.contract.parts import Feature, Kind, Rule
from hotpath.contract.sections import rule_text
from hotpath.contract.tree import Call
from hotpath.contract.types import Type
from hotpath.people.evidence import NUMBERS, Evidence, number
from hotpath.people.spread import LEAST_ROWS, moved
from hotpath.people.strength import strength
from hotpath.promises import lower, upper

LEAKS: dict[Kind, float] = {"binary": 0.99, "classes": 0.98, "number": 0.99}
"""From which strength on a feature alone is too good to be true."""
ENOUGH = 50
"""Rows from which on "never" and "always" mean something."""
UNIQUE_SHARE = 0.95
BACKWARDS_SHARE = 0.3
"""Of neighbours in the sample; shuffled rows have a half, partitions read one after another next to none."""
NULLS = (0.02, 0.98)
"""Shares of nulls between which their pattern can tell something."""
AHEAD = ("minutes_between", "hours_until")


@dataclass(frozen=True)
class Finding:
    """What `suspicion` says of a field, a feature or a section's key, and what to do."""

    suspicion: str
    where: str
    says: str
    todo: str


Found = Iterator[tuple[str, str]]
"""Field, feature or a section's key, and what is said of it."""


@dataclass(frozen=True)
class Suspicion:
    """`looks_at` in words for the reference; `todo` for whoever reads a finding."""

    name: str
    looks_at: str
    look: Callable[[Evidence], Found]
    todo: str


def suspicious(found: Evidence) -> tuple[Finding, ...]:
    """Every finding, in the table's order."""
    return tuple(Finding(s.name, where, says, s.todo) for s in SUSPICIONS for where, says in s.look(found))


def _refused(found: Evidence) -> Found:
    for reason, count in found.refused.most_common():
        yield reason.partition(":")[0], f"{count} lines of the sample are refused: {reason}"


def _leak_by_name(found: Evidence) -> Found:
    target = found.contract.labels.target
    words = set(_words(target))
    for name in (*(f.name for f in found.contract.events.fields), *found.features):
        said = set(_words(name))
        if words <= said or said & {"label", "target", "outcome", "truth"}:
            yield name, f"its name speaks of the target {target}"


def _leak_by_strength(found: Evidence) -> Found:
    kind = found.contract.labels.kind
    for name, values in found.features.items():
        told = strength(values, found.truth, kind)
        if told is not None and told >= LEAKS[kind]:
            yield name, f"alone it tells the target almost perfectly ({told:.3f} of 1)"


def _leak_by_nulls(found: Evidence) -> Found:
    kind = found.contract.labels.kind
    for name, values in found.features.items():
        missing = [value is None for value in values]
        told = strength(missing, found.truth, kind) if NULLS[0] < _share(missing) < NULLS[1] else None
        if told is not None and told >= LEAKS[kind]:
            yield name, f"whether it is null tells the target almost perfectly ({told:.3f} of 1)"


def _constant(found: Evidence) -> Found:
    for name, values in found.features.items():
        if len(values) >= ENOUGH and None not in values and len(set(values)) == 1:
            yield name, f"it is {values[0]!r} in all {len(values)} rows"


def _null_everywhere(found: Evidence) -> Found:
    for name, values in found.features.items():
        if values and all(value is None for value in values):
            yield name, f"it is null in all {len(values)} rows"


def _identifier(found: Evidence) -> Found:
    for feature in found.judged:
        values = [v for v in found.features[feature.name] if v is not None]
        share = len(set(values)) / max(len(values), ENOUGH)
        if feature.type in (Type.CATEGORY, Type.LONG) and share >= UNIQUE_SHARE:
            yield feature.name, f"{share:.0%} of its values are unique: it may identify rows"


def _no_unit(found: Evidence) -> Found:
    for field in found.contract.events.fields:
        if field.type in NUMBERS and field.unit is None:
            yield field.name, f"a {field.type} without a unit"


def _levels(found: Evidence) -> Found:
    for field in found.contract.events.fields:
        if field.type == Type.CATEGORY and (count := len(set(found.column(field.name)))) > field.max_levels:
            yield field.name, f"{count} levels in the sample, max_levels is {field.max_levels}"


def _never_null(found: Evidence) -> Found:
    for field in found.contract.events.fields:
        if field.nullable and len(found.rows) >= ENOUGH and len(found.column(field.name)) == len(found.rows):
            yield field.name, f"nullable, but not null in any of {len(found.rows)} rows"


def _negative_time(found: Evidence) -> Found:
    for feature in found.judged:
        values = [number(v) for v in found.features[feature.name] if v is not None and _ahead(feature)]
        if below := sum(value < 0 for value in values):
            yield feature.name, f"a time to an event, negative in {below} of {len(values)} rows"


def _same_id(found: Evidence) -> Found:
    counts = Counter(row[found.contract.events.id] for row in found.rows)
    if again := sum(count - 1 for count in counts.values()):
        yield found.contract.events.id, f"{again} of {len(found.rows)} rows have the id of an earlier one"


def _shuffled(found: Evidence) -> Found:
    times = [number(row[found.contract.events.time]) for row in found.rows]
    back = [later < earlier for earlier, later in pairwise(times)]
    if len(times) >= ENOUGH and _share(back) > BACKWARDS_SHARE:
        yield found.contract.events.time, f"time goes back at {_share(back):.0%} of the rows"


def _unanswered(found: Evidence) -> Found:
    none = sum(value is None for value in found.truth)
    if found.answers and none > len(found.rows) / 2:
        yield found.contract.labels.entity, f"{none} of {len(found.rows)} rows have no label"


def _one_class(found: Evidence) -> Found:
    told = {value for value in found.truth if value is not None}
    if len(told) == 1:
        yield found.contract.labels.target, f"it is {told.pop()!r} in every row"


def _shifted(found: Evidence) -> Found:
    for name, values in found.numbers().items():
        old = found.spreads.get(name)
        if old and len(values) >= LEAST_ROWS and (says := moved(old, values)):
            yield name, f"its values moved against what was accepted: {says}"


def _gate_out_of_reach(found: Evidence) -> Found:
    for rule in found.contract.gate.rules:
        metric = metrics.BY_NAME.get(rule.metric)  # None: one of the contract's own, which has no best
        best = metric and (metric.most if metric.better == "higher" else metric.least)
        if rule.bound == best:
            yield f"gate.{rule.metric}", f"{_said(rule)} is the best that there is: no real model reaches it"


def _floor_above_gate(found: Evidence) -> Found:
    if (floor := found.contract.floor) is None:
        return
    for rule in found.contract.gate.rules:
        stricter = floor.bound > rule.bound if rule.sign == ">=" else floor.bound < rule.bound
        if rule.metric == floor.metric and stricter:
            asked = rule_text(rule.sign, floor.bound)
            yield f"floor.{floor.metric}", f"{asked} is stricter than the gate's {_said(rule)}"


def _tolerance_out_of_reach(found: Evidence) -> Found:
    card, train = found.contract.scorecard, found.contract.train
    most = int(train.max_rows * train.holdout)
    least, widest = upper(0, most, card.confidence), lower(most, most, card.confidence)
    said = f"the holdout of train.max_rows has {most} rows at the most; with not one error among them"
    for key in ("false_positive_rate", "false_negative_rate"):
        for rate in getattr(card, key):
            if rate < least:
                yield f"scorecard.{key}", f"{rate:g}: {said} the rate may still be {least:.3g}"
    for share in card.coverage:
        if share > widest:
            yield "scorecard.coverage", f"{share:g}: {said} the share may still be {widest:.9g}"


def _short_window(found: Evidence) -> Found:
    train, horizon = found.contract.train, found.contract.labels.horizon
    window = duration_text(train.window)
    if train.window < train.retrain_every:
        every = duration_text(train.retrain_every)
        yield "train.window", f"{window} is less than retrain_every, {every}: rows between runs teach nothing"
    if train.window < horizon:
        late = f"labels that come later than {window} teach nothing"
        yield "train.window", f"{window} is less than labels.horizon, {duration_text(horizon)}: {late}"


SUSPICIONS: tuple[Suspicion, ...] = (
    Suspicion("refused rows", "lines that the decoder refuses", _refused, "mend the sample or the field"),
    Suspicion("leak by name", "names that speak of the target", _leak_by_name,
              "leave it out, unless it is known when the question is asked"),
    Suspicion("leak by strength", "how well one feature alone tells the target", _leak_by_strength,
              "leave it out, unless it is known when the question is asked"),
    Suspicion("leak by nulls", "how well a feature's being null tells the target", _leak_by_nulls,
              "ask when it is filled in; leave it out if that is later than the question"),
    Suspicion("constant feature", "features of one value", _constant, "leave it out; it teaches nothing"),
    Suspicion("always null", "features without a value", _null_everywhere,
              "hotpath try NAME shows where nulls come from"),
    Suspicion("identifier", "categories and whole numbers that are nearly unique", _identifier,
              "use hash_bucket, bucket or nothing: a model learns single rows by heart"),
    Suspicion("no unit", "numbers without a unit", _no_unit,
              "state `unit`: a changed one is the commonest mistake"),
    Suspicion("too many levels", "levels in the sample against max_levels", _levels, "raise max_levels"),
    Suspicion("never null", "nullable fields without a null", _never_null,
              "leave `nullable` out, if it always comes"),
    Suspicion("time to event is past", "minutes_between and hours_until below zero", _negative_time,
              "swap the arguments, or clip it at 0 where the event may be over"),
    Suspicion("duplicated id", "ids that come twice", _same_id, "windows keep the first: mend the producer"),
    Suspicion("shuffled time", "whether time runs through the sample", _shuffled,
              "keep the order of arrival: windows and holdout are cut by it"),
    Suspicion("no label", "rows whose entity has no label", _unanswered, "look at the labels' entity"),
    Suspicion("one class", "truths in the sample", _one_class, "take a sample with other answers too"),
    Suspicion("changed unit", "numbers against the spread that was accepted", _shifted,
              "ask whether the unit changed; accept anew (hotpath test --accept) if the world did"),
    Suspicion("gate out of reach", "the gate's bounds against a metric's best", _gate_out_of_reach,
              "ask for less: no model would ever be promoted"),
    Suspicion("floor above gate", "the floor's bound against the gate's of one metric", _floor_above_gate,
              "lower the floor or raise the gate: a model may be promoted only to be rolled back"),
    Suspicion("tolerance out of reach", "tolerances against the rows that a holdout can have",
              _tolerance_out_of_reach,
              "raise train.max_rows or the holdout, or leave the tolerance out: it is never promised"),
    Suspicion("short window", "train.window against retrain_every and the labels' horizon", _short_window,
              "lengthen train.window, unless what comes later is to be forgotten"),
)  # fmt: skip


BY_NAME = {s.name: s for s in SUSPICIONS}


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", name.lower())


def _said(rule: Rule) -> str:
    return rule_text(rule.sign, rule.bound)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _ahead(feature: Feature) -> bool:
    return isinstance(feature.tree, Call) and feature.tree.function in AHEAD
