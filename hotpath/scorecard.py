"""A bundle's scorecard.json: what it promises, and the answer to any tolerance that is asked for later. Pure.

The trainer writes it (`train.measuring`), the scorer takes two thresholds from it, people ask it:

    asked(card, "false_positive_rate", 0.02)    the promise and what it costs, or why it cannot be made
    said(found)                                 the same as a sentence

Of each class it keeps a thinned curve of errors by threshold, so no row is needed to answer; an answer from
it is never more permissive than one from the rows would be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hotpath.contract.parts import Decide, Scorecard
from hotpath.errors import BadArtifact, BadInput
from hotpath.promises import OTHER, Counts, Interval, On, Pair, Promise, interval, pair, promise

YES = "1"
"""The class that a binary target's promises are on."""
COVERAGE = "coverage"
_POINTS = 400


@dataclass(frozen=True)
class Decided:
    """The thresholds that decisions are made by, None: never; `promised`: whether the contract's tolerances
    can be kept.
    """

    threshold: float | None
    accept_below: float | None
    promised: bool = True


def promises(counts: Counts, asked: Scorecard) -> list[Promise]:
    """One for each tolerance that the contract lists."""
    listed: dict[On, Sequence[float]] = {
        "false_positive_rate": asked.false_positive_rate,
        "false_negative_rate": asked.false_negative_rate,
    }
    return [promise(counts, on, rate, asked.confidence) for on, rates in listed.items() for rate in rates]


def pairs(counts: Counts, asked: Scorecard) -> list[tuple[float, float, Pair]]:
    """Each two tolerances, of false positives and of false negatives, and what both together come to."""
    rates = asked.false_positive_rate, asked.false_negative_rate
    above, below = (
        {rate: promise(counts, on, rate, asked.confidence).threshold for rate in listed}
        for on, listed in zip(OTHER, rates, strict=True)
    )
    return [(a, b, pair(counts, above[a], below[b])) for a in rates[0] for b in rates[1]]


def decided(counts: Counts, decide: Decide, confidence: float) -> Decided:
    """The thresholds that keep the contract's tolerances; of one tolerance both are the same."""
    rates = decide.false_positive_rate, decide.false_negative_rate
    found = [
        promise(counts, on, rate, confidence).threshold
        for on, rate in zip(OTHER, rates, strict=True)
        if rate is not None
    ]
    together = pair(counts, found[0], found[-1])
    return Decided(together.decline_at, together.accept_below, promised=None not in found)


def intervals(errors: np.ndarray, asked: Scorecard) -> list[Interval]:
    """One for each coverage that the contract lists."""
    return [interval(errors, share, asked.confidence) for share in asked.coverage]


def curve(counts: Counts, kept: Sequence[Promise] = ()) -> dict[str, object]:
    """A class's entry of `curves`; the thresholds that were promised are in it."""
    thin = counts.thinned([p.threshold for p in kept if p.threshold is not None])
    rows = zip(thin.threshold.tolist(), thin.fp.tolist(), thin.fn.tolist(), strict=True)
    return {"negatives": counts.no, "positives": counts.yes, "points": [list(row) for row in rows]}


