"""Rules of a contract back as plain data: what its canonical JSON holds of training, gate and serving. Pure.

What has its default is left out, so that a contract which never said it keeps the fingerprint that it had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from dataclasses import fields as parts
from typing import Any

from hotpath.contract import fields, metrics
from hotpath.contract.durations import duration_text
from hotpath.contract.outputs import outputs
from hotpath.contract.parts import Decide, Floor, Gate, Labels, Scorecard, Search, Serve, Train
from hotpath.contract.sections import rule_text


def train(train: Train) -> dict[str, Any]:
    """The `train` section."""
    said = {
        **vars(train),
        "timestamp_quality": f"{train.timestamp_quality:.0%}",
        "search": train.search and _search(train.search),
    }
    return {
        "window": duration_text(train.window),
        "holdout": f"{train.holdout:.0%}",
        "retrain_every": duration_text(train.retrain_every),
        **_other(train, said),
    }


def _search(search: Search) -> dict[str, Any]:
    spans = {"every": duration_text(search.every), "budget": duration_text(search.budget)}
    return {**spans, "algorithms": list(search.algorithms)}


def gate(gate: Gate) -> dict[str, Any]:
    """The `gate` section."""
    return {**{r.metric: rule_text(r.sign, r.bound) for r in gate.rules}, **_other(gate, vars(gate))}


def scorecard(card: Scorecard) -> dict[str, Any]:
    """The `scorecard` section."""
    said = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(card).items()}
    return _other(card, {**said, "decide": card.decide and _decide(card.decide)})


def _decide(decide: Decide) -> dict[str, float]:
    return {key: rate for key, rate in vars(decide).items() if rate is not None}


def serve(serve: Serve, labels: Labels) -> dict[str, Any]:
    """The `serve` section."""
    ages = {"fresh": duration_text(serve.fresh), "expired": duration_text(serve.expired)}
    said = {
        "parameters": fields.plain(serve.parameters),
        "response": {} if serve.response == outputs(labels) else fields.plain(serve.response),
        "unknown": "" if serve.unknown == "refuse" else serve.unknown,
        "fallback": serve.fallback.expression if serve.fallback else "",
    }
    return {**ages, **{key: value for key, value in said.items() if value}}


def floor(floor: Floor) -> dict[str, Any]:
    """The `floor` section."""
    return {
        floor.metric: rule_text(metrics.BY_NAME[floor.metric].sign, floor.bound),
        "window": duration_text(floor.window),
        "windows": floor.windows,
        "labels": floor.labels,
    }


def _other(of: Train | Gate | Scorecard, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is `said` of the parts that may be left out and are not what they are then."""
    values = vars(of)
    return {p.name: said[p.name] for p in parts(of) if _says(p.default, values[p.name])}


def _says(default: object, value: object) -> bool:
    return default is not MISSING and value != default
