"""Parts of tiles out of raw records, one after another: the oracle of everything that is vectorised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotpath.clock import Micros
from hotpath.contract.aggregates import Aggregate, Layout
from hotpath.contract.statistics import Part
from hotpath.contract.types import Type
from hotpath.tiles import Tiles

ALL = tuple(Part)
"""Every part, in the order of a layout."""


@dataclass(frozen=True)
class Counted:
    """A record: when it arrived, and its value in fixed point."""

    at: Micros
    value: int


def parts(records: Sequence[Counted]) -> dict[Part, int | None]:
    """What is known of these records together."""
    values = [record.value for record in records]
    last = max(((record.at, record.value) for record in records), default=(None, None))
    return {
        Part.COUNT: len(values),
        Part.SUM: sum(values) if values else None,
        Part.SQUARES: sum(value * value for value in values) if values else None,
        Part.LEAST: min(values, default=None),
        Part.GREATEST: max(values, default=None),
        Part.LAST_AT: last[0],
        Part.LAST: last[1],
    }


def tiles(records: Sequence[Counted], layout: Layout, through: Micros, batch: int = 0) -> Tiles:
    """The closed tiles of one key's records."""
    by_number: dict[int, list[Counted]] = {}
    for record in records:
        number = record.at // layout.aggregate.tile
        if (number + 1) * layout.aggregate.tile <= through:
            by_number.setdefault(number, []).append(record)
    columns = [[_whole(parts(by_number[n])[part]) for n in sorted(by_number)] for part in layout.parts]
    return Tiles(through, batch, tuple(sorted(by_number)), tuple(map(tuple, columns)) if by_number else ())


def aggregate(**said: object) -> Aggregate:
    """An aggregate of labels by shop, a value of longs; tiles of 10 µs, and what is said."""
    plain: Mapping[str, object] = {
        "name": "a", "over": "labels", "by": "shop", "key": "shop", "value": "paid", "kind": Type.LONG,
        "digits": None, "tile": 10, "horizon": 60, "delay": 20, "grace": 5,
    }  # fmt: skip
    return Aggregate(**{**plain, **said})  # type: ignore[arg-type]


def _whole(part: int | None) -> int:
    assert part is not None  # a tile has a record
    return part
