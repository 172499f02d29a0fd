"""A fault as `make faults` knows it: what is broken, and what was seen of what must hold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Whether all that must hold held, and the figures that say so."""

    holds: bool
    figures: Mapping[str, object]


@dataclass(frozen=True)
class Fault:
    """`run` takes a seed, so that a failure can be had again."""

    name: str
    doc: str
    run: Callable[[int], Outcome]
