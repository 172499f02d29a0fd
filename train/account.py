"""The account of a training window: what was taken, what was left out and why, where it stood in the topics.

The child that runs Spark writes it, the trainer reads it and the bundle's manifest carries it (law 7).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from hotpath.clock import Micros
from hotpath.contract.aggregates import Aggregate
from hotpath.contract.model import Contract
from hotpath.contract.parts import Kind
from hotpath.errors import BadArtifact
from hotpath.handoffs import BadInterval
from train.clocks import NOTHING, Clocks, for_clocks

Side = Literal["train", "holdout"]
SIDES: tuple[Side, Side] = ("train", "holdout")
LEAST_ROWS = 30
"""A side of fewer rows is refused: a leaf of a tree holds ten, and by thirty in the holdout an accuracy is
known to within 18 points (95 %); by fewer no figure says anything."""
BORNE = 0.01
"""The share of the holdout that may be of classes without a training row. A model gives them no chance, so
each such row is measured as a wrong answer: a rare class must not stop fresh models, a frequent one must."""
_CAUGHT_BY: Mapping[Kind, str] = {"binary": "AUC", "classes": "mean AUC of each class", "number": "R²"}
"""What tells that a feature gives the label away, as `leak` measures it."""


@dataclass(frozen=True)
class Span:
    """The window in time of arrival: after `start`, up to and with `end`."""

    start: Micros
    end: Micros

    def tiled(self, aggregate: Aggregate) -> tuple[Micros, Micros]:
        """What the tiles that this window's rows may read are made of: arrivals from the first instant on, up
        to before the second.
        """
        oldest = aggregate.ended(self.start) * aggregate.tile - aggregate.horizon
        return oldest, aggregate.ended(self.end) * aggregate.tile


@dataclass(frozen=True)
class Account:
    """Counts of one window for a target of this kind.

    `classes`: rows of each side by class, "0" and "1" of a binary target, {} of a number. `spread`: least,
    mean and greatest target of each side's rows where it is a number, {} otherwise. `left_out`: events
    without a row, by reason. `noticed`: what was counted but cost no row. `offsets`: first and last offset of
    the rows and of their labels, by topic and partition (both inclusive). `clocks`: what was known of wrong
    clocks in this span. `batches`: N, or "A-B" of a compacted range; `files`: the SHA-256 of each file that
    was read, by its path in the lake.

    `believed`: the timestamp quality, the share of the window's events that no clock's reason left out.
    `budget`: {} where every row fitted; else `rows` there were, `kept`, and `since` when (µs) the oldest kept
    one arrived. `slices`: when each validation slice begins. `leaks`: features that alone tell the label
    better than the contract allows, with their figures. `rivals`: by the name of each model that this one may
    be held against "", or why it cannot be.
    """

    span: Span
    kind: Kind
    rows: Mapping[Side, int]
    classes: Mapping[Side, Mapping[str, int]]
    spread: Mapping[Side, tuple[float, float, float]]
    left_out: Mapping[str, int]
    noticed: Mapping[str, int]
    batches: tuple[int | str, ...]
    offsets: Mapping[str, Mapping[int, tuple[int, int]]]
    clocks: Clocks = NOTHING
    believed: float = 1.0
    files: Mapping[str, str] = field(default_factory=dict)
    budget: Mapping[str, int] = field(default_factory=dict)
    slices: tuple[Micros, ...] = ()
    leaks: Mapping[str, float] = field(default_factory=dict)
    rivals: Mapping[str, str] = field(default_factory=dict)

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
            spread = {side: (least, mean, most) for side, (least, mean, most) in raw.pop("spread").items()}
            slices = tuple(raw.pop("slices", ()))
            return cls(
                span, spread=spread, offsets=offsets, batches=batches, clocks=clocks, slices=slices, **raw
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadArtifact("a window's account", data, "what the window's builder wrote") from error

    def shortcomings(self, contract: Contract) -> Iterator[str]:
        """Why no model can be trained on this window; nothing where one can."""
        for side in SIDES:
            if not self.rows[side]:
                yield f"no {side} rows in the window"
            elif (only := self._only(side)) is not None:
                yield f"only one {self._answer} in the {side} rows: all {self.rows[side]} are {only}"
            if 0 < self.rows[side] < LEAST_ROWS:
                yield f"only {self.rows[side]} {side} rows in the window, at least {LEAST_ROWS} are needed"
        unmet, asked = sum(self.unmet.values()), sum(self.classes.get("holdout", {}).values())
        if unmet > BORNE * asked and len(self.classes["train"]) > 1:
            yield (
                f"no train rows of class {' or '.join(self.unmet)}, of which {unmet} of {asked} holdout rows"
                f" are: more than the {BORNE:.0%} that is borne"
            )
        if self.believed < contract.train.timestamp_quality:
            yield (
                f"timestamp quality is {self.believed:.4f}, the contract asks for at least"
                f" {contract.train.timestamp_quality:g}: {for_clocks(self.left_out)} events of a wrong clock"
            )
        for name, figure in self.leaks.items():
            yield (
                f"feature {name} alone tells the label: its {_CAUGHT_BY[self.kind]} on the holdout is"
                f" {figure:.6g}, the contract allows {contract.train.leak:g}; take it out, or raise"
                " train.leak where it is known when the question is asked"
            )

    @property
    def unmet(self) -> Mapping[str, int]:
        """Holdout rows by class, of the classes that no training row has."""
        taught, asked = self.classes.get("train", {}), self.classes.get("holdout", {})
        return {name: rows for name, rows in sorted(asked.items()) if name not in taught}

    @property
    def _answer(self) -> str:
        return "value" if self.kind == "number" else "class"

    def _only(self, side: Side) -> str | float | None:
        """What every row of a side has for an answer; None where they differ."""
        if self.kind == "number":
            least, _, greatest = self.spread[side]
            return least if least == greatest else None
        found = list(self.classes[side])
        return found[0] if len(found) == 1 else None
