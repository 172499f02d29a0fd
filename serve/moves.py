"""The words of the swap: what a host remembers of its generations, what can happen, what to do about it.

Frozen data only; `serve.swap` is the machine that turns an event into actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hotpath.clock import Micros
from hotpath.handoffs import Announcement, Command


@dataclass(frozen=True)
class Bar:
    """A rollback's reach: sequences from `first` on that were known (`through`) or announced by `at`."""

    first: int
    through: int
    at: Micros

    def holds_back(self, a: Announcement) -> bool:
        """Whether `a` may never go live because of this rollback."""
        return a.sequence >= self.first and (a.sequence <= self.through or a.announced_at <= self.at)


@dataclass(frozen=True)
class Memory:
    """The part of the state that outlives a restart.

    `newest` is the highest sequence ever admitted; `settled` names the bundle of every sequence that was
    judged, so that a replay of the topic is silent; `heard` is the time of the last command of each kind.
    """

    live: int | None = None
    newest: int = 0
    admitted: Mapping[int, Announcement] = field(default_factory=dict)
    settled: Mapping[int, str] = field(default_factory=dict)
    bars: frozenset[Bar] = frozenset()
    held: bool = False
    heard: Mapping[str, Micros] = field(default_factory=dict)

    @property
    def previous(self) -> int | None:
        """The generation that a rollback would go to."""
        return max((s for s in self.eligible() if self.live is not None and s < self.live), default=None)

    def eligible(self) -> tuple[int, ...]:
        """Admitted sequences that no rollback bars."""
        return tuple(s for s, a in self.admitted.items() if not self.barred(a))

    def barred(self, a: Announcement) -> bool:
        """Whether a rollback holds `a` back."""
        return any(bar.holds_back(a) for bar in self.bars)

    def in_use(self) -> frozenset[str]:
        """Bundles of the live and the previous generation, and of admitted ones that wait for a release."""
        return frozenset(a.bundle for a in self.admitted.values())


@dataclass(frozen=True)
class State:
    """Everything the machine knows. `arrived`: whole bytes at hand; `placed`: stands in the bundle folder."""

    memory: Memory = field(default_factory=Memory)
    candidates: Mapping[int, Announcement] = field(default_factory=dict)
    arrived: frozenset[str] = frozenset()
    placed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Announced:
    """A verified announcement was read."""

    announcement: Announcement


@dataclass(frozen=True)
class Arrived:
    """All bytes of a bundle are here."""

    bundle: str


@dataclass(frozen=True)
class Admitted:
    """The sandbox said a clean yes."""

    sequence: int


@dataclass(frozen=True)
class Refused:
    """The sandbox said anything else."""

    sequence: int
    why: str


@dataclass(frozen=True)
class Commanded:
    """An operator on-prem said roll back, hold or release."""

    command: Command


@dataclass(frozen=True)
class Retired:
    """The trainer took a bundle back (its announcement's tombstone)."""

    bundle: str


@dataclass(frozen=True)
class Restored:
    """The follower starts again: what it remembers, and the bundles that stand in its folder."""

    memory: Memory
    placed: frozenset[str]


@dataclass(frozen=True)
class Place:
    """Put the bundle's bytes where workers look, by rename."""

    bundle: str


@dataclass(frozen=True)
class Remember:
    """Write the memory down; comes after Place and before PointLive, so that a crash never loses either."""

    memory: Memory


@dataclass(frozen=True)
class PointLive:
    """Move the live pointer, by rename."""

    sequence: int
    bundle: str


@dataclass(frozen=True)
class Say:
    """Send a receipt (the workers themselves say `live` and `rolled_back`)."""

    kind: Literal["admitted", "refused"]
    sequence: int
    bundle: str
    why: str


@dataclass(frozen=True)
class Admit:
    """This candidate can be proved in the sandbox now; Admitted or Refused reports it."""

    announcement: Announcement


@dataclass(frozen=True)
class Drop:
    """Forget the bundle's bytes and folder."""

    bundle: str


Event = Announced | Arrived | Admitted | Refused | Commanded | Retired | Restored
Action = Place | Remember | PointLive | Say | Admit | Drop
