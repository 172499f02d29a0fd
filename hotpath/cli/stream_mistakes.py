"""Mistakes that only a window can notice, put into a rehearsal's stream: they must cost no good row. Pure.

An id that comes again with the same body, one that comes with another, and an event that claims to be a day
later than it arrived (which shuffled times do to half of the rows).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import orjson

from hotpath.cli.rehearsal import Record
from hotpath.clock import DAY, SECOND, Micros
from hotpath.contract.model import Contract
from hotpath.contract.parts import Object, Part
from hotpath.contract.times import instant
from hotpath.contract.types import EPOCH
from hotpath.people.results import Kind, Result
from train.clocks import FUTURE
from train.window import CONTRADICTED, DUPLICATE

COUNT = 5
"""Of each."""
NAMES = {
    DUPLICATE: "an event that is sent twice",
    CONTRADICTED: "an id that comes with another body",
    FUTURE: "a time that has not come yet",
}


def made(contract: Contract, events: Sequence[Record]) -> list[Record]:
    """Records that no window may take, arriving after all good ones; none where records are no JSON."""
    if contract.events.decoder != "json":
        return []
    late = max(record.arrived_at for record in events) + SECOND
    first = events[:COUNT]
    return [
        *(Record(late, record.value) for record in first),
        *(Record(late, _moved(contract, record, -SECOND)) for record in first),
        *(Record(late, _moved(contract, record, late - record.arrived_at + DAY)) for record in first),
    ]


def noticed(left_out: Mapping[str, int], were_made: bool) -> Iterator[Result]:
    """Whether the window left them out and counted them."""
    for reason, name in NAMES.items() if were_made else ():
        found = left_out.get(reason, 0)
        says = f"the window left out {found}: {reason}" if found >= COUNT else f"{found} of {COUNT} noticed"
        yield Result(Kind.MISTAKE, name, found >= COUNT, says)


def _moved(contract: Contract, record: Record, by: Micros) -> bytes:
    """The record with its time `by` later."""
    body = orjson.loads(record.value)
    holder = body
    *around, last = _keys(contract.events.parts, contract.events.time)
    for key in around:
        holder = holder[key]
    told = instant(holder[last]) or 0
    holder[last] = (EPOCH + timedelta(microseconds=told + by)).isoformat().replace("+00:00", "Z")
    return orjson.dumps(body)


def _keys(parts: Sequence[Part], name: str) -> list[str]:
    """The record's keys that lead to a field."""
    for part in parts:
        if part.name == name:
            return [part.key]
        if isinstance(part, Object) and name.startswith(f"{part.name}."):
            return [part.key, *_keys(part.parts, name)]
    return []
