"""Golden rows: which rows of a window prove a bundle, and rows made where it has none that would. Pure.

A scorer must give the cluster's answers on all that may be asked, not on what is ordinary. So beside a sample
there are rows that hold each feature's least, greatest and null value, a level that the training rows lack,
every class; and made rows: real events of which one field is null, at its declared bound, or a level that
nobody can have met. Readings travel with their row. The same window gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import ITEMS, Type
from hotpath.contract.used import fields_used

ROWS = 1_000
"""Golden rows that a bundle has at the least."""
MOST_REAL = 5_000
"""Rows that tell something at the most: features by the thousand have as many extremes."""
MOST_MADE = 2_000
"""Made rows at the most: of a contract with hundreds of fields not every variant of every base."""
BASES = 4
"""Real rows that each variant is made of."""
OF_A_CLASS = 5
MOST_LEVELS = 8
"""Declared levels of a field that are tried one by one."""
Event = Mapping[str, Any]
Asked = tuple[Event, Event]
"""An event's fields and its readings, by name."""


def reaching(column: pa.ChunkedArray, known: pa.Array | None = None) -> list[int]:
    """The first rows that hold a feature's null, its least and its greatest value, or a level not `known`."""
    found = [pc.index(pc.is_null(column), True).as_py()]
    if known is not None:
        met = pc.is_in(column, known)
        found.append(pc.index(pc.and_(pc.invert(met), pc.is_valid(column)), True).as_py())
    elif column.null_count < len(column):
        ends = pc.min_max(column)
        found += [pc.index(column, ends[end]).as_py() for end in ("min", "max")]
    return [place for place in found if place >= 0]


def chosen(
    reached: Sequence[int],
    stratum: NDArray[np.int64],
    partition: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> tuple[list[int], list[int]]:
    """Of a side's rows those that tell something, and a sample: `reached` and some of each class; the rest by
    a hash of their places, so that a rebuilt window gives the same.
    """
    order = _hashed(partition, offset)
    ordered = stratum[order]
    of_classes = [order[np.flatnonzero(ordered == code)[:OF_A_CLASS]] for code in np.unique(stratum)]
    return [*reached, *(int(n) for found in of_classes for n in found)], order[:ROWS].tolist()


def together(telling: Sequence[int], sample: Sequence[int]) -> list[int]:
    """Both, each row once, some ordinary ones first: what is made is made of those."""
    first = list(dict.fromkeys([*sample[:BASES], *telling]))[:MOST_REAL]
    return list(dict.fromkeys([*first, *sample]))[: max(ROWS, len(first))]


def _hashed(partition: NDArray[np.int64], offset: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows in the order of splitmix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number
    generators, 2014).
    """
    mixed = partition.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + offset.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")


def made(rows: Sequence[Asked], contract: Contract, met: Mapping[str, frozenset[str]]) -> list[Asked]:
    """Variants of the first of `rows`; and rows put together of all of them where they are fewer than ROWS.

    `met`: by category field the levels that the training rows have.
    """
    fields = _used(contract)
    changes = [{f.name: value} for f in fields for value in _values(f, met.get(f.name, frozenset()))]
    bases = rows[:BASES]
    found: list[Asked] = [({**event, **change}, read) for change, (event, read) in product(changes, bases)]
    found += [(event, {**read, **unread}) for unread in _unread(contract) for event, read in bases]
    return [*found[:MOST_MADE], *_crossed(rows, fields, ROWS - len(rows) - len(found))]


def _used(contract: Contract) -> list[Field]:
    """The event's fields that a feature is made of."""
    used = {name for feature in contract.features for name in fields_used(feature.tree)}
    return [f for f in contract.events.fields if f.name in used]


def _values(field: Field, met: frozenset[str]) -> Iterator[Any]:
    """What a field may be at its bounds, but that no row need have it."""
    if field.nullable:
        yield None
    if field.type == Type.CATEGORY:
        yield from _unmet(field, met)
    elif field.type in ITEMS:
        yield []
    elif field.type in (Type.LONG, Type.DOUBLE):
        number = int if field.type == Type.LONG else float
        yield from (number(bound) for bound in (field.min, field.max) if bound is not None)


def _unmet(field: Field, met: frozenset[str]) -> Iterator[str]:
    if field.levels:
        yield from [level for level in field.levels if level not in met][:MOST_LEVELS]
    else:
        yield next(text for n in range(1, 2 + len(met)) if (text := "~" * n) not in met)


def _unread(contract: Contract) -> Iterator[Event]:
    """The readings of each aggregate where the row has no key in it."""
    for aggregate in contract.aggregates:
        yield {r.name: None for r in contract.readings if r.aggregate == aggregate.name}


def _crossed(rows: Sequence[Asked], fields: Sequence[Field], count: int) -> Iterator[Asked]:
    """Rows that have each field of another row; each row and each distance once before any comes again."""
    for n in range(count if len(rows) > 1 else 0):
        (event, _), (_, read) = rows[n % len(rows)], rows[(n + n // len(rows)) % len(rows)]
        others = (
            rows[(n + (1 + place) * (1 + n // len(rows))) % len(rows)][0] for place in range(len(fields))
        )
        yield {**event, **{f.name: other[f.name] for f, other in zip(fields, others, strict=True)}}, read
