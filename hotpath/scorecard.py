"""A bundle's scorecard.json: what it promises, and the answer to any tolerance that is asked for later. Pure.

The trainer writes it (`train.measuring`), the scorer takes two thresholds from it, people ask it:

    asked(card, "false_positive_rate", 0.02)    the promise and what it costs, or why it cannot be made
    said(found, card=card)                      the same as a sentence

Of each class it keeps a thinned curve of errors by threshold, so no row is needed to answer; a threshold from
it is never more permissive than one from the rows would be. A promise is about entities, one question each;
what all rows together do not bear out is none (hotpath/promises.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hotpath.contract.parts import Decide, Scorecard
from hotpath.errors import BadArtifact, BadInput
from hotpath.promises import OTHER, Counts, Interval, On, Pair, Promise, covering, interval, pair, promise

YES = "1"
"""The class that a binary target's promises are on."""
COVERAGE = "coverage"
NO_CARD: Mapping[str, Any] = MappingProxyType({})
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


def intervals(errors: np.ndarray, asked: Scorecard, every: np.ndarray | None = None) -> list[Interval]:
    """One for each coverage that the contract lists; `every`: how far off the estimates of all rows were."""
    found = [interval(errors, share, asked.confidence) for share in asked.coverage]
    return found if every is None else [_borne_out(one, np.sort(every)) for one in found]


def curve(counts: Counts, kept: Sequence[Promise] = ()) -> dict[str, object]:
    """A class's entry of `curves`; the thresholds that were promised are in it. `every` is over all rows."""
    thin = counts.thinned([p.threshold for p in kept if p.threshold is not None])
    rows = zip(thin.threshold.tolist(), thin.fp.tolist(), thin.fn.tolist(), strict=True)
    told = {"negatives": counts.no, "positives": counts.yes, "points": [list(row) for row in rows]}
    if (every := thin.every) is None:
        return told
    points = [list(row) for row in zip(every.fp.tolist(), every.fn.tolist(), strict=True)]
    return {**told, "every": {"negatives": every.no, "positives": every.yes, "points": points}}


