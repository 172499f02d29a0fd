"""Aggregates: statistics of a stream by key over closed tiles, and what of them a contract's features read.

Pure. A tile is a span of `arrived_at`, cut at whole multiples of its length since 1970. A row of instant t
reads the tiles that had ended by t - delay: `ended` is the one place that says which, for a window, a
backfill and a question alike (law 2).

    >>> a = Aggregate("a", "events", "shop", "shop", None, None, None, 10, 60, 20, 5)
    >>> a.ended(100), a.ended(99)        # tiles [0, 80) at 100; at 99 the tile [70, 80) had not ended
    (8, 7)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from hotpath.clock import Micros
from hotpath.contract.statistics import BY_NAME, LARGEST, Part, limit
from hotpath.contract.tree import Reading
from hotpath.contract.types import Type, Value


@dataclass(frozen=True)
class Aggregate:
    """`over` names a source of the contract (events, labels, a stream), `by` its field that holds the key,
    `key` the event's field that a question's key is taken from, `value` the field that is counted (None:
    records are).

    `kind`: the value's type (bool, long, double; None without one); `digits`: decimals that are kept of a
    double, None of whole values. `tile`, `horizon`, `delay`, `grace` in µs: a tile is published once a mark
    has passed its end by `grace`, and is read `delay` after it. `largest`: no value's fixed point lies
    beyond. `default`: (statistic, value) pairs, what is read where tiles cannot be had; null where not named.
    """

    name: str
    over: str
    by: str
    key: str
    value: str | None
    kind: Type | None
    digits: int | None
    tile: Micros
    horizon: Micros
    delay: Micros
    grace: Micros
    largest: int = LARGEST
    default: tuple[tuple[str, int | float], ...] = ()

    @property
    def unit(self) -> float | None:
        """What a value is multiplied by to be whole; None where it is."""
        return None if self.digits is None else 10.0**self.digits

    @property
    def limit(self) -> int:
        """Of more records than this a sum is null."""
        return limit(self.largest)

    @property
    def whole(self) -> bool:
        """Whether readings of its values are longs."""
        return self.digits is None

    def number(self, at: Micros) -> int:
        """The tile that holds what arrived at `at`."""
        return at // self.tile

    def ended(self, at: Micros) -> int:
        """A row of instant `at` reads tiles below this number."""
        return (at - self.delay) // self.tile

    def defaulted(self, statistic: str) -> Value:
        """What a reading is where tiles cannot be had."""
        return dict(self.default).get(statistic)


@dataclass(frozen=True)
class Layout:
    """What is kept of an aggregate for a pipeline's features: `parts` in the order of Part, COUNT always."""

    pipeline: str
    aggregate: Aggregate
    topic: str
    parts: tuple[Part, ...]

    @cached_property
    def id(self) -> str:
        """PIPELINE/AGGREGATE@HASH: another definition is another id, so that an older model's tiles go on
        beside those of a newer one. Delay and grace are not in it: they move no value.
        """
        a = self.aggregate
        said = [self.topic, a.over, a.by, a.value, a.kind, a.digits, a.largest, a.tile, a.horizon, self.parts]
        digest = hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()
        return f"{self.pipeline}/{a.name}@{digest[:12]}"

    def key(self, key: str) -> str:
        """The key of a tiles record, on `hotpath.tiles` and in Redis."""
        return f"{self.id}/{key}"


def parts_of(readings: tuple[Reading, ...], aggregate: str) -> tuple[Part, ...]:
    """The parts that these readings need of an aggregate, in the order of Part."""
    wanted = {p for r in readings if r.aggregate == aggregate for p in BY_NAME[r.statistic].parts}
    return tuple(part for part in Part if part in wanted | {Part.COUNT})


def key_text(value: Value) -> str | None:
    """A key as text; None where the value is null, which is no key.

    >>> key_text("EWR"), key_text(7), key_text(True), key_text(None)
    ('EWR', '7', 'true', None)
    """
    if value is None or isinstance(value, str):
        return value
    return str(value).lower()
