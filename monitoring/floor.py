"""Whether the live model has sunk below the contract's floor, and what to go back to. Pure.

The floor is on any metric of the target's kind; below it is worse than its bound, also where less is better.
An outcome window counts once it is over and has as many labelled answers as the contract asks for; others are
passed over, they neither break a row nor make one longer. A model is left once; a bundle that was left is
never gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hotpath.contract.metrics import BY_NAME
from hotpath.contract.parts import Floor
from hotpath.handoffs import Announcement
from monitoring.quality import Quality


@dataclass(frozen=True)
class Standing:
    """What a ruling is made of. `windows`: the live sequence's closed ones, oldest first.

    `refused`: sequences that a scorer refused or an operator left; `left`: bundles that nothing goes back to;
    `quality`: by bundle.
    """

    live: int
    bundle: str
    windows: Sequence[Quality]
    announced: Mapping[int, Announcement]
    refused: frozenset[int]
    left: frozenset[str] = frozenset()
    quality: Mapping[str, Quality] = field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """`below`: windows in a row; `due`: whether the live model must go; `to`: what to, the best choice first.

    Due without a choice: no older model is good enough, and the live one stays.
    """

    below: int
    due: bool = False
    to: tuple[Announcement, ...] = ()
    why: str = ""


def ruling(floor: Floor, standing: Standing) -> Ruling:
    """What to do about the live model."""
    row = below(floor, standing.windows)
    if len(row) < floor.windows or _answered(standing):
        return Ruling(len(row))
    values = ", ".join(f"{_value(floor, q):.4f}" for q in row[: floor.windows])
    which = f"live {floor.metric} of sequence {standing.live} {values} in the newest windows"
    why = f"{which}, the floor is {BY_NAME[floor.metric].sign} {floor.bound:g}"
    return Ruling(len(row), due=True, to=_choices(floor, standing), why=why)


def below(floor: Floor, windows: Sequence[Quality]) -> list[Quality]:
    """The newest windows in a row that count and lie below the floor, newest first."""
    found: list[Quality] = []
    for quality in reversed(windows):
        if not counts(floor, quality):
            continue
        if reaches(floor, quality):
            break
        found.append(quality)
    return found


def counts(floor: Floor, quality: Quality) -> bool:
    """Whether there are labels enough to say anything, of both classes where there are two."""
    return quality.labelled >= floor.labels and _value(floor, quality) is not None


def reaches(floor: Floor, quality: Quality) -> bool:
    """Whether it is good enough, and known to be."""
    value = _value(floor, quality)
    if value is None or not counts(floor, quality):
        return False
    return value >= floor.bound if BY_NAME[floor.metric].better == "higher" else value <= floor.bound


def _value(floor: Floor, quality: Quality) -> float | None:
    """The floor's metric on a window's answers; None where it cannot be had."""
    return quality.metrics.get(floor.metric)


def _answered(standing: Standing) -> bool:
    """Whether the live model was left already, or a newer one is on its way, with outcomes of its own.

    One that a scorer has refused is on no way; a rollback is said once, whatever becomes of it.
    """
    newer = [a for s, a in standing.announced.items() if s > standing.live and a.kind != "hold"]
    return any(a.kind == "rollback" or a.sequence not in standing.refused for a in newer)


def _choices(floor: Floor, standing: Standing) -> tuple[Announcement, ...]:
    """Older announced bundles that are good enough, the newest first."""
    barred = standing.left | {standing.bundle}
    older = (a for s, a in standing.announced.items() if s < standing.live and a.kind != "hold")
    good = (
        a
        for a in older
        if a.bundle not in barred and reaches(floor, standing.quality.get(a.bundle, Quality(0, 0)))
    )
    return tuple(sorted(good, key=lambda a: a.sequence, reverse=True))