def ranks(errors: np.ndarray, every: np.ndarray | None = None) -> dict[str, object]:
    """`errors` of a number's scorecard: how far off estimates were, by rank from 1; thinned alike. `every`
    of all rows: how many of them are within each of the same.
    """
    ascending, rows = np.sort(errors), len(errors)
    even = np.linspace(1, max(rows, 1), _POINTS // 2)
    last = rows + 1 - np.geomspace(1, max(rows, 1), _POINTS // 2)
    chosen = sorted({int(r) for r in (*even, *last) if 1 <= int(r) <= rows})
    points = [[rank, float(ascending[rank - 1])] for rank in chosen]
    told: dict[str, object] = {"rows": rows, "points": points}
    if every is None:
        return told
    within = np.searchsorted(np.sort(every), [error for _, error in points], side="right").tolist()
    return {**told, "every": {"rows": len(every), "within": within}}


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
    if not 0 < tolerance < 1:
        raise BadInput(on, tolerance, "a share between 0 and 1")
    if not 0.5 <= sure < 1:  # below that an upper bound may lie under what was measured
        raise BadInput("confidence", sure, "a share from 0.5 to below 1")
    if on == COVERAGE:
        return _covering(card, tolerance, sure)
    for known in OTHER:
        if on == known:
            return promise(_counts(card, name), known, tolerance, sure)
    raise BadInput("a promise", on, f"one of {', '.join((*OTHER, COVERAGE))}")


def said(found: Promise | Interval, name: str = YES, card: Mapping[str, Any] = NO_CARD) -> str:
    """A promise as a sentence; `name` is the class that it is on, `card` says of which entities and unit."""
    of = str(card.get("entity") or "entities")
    if isinstance(found, Interval):
        return _interval_said(found, of, card.get("unit"))
    return _promise_said(found, name, of)


def sentences(card: Mapping[str, Any]) -> list[str]:
    """Everything that a scorecard promises by itself, in its order; first, whether decisions follow none."""
    rates = [(_read(found), str(found["class"])) for found in card.get("promises", [])]
    return [
        *_apart(card),
        *(said(found, name, card) for found, name in rates),
        *(said(Interval(**found), card=card) for found in card.get("intervals", [])),
    ]


def _apart(card: Mapping[str, Any]) -> list[str]:
    """What to know of a model whose threshold was chosen by another measure than these promises."""
    used, listed = card.get("threshold"), card.get("promises", [])
    kept = [found.get("threshold") for found in listed]
    kept += [found[name] for found in card.get("pairs", []) for name in ("decline_at", "accept_below")]
    if used is None or not listed or used in kept:
        return []
    return [
        f"Decisions are made at a score of {used:.4g}, which keeps none of the promises below: the contract's"
        " `scorecard.decide` chooses among them."
    ]


def share(value: float) -> str:
    """A share as people say it: 5 %, 0.5 %, 12.3 %; never all where it is less.

    >>> share(0.05), share(0.005), share(0.12345), share(0.9999)
    ('5 %', '0.5 %', '12.3 %', '99.99 %')
    """
    said = f"{100 * value:.3g}"
    return f"{100 * value:.6g} %" if said == "100" and value < 1 else f"{said} %"


def _promise_said(found: Promise, name: str, of: str) -> str:
    wrong = found.on == "false_positive_rate"
    (who, are), does = _WORDS[name == YES][wrong]
    whom, how = who.format(name), are.format(name)
    promised = f"at most {share(found.tolerance)} of all {of} that turn out {whom} (one question each) {how}"
    sure = f"with {share(found.confidence)} confidence"
    if found.threshold is None:
        return f"It cannot be promised {sure} that {promised}: {found.why}."
    held = f"measured {share(found.rate or 0.0)} of {found.rows:,}, at the most {share(found.bound or 0.0)}"
    told = f"{promised[0].upper()}{promised[1:]}, {sure}: {does.format(name)} {found.threshold:.4g} ({held})"
    return f"{told}. {_cost(found, name)}That settles {share(found.covered)} of all {of}."


def _cost(found: Promise, name: str) -> str:
    if found.other is None:
        return ""
    wrong = found.on == "false_positive_rate"
    other, low, high = (share(v or 0.0) for v in (found.other, found.low, found.high))
    who, passes = _PRICE[name == YES][wrong]
    return f"The price: {other} ({low} to {high}) of those that turn out {who.format(name)} {passes}. "


_WORDS = {
    True: {
        True: (("no", "are declined"), "decline from score"),
        False: (("yes", "are accepted"), "accept below score"),
    },
    False: {
        True: (("something other than {0}", "are called {0}"), "call it {0} from a probability of"),
        False: (("{0}", "are ruled out to be"), "rule {0} out below a probability of"),
    },
}
"""By whether the target is a yes or no, and whether false positives are promised: who is wronged and how, and
what is done."""
_PRICE = {
    True: {True: ("yes", "are not declined"), False: ("no", "are not accepted")},
    False: {True: ("{0}", "are not"), False: ("something else", "are not ruled out")},
}


def _interval_said(found: Interval, of: str, unit: str | None) -> str:
    whom = f"for at least {share(found.coverage)} of all {of} (one question each)"
    promised = f"{whom}, with {share(found.confidence)} confidence"
    if found.within is None:
        return f"How far off an estimate is {promised}, cannot be promised: {found.why}."
    within = f"{found.within:.4g} {unit}" if unit else f"{found.within:.4g}"
    return f"An estimate is off by at most {within} {promised} ({found.rows:,} independent rows)."


def _counts(card: Mapping[str, Any], name: str) -> Counts:
    curves = card.get("curves")
    if card.get("errors"):
        raise BadInput("a rate", "a number's model", "coverage: its estimates are within intervals")
    if not curves:
        raise BadArtifact("a scorecard", "no curves", "the curve of each class", "train a model anew")
    if name not in curves:
        raise BadInput("class", name, f"one of {', '.join(sorted(curves))}")
    found = curves[name]
    columns = np.array(found["points"], np.float64).reshape(-1, 3).T
    counts = (columns[1].astype(np.int64), columns[2].astype(np.int64))
    whole = Counts(columns[0], *counts, int(found["negatives"]), int(found["positives"]))
    if (every := found.get("every")) is None:
        return whole
    fp, fn = np.array(every["points"], np.int64).reshape(-1, 2).T
    return replace(whole, every=Counts(columns[0], fp, fn, int(every["negatives"]), int(every["positives"])))


def _covering(card: Mapping[str, Any], coverage: float, confidence: float) -> Interval:
    """The next kept rank from the one that is needed on: never a closer one."""
    kept = card.get("errors")
    if not kept:
        raise BadInput("coverage", coverage, "a rate: only a number's estimates are within an interval")
    rows = int(kept["rows"])
    whole = np.full(rows, np.inf)
    for rank, error in reversed(kept["points"]):
        whole[:rank] = error
    found = interval(whole, coverage, confidence)
    if found.within is None or (every := kept.get("every")) is None:
        return found
    place = [error for _, error in kept["points"]].index(found.within)
    return covering(found, every["within"][place] / every["rows"], every["rows"])


def _borne_out(found: Interval, every: np.ndarray) -> Interval:
    """`every`: how far off estimates of all rows were, ascending."""
    if found.within is None:
        return found
    return covering(found, int(np.searchsorted(every, found.within, side="right")) / len(every), len(every))
