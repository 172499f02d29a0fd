"""The account of a training window: what was taken, what was left out and why, where it stood in the topics.

The child that runs Spark writes it, the trainer reads it and the bundle's manifest carries it (law 7).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from hotpath.clock import Micros
from hotpath.errors import BadArtifact
from hotpath.handoffs import BadInterval
from train.clocks import NOTHING, Clocks

Side = Literal["train", "holdout"]


@dataclass(frozen=True)
class Span:
    """The window in time of arrival: after `start`, up to and with `end`."""

    start: Micros
    end: Micros


@dataclass(frozen=True)
class Account:
    """Counts of one window.

    `left_out`: events without a row, by reason. `noticed`: what was counted but cost no row. `offsets`: first
    and last offset of the rows and of their labels, by topic and partition (both inclusive). `clocks`: what
    was known of wrong clocks in this span.
    """

    span: Span
    rows: Mapping[Side, int]
    positive: Mapping[Side, int]
    left_out: Mapping[str, int]
    noticed: Mapping[str, int]
    batches: tuple[int, ...]
    offsets: Mapping[str, Mapping[int, tuple[int, int]]]
    clocks: Clocks = NOTHING

    def to_bytes(self) -> bytes:
        """The account as JSON."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Account:
        """Raises BadArtifact where `data` is no account."""
        try:
            raw = json.loads(data)
            offsets = {
                topic: {int(p): (first, last) for p, (first, last) in parts.items()}
                for topic, parts in raw.pop("offsets").items()
            }
            bad = raw.pop("clocks")
            clocks = Clocks(bad["tolerance"], tuple(BadInterval(**b) for b in bad["intervals"]))
            span, batches = Span(**raw.pop("span")), tuple(raw.pop("batches"))
            return cls(span, offsets=offsets, batches=batches, clocks=clocks, **raw)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact("a window's account", data, "what the window's builder wrote") from error

    def positive_share(self, side: Side) -> float:
        """Share of one side's rows whose label is true."""
        return self.positive[side] / self.rows[side]

    def shortcomings(self) -> Iterator[str]:
        """Why no model can be trained on this window; nothing where one can."""
        for side in ("train", "holdout"):
            rows, positive = self.rows[side], self.positive[side]
            if rows == 0:
                yield f"no {side} rows in the window"
            elif positive in (0, rows):
                yield f"only one class in the {side} rows: {positive} of {rows} are positive"
