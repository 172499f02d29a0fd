"""A model measured on the holdout, beside the champion and what needs no model; a waiting one's outcomes.

Pure.

    found = measure(contract, holdout, {"challenger": p1, "champion": theirs}, account)
    card = scorecard(contract, holdout, {"challenger": p1}, found, account)

All are measured on the same rows. Promises are made from one row an entity (`row.alone`): rows of one entity
are alike, and the bounds are of independent ones; where the rate over all rows does not bear one out, it is
none. Everything else is measured on every row, with bounds by groups of entities (`row.group`, see
hotpath/jackknife.py).

A row of a class that no training row had stays in: a model's chance of that class is 0, and it counts as the
wrong answer that it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hotpath import jackknife
from hotpath.clock import Micros
from hotpath.contract import metrics
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.promises import Counts
from hotpath.quality import METRICS, best_threshold
from hotpath.scorecard import YES, Decided, as_json, curve, decided, intervals, pairs, promises, ranks
from train.account import Account
from train.consequences import Consequences
from train.holdout import Given, Rows, sound
from train.measured import (
    CHALLENGER,
    CHAMPION,
    CONSTANT,
    FALLBACK,
    WAITING,
    Estimate,
    Measured,
    Rival,
    Shadow,
)

_ABOVE_ALL, _ABOVE_NONE = 2.0, float(np.nextafter(0.0, 1.0))
"""Thresholds: every probability is below the first, and of them 0 alone below the second."""
NOT_KNOWN = float(np.finfo(np.float64).max)
"""A bound of which nothing is known: as far as a double goes, for JSON has no infinity."""


def measure(
    contract: Contract,
    holdout: pa.Table,
    predictions: Mapping[str, Given],
    account: Account | None = None,
    confidence: float | None = None,
) -> Measured:
    """The challenger of `predictions`, with bounds at `confidence` (None: the gate's).

    `account` tells how answers were spread over the training rows. A champion whose answers are not finite,
    or not one a row, is told in `unsound`. Raises BadArtifact where the challenger's are not.
    """
    rows = Rows.of(contract, holdout)
    given = _checked(predictions[CHALLENGER], rows)
    sure = contract.gate.confidence if confidence is None else confidence
    by = _decided(rows, given)
    ours = _told(rows, given, by)
    rival = _Against(rows, ours, sure)
    champion = predictions.get(CHAMPION)
    asked = champion is not None and sound(champion, rows)
    return Measured(
        kind=contract.labels.kind,
        metrics=_known(ours.whole),
        bounds=_bounds(ours, sure),
        threshold=by.threshold,
        accept_below=by.accept_below,
        baselines=_baselines(rows, rival, account),
        champion=rival.of(champion) if champion is not None and asked else None,
        promised=by.promised,
        unsound=() if champion is None or asked else (CHAMPION,),
    )


def shadow(
    contract: Contract,
    holdout: pa.Table,
    predictions: Mapping[str, Given],
    since: Micros,
    confidence: float | None = None,
) -> Shadow:
    """What the waiting challenger's answers are worth beside the champion's, to rows after `since`, where its
    own window ended.
    """
    newer = holdout["row.arrived_at"].to_numpy() > since
    rows = Rows.of(contract, holdout.filter(newer))
    found = [predictions[name][newer] for name in (WAITING, CHAMPION) if name in predictions]
    if not len(rows.truth) or len(found) < 2 or not all(sound(one, rows) for one in found):
        return Shadow(len(rows.truth))
    headline = metrics.of(contract.labels.kind)[0].name
    both = [jackknife.told(rows.sample(one), rows.group, [headline]) for one in found]
    sure = contract.gate.confidence if confidence is None else confidence
    return Shadow(len(rows.truth), _ahead(rows, both[0], both[1], sure))


def scorecard(
    contract: Contract,
    holdout: pa.Table,
    predictions: Mapping[str, Given],
    found: Measured,
    account: Account,
) -> dict[str, Any]:
    """The content of scorecard.json, plain and finite: what was measured, and what may be promised."""
    rows, given = Rows.of(contract, holdout), predictions[CHALLENGER]
    plain = asdict(found)
    told = {name: plain[name] for name in ("kind", "metrics", "bounds", "baselines", "champion")}
    thresholds = {"threshold": found.threshold, "accept_below": found.accept_below}
    return {
        **told,
        **thresholds,
        "promised": found.promised,
        "confidence": contract.scorecard.confidence,
        "entity": contract.events.entity,
        "rows": {**account.rows, "independent": int(rows.alone.sum()), **_unmet(account)},
        "decisions": _decisions(rows, given, Decided(found.threshold, found.accept_below)),
        "classes": {side: dict(counts) for side, counts in account.classes.items()},
        **_PROMISED[contract.labels.kind](rows, given),
    }


def _unmet(account: Account) -> dict[str, int]:
    """Said where there are any: no model of this window can answer such rows."""
    rows = sum(account.unmet.values())
    return {"of a class without a training row": rows} if rows else {}


def _counts(rows: Rows, given: Given, place: int | None = None) -> Counts:
    """Errors by threshold over the independent rows, beside those over all; of one class of many."""
    truth, score = (rows.truth == 1, given) if place is None else (rows.truth == place, given[:, place])
    return rows.counts(given, place).beside(Counts.of(truth, score))


def _binary_promised(rows: Rows, given: Given) -> dict[str, Any]:
    listed, counts = rows.contract.scorecard, _counts(rows, given)
    kept = promises(counts, listed)
    both = [
        {"false_positive_rate": above, "false_negative_rate": below, **asdict(found)}
        for above, below, found in pairs(counts, listed)
    ]
    return {
        "promises": [as_json(found, YES) for found in kept],
        "pairs": both,
        "curves": {YES: curve(counts, kept)},
    }


def _classes_promised(rows: Rows, given: Given) -> dict[str, Any]:
    said, curves = list[dict[str, object]](), dict[str, object]()
    for place, name in enumerate(rows.contract.labels.classes):
        counts = _counts(rows, given, place)
        kept = promises(counts, rows.contract.scorecard)
        said += [as_json(found, name) for found in kept]
        curves[name] = curve(counts, kept)
    return {"promises": said, "curves": curves}


def _number_promised(rows: Rows, given: Given) -> dict[str, Any]:
    every = np.abs(given - rows.truth)
    errors = every[rows.alone]
    return {
        "unit": rows.contract.labels.truth.unit,
        "intervals": [asdict(found) for found in intervals(errors, rows.contract.scorecard, every)],
        "errors": ranks(errors, every),
    }


def _decisions(rows: Rows, given: Given, by: Decided) -> dict[str, int]:
    """How many rows of the holdout are decided how, and how many of them turned out yes."""
    if rows.contract.labels.kind != "binary":
        return {}
    yes, declined, accepted = rows.truth == 1, _declined(given, by), _accepted(given, by)
    sides = {"all": np.ones(len(yes), bool), "declined": declined, "accepted": accepted}
    return {
        name: int(np.count_nonzero(one))
        for side, of in sides.items()
        for name, one in ((side, of), (f"{side}_yes", of & yes))
    }


_PROMISED = {"binary": _binary_promised, "classes": _classes_promised, "number": _number_promised}


@dataclass(frozen=True)
class _Against:
    """Others beside the challenger, whose figures `ours` are."""

    rows: Rows
    ours: jackknife.Told
    confidence: float

    def of(self, given: Given, by: Decided | None = None) -> Rival:
        """One that answers so, and decides by thresholds of its own (or by those that it is given)."""
        kind = self.rows.contract.labels.kind
        said = _declined(given, by) if by is not None and kind == "binary" else None
        used = _decided(self.rows, given) if by is None else by
        theirs = _told(self.rows, given, used, [metrics.of(kind)[0].name], said)
        return Rival(_known(theirs.whole), _ahead(self.rows, self.ours, theirs, self.confidence))


def _baselines(rows: Rows, rival: _Against, account: Account | None) -> dict[str, Rival]:
    """What needs no model: the same answer to every row, and the contract's own rule."""
    constant = _constant(rows, account)
    always = np.repeat(constant[None], len(rows.truth), axis=0)
    # Of a yes or no it declines all or none, whichever is right more often.
    declines = rows.contract.labels.kind == "binary" and float(constant) > 0.5
    found = {CONSTANT: rival.of(always, Decided(0.0, 0.0) if declines else Decided(None, _ABOVE_ALL))}
    if rows.fallback is not None:
        filled = np.where(np.isnan(rows.fallback), always, rows.fallback)
        found[FALLBACK] = rival.of(filled, Decided(1.0, _ABOVE_NONE))
    return found


def _constant(rows: Rows, account: Account | None) -> NDArray[np.float64]:
    """The best answer without a feature that is known before the holdout is: the training rows' share of yes,
    of each class, or their mean.
    """
    labels = rows.contract.labels
    if labels.kind == "number":
        return np.asarray(account.spread["train"][1] if account else rows.truth.mean())
    places = dict(enumerate(labels.classes))
    told = account.classes.get("train", {}) if account else {}
    counts = {
        n: told.get(name, 0) if told else np.count_nonzero(rows.truth == n) for n, name in places.items()
    }
    shares = np.array([counts[n] for n in places], np.float64) / max(sum(counts.values()), 1)
    return np.asarray(shares[1]) if labels.kind == "binary" else shares


def _decided(rows: Rows, given: Given) -> Decided:
    """The thresholds of a binary model: those that keep the contract's tolerances, or of its largest F1."""
    if rows.contract.labels.kind != "binary":
        return Decided(None, None)
    listed = rows.contract.scorecard
    if listed.decide is not None:
        return decided(_counts(rows, given), listed.decide, listed.confidence)
    best = best_threshold(rows.sample(given))
    return Decided(best, best)


def _declined(given: Given, by: Decided) -> NDArray[np.bool_]:
    return np.zeros(len(given), bool) if by.threshold is None else given >= by.threshold


def _accepted(given: Given, by: Decided) -> NDArray[np.bool_]:
    return np.zeros(len(given), bool) if by.accept_below is None else given < by.accept_below


def _told(
    rows: Rows,
    given: Given,
    by: Decided,
    names: Sequence[str] = (),
    said: NDArray[np.bool_] | None = None,
) -> jackknife.Told:
    """The metrics of a model and the contract's own, also without each group of entities."""
    found = jackknife.told(rows.sample(given, said), rows.group, names)
    if not rows.contract.metrics:
        return found
    turned = rows.truth == 1, _declined(given, by), _accepted(given, by)
    own = Consequences.of(rows.contract.metrics, *turned, rows.group, rows.amounts)
    groups = zip(found.without, own.without(), strict=False)
    return jackknife.Told(
        {**found.whole, **own.whole()}, [{**one, **more} for one, more in groups], found.shares
    )


def _ahead(rows: Rows, ours: jackknife.Told, theirs: jackknife.Told, confidence: float) -> Estimate:
    headline = metrics.of(rows.contract.labels.kind)[0]
    sign = 1.0 if headline.better == "higher" else -1.0
    found = jackknife.ahead(ours, theirs, headline.name, confidence, sign)
    if found is not None:
        return Estimate(*found)
    one, other = ours.whole.get(headline.name), theirs.whole.get(headline.name)
    value = 0.0 if one is None or other is None else sign * (one - other)
    return Estimate(value if isfinite(value) else 0.0, -NOT_KNOWN, NOT_KNOWN)


def _known(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None and isfinite(value)}


def _bounds(told: jackknife.Told, confidence: float) -> dict[str, tuple[float, float]]:
    found = {name: jackknife.interval(told, name, confidence) for name in _known(told.whole)}
    return {name: _clipped(name, *bounds) for name, bounds in found.items() if bounds is not None}


def _clipped(name: str, low: float, high: float) -> tuple[float, float]:
    """A bound beyond what the metric can be says no more than that."""
    kinds = [metrics_of[name] for metrics_of in METRICS.values() if name in metrics_of]
    return (max(low, kinds[0].least), min(high, kinds[0].most)) if kinds else (low, high)


def _checked(given: Given, rows: Rows) -> Given:
    if not sound(given, rows):
        raise BadArtifact("the model's answers to the holdout", given.shape, f"{len(rows.truth)} finite ones")
    return given
