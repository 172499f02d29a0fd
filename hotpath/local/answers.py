"""A transaction as its client noted it, and what is counted over all of them. Pure.

One JSON object a line: when it was due (real µs), what was asked, what came back, and last of all how long
it took from the instant it was due, which includes writing the line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from hotpath.clock import SECOND, Micros
from hotpath.local.report import Latency, quantile

BEFORE_SWAP, AFTER_SWAP = SECOND, 2 * SECOND
"""What counts as during a swap, around the first answer of a new sequence."""
SLOW_US = SECOND


@dataclass(frozen=True, slots=True)
class Answered:
    """What a 200 said."""

    score: float | None
    decision: str
    threshold: float | None
    bundle: str
    sequence: int
    asked_at: Micros
    age_s: float
    prediction_id: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """Ask, decide, log. `busy`: what ran on the machine, where it took longer than a second.

    `request` holds the fields that were sent, `parameters` the caller's own.
    """

    scheduled_at: Micros
    latency_us: int
    request: Mapping[str, object]
    answered: Answered | None
    error: str | None
    busy: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def parse(line: bytes) -> Transaction:
    """The transaction of a whole line. Raises ValueError or KeyError on another."""
    raw: dict[str, Any] = orjson.loads(line)
    names = ("score", "decision", "threshold", "bundle", "sequence", "asked_at", "age_s", "prediction_id")
    answered = None if raw["error"] else Answered(**{name: raw[name] for name in names})
    busy = tuple(raw.get("busy", ()))
    asked, sent = raw["request"], raw.get("parameters", {})
    return Transaction(raw["scheduled_at"], raw["latency_us"], asked, answered, raw["error"], busy, sent)


def swaps(transactions: Iterable[Transaction]) -> list[Micros]:
    """When each sequence but the first was first answered with, in order of time."""
    first: dict[int, Micros] = {}
    for found in transactions:
        if found.answered is not None:
            sequence = found.answered.sequence
            first[sequence] = min(found.scheduled_at, first.get(sequence, found.scheduled_at))
    return sorted(first.values())[1:]


def during(at: Micros, swapped: Sequence[Micros]) -> bool:
    """Whether an instant lies in the window of one of the swaps (sorted)."""
    # The windows that reach `at` are those of swaps from at - AFTER_SWAP to at + BEFORE_SWAP.
    index = bisect_left(swapped, at - AFTER_SWAP)
    return index < len(swapped) and swapped[index] <= at + BEFORE_SWAP


def latency(transactions: Iterable[Transaction]) -> Latency:
    """Percentiles of what they took; zeros where there are none."""
    taken = sorted(t.latency_us for t in transactions)
    return Latency(*(quantile(taken, share) for share in (0.5, 0.99, 0.999)))