def ranks(errors: np.ndarray) -> dict[str, object]:
    """`errors` of a number's scorecard: how far off estimates were, by rank from 1; thinned alike."""
    ascending, rows = np.sort(errors), len(errors)
    even = np.linspace(1, max(rows, 1), _POINTS // 2)
    last = rows + 1 - np.geomspace(1, max(rows, 1), _POINTS // 2)
    chosen = sorted({int(r) for r in (*even, *last) if 1 <= int(r) <= rows})
    return {"rows": rows, "points": [[rank, float(ascending[rank - 1])] for rank in chosen]}


def _read(raw: Mapping[str, Any]) -> Promise:
    other = raw["other"]
    names = ("on", "tolerance", "confidence", "rows", "threshold", "rate", "bound", "covered", "why")
    plain = {name: raw[name] for name in names}
    return Promise(**plain, other=other["rate"], low=other["low"], high=other["high"])


def as_json(found: Promise, name: str) -> dict[str, object]:
    """An entry of `promises`; `name` is the class that it is on."""
    other = {"on": OTHER[found.on], "rate": found.other, "low": found.low, "high": found.high}
    plain = {"tolerance": found.tolerance, "confidence": found.confidence, "rows": found.rows}
    told = {"threshold": found.threshold, "rate": found.rate, "bound": found.bound, "other": other}
    return {"on": found.on, "class": name, **plain, **told, "covered": found.covered, "why": found.why}


def asked(
    card: Mapping[str, Any], on: str, tolerance: float, confidence: float | None = None, name: str = YES
) -> Promise | Interval:
    """What a scorecard promises for any tolerance on a rate of the class `name`, or any coverage of a number.

    `confidence` None: the scorecard's own. Raises BadInput where the question is none, BadArtifact where the
    scorecard is of before such questions.
    """
    sure = float(card.get("confidence", 0.95)) if confidence is None else confidence
    for thing, value in ((on, tolerance), ("confidence", sure)):
        if not 0 < value < 1:
            raise BadInput(thing, value, "a share between 0 and 1")
    if on == COVERAGE:
        return _covering(card, tolerance, sure)
    for known in OTHER:
        if on == known:
            return promise(_counts(card, name), known, tolerance, sure)
    raise BadInput("a promise", on, f"one of {', '.join((*OTHER, COVERAGE))}")


def said(found: Promise | Interval, name: str = YES, unit: str | None = None) -> str:
    """A promise as a sentence; `name` is the class that it is on, `unit` a number's."""
    return _interval_said(found, unit) if isinstance(found, Interval) else _promise_said(found, name)


def sentences(card: Mapping[str, Any]) -> list[str]:
    """Everything that a scorecard promises by itself, in its order."""
    rates = [(_read(found), str(found["class"])) for found in card.get("promises", [])]
    return [said(found, name) for found, name in rates] + [
        said(Interval(**found), unit=card.get("unit")) for found in card.get("intervals", [])
    ]


def share(value: float) -> str:
    """A share as people say it: 5 %, 0.5 %, 12.3 %.

    >>> share(0.05), share(0.005), share(0.12345)
    ('5 %', '0.5 %', '12.3 %')
    """
    return f"{100 * value:.3g} %"


def _promise_said(found: Promise, name: str) -> str:
    wrong = found.on == "false_positive_rate"
    who, does = _WORDS[name == YES][wrong]
    promised = f"at most {share(found.tolerance)} of all that turn out {who.format(name)}"
    sure = f"with {share(found.confidence)} confidence"
    if found.threshold is None:
        return f"It cannot be promised {sure} that {promised}: {found.why}."
    held = f"measured {share(found.rate or 0.0)} of {found.rows:,}, at the most {share(found.bound or 0.0)}"
    told = f"{promised[0].upper()}{promised[1:]}, {sure}: {does.format(name)} {found.threshold:.4g} ({held})"
    return f"{told}. {_cost(found, name)}That settles {share(found.covered)} of all decisions."


def _cost(found: Promise, name: str) -> str:
    if found.other is None:
        return ""
    wrong = found.on == "false_positive_rate"
    other, low, high = (share(v or 0.0) for v in (found.other, found.low, found.high))
    who, passes = _PRICE[name == YES][wrong]
    return f"The price: {other} ({low} to {high}) of those that turn out {who.format(name)} {passes}. "


_WORDS = {
    True: {
        True: ("no are declined", "decline from score"),
        False: ("yes are accepted", "accept below score"),
    },
    False: {
        True: ("something other than {0} are called {0}", "call it {0} from a probability of"),
        False: ("{0} are ruled out to be", "rule {0} out below a probability of"),
    },
}
"""By whether the target is a yes or no, and whether false positives are promised: who, and what is done."""
_PRICE = {
    True: {True: ("yes", "are not declined"), False: ("no", "are not accepted")},
    False: {True: ("{0}", "are not"), False: ("something else", "are not ruled out")},
}


def _interval_said(found: Interval, unit: str | None) -> str:
    promised = f"in at least {share(found.coverage)} of all cases, with {share(found.confidence)} confidence"
    if found.within is None:
        return f"How far off an estimate is {promised}, cannot be promised: {found.why}."
    within = f"{found.within:.4g} {unit}" if unit else f"{found.within:.4g}"
    return f"An estimate is off by at most {within} {promised} ({found.rows:,} independent rows)."


def _counts(card: Mapping[str, Any], name: str) -> Counts:
    curves = card.get("curves")
    if not curves:
        raise BadArtifact(
            "a scorecard", "no curves", "the curve of each class", "train a model anew, or ask for coverage"
        )
    if name not in curves:
        raise BadInput("class", name, f"one of {', '.join(sorted(curves))}")
    found = curves[name]
    columns = np.array(found["points"], np.float64).reshape(-1, 3).T
    counts = (columns[1].astype(np.int64), columns[2].astype(np.int64))
    return Counts(columns[0], *counts, int(found["negatives"]), int(found["positives"]))


def _covering(card: Mapping[str, Any], coverage: float, confidence: float) -> Interval:
    """The next kept rank from the one that is needed on: never a closer one."""
    kept = card.get("errors")
    if not kept:
        raise BadInput("coverage", coverage, "a rate: only a number's estimates are within an interval")
    rows = int(kept["rows"])
    whole = np.full(rows, np.inf)
    for rank, error in reversed(kept["points"]):
        whole[:rank] = error
    return interval(whole, coverage, confidence)
