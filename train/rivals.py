"""Whether another model can be held against a new one on the new one's holdout. Pure.

A rival brings its own contract: its features are made by that, of the same events and tiles, with its own
tables and levels. So it must answer the same question, and all that it reads must be there, meaning the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hotpath.contract.aggregates import Aggregate
from hotpath.contract.model import Contract
from hotpath.contract.used import fields_used


def apart(rival: Contract, today: Contract) -> str:
    """Why a model of the contract `rival` cannot be held against a window of `today`'s; "" where it can."""
    return next(_reasons(rival, today), "")


def _reasons(rival: Contract, today: Contract) -> Iterator[str]:
    theirs, ours = rival.labels, today.labels
    if (theirs.target, theirs.kind) != (ours.target, ours.kind):
        yield f"it answers {theirs.target} ({theirs.kind}), today's question is {ours.target} ({ours.kind})"
    if theirs.classes != ours.classes:
        yield f"its classes are {', '.join(theirs.classes)}, today's are {', '.join(ours.classes)}"
    fields = {f.name: f for f in today.events.fields}
    declared = {f.name: f for f in rival.events.fields}
    for name in sorted({name for feature in rival.features for name in fields_used(feature.tree)}):
        if name not in fields:
            yield f"its features need the field {name}, which today's events do not have"
        elif (declared[name].type, declared[name].unit) != (fields[name].type, fields[name].unit):
            yield f"its field {name} is of another type or unit than today's"
    aggregates = {a.name: a for a in today.aggregates}
    for theirs_read in rival.aggregates:
        if theirs_read.name not in aggregates:
            yield f"its features read the aggregate {theirs_read.name}, which today's contract does not have"
        elif _read(rival, theirs_read) != _read(today, aggregates[theirs_read.name]):
            yield f"its aggregate {theirs_read.name} is defined otherwise than today's"
    for reading in rival.readings:
        if reading not in today.readings:
            yield f"its features read {reading.name}, which today's do not"


def _read(contract: Contract, aggregate: Aggregate) -> tuple[Aggregate, str]:
    """What says which value a row reads: when tiles are published does not, nor what stands in for them."""
    return replace(aggregate, grace=0, default=()), contract.source(aggregate.over).topic
