"""Whether the live model has sunk below the contract's floor, and what to go back to. Pure.

The floor is on any metric of the target's kind; below it is worse than its bound, also where less is better.
What is judged is what was answered, whichever models answered since the row began (`row_since`): where new
ones come as often as windows end, none would ever have enough windows of its own. In each window the live
model's own answers speak if they count, everyone's together if not; so a live model that is good enough is
never taken for its predecessors. A window counts once it is over and has as many labelled answers as the
contract asks for; others are passed over, they neither break a row nor make one longer. A model is left once;
a bundle that was left is never gone back to.

sequence        2 good │ 3 poor │ 4 poor │ 5 is live
windows          0.70  │  0.48  │  0.47  │  0.49        three in a row: back to 2
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hotpath.contract.metrics import BY_NAME
from hotpath.contract.parts import Floor
from hotpath.handoffs import Announcement
from monitoring.quality import Quality


@dataclass(frozen=True)
class Window:
    """One closed outcome window: everyone's answers together, and each sequence's own."""

    all: Quality
    by: Mapping[int, Quality]


@dataclass(frozen=True)
class Standing:
    """What a ruling is made of. `windows`: those of the row's sequences (`row_since`), oldest first.

    `refused`: sequences that a scorer refused or an operator left; `left`: bundles that nothing goes back to;
    `quality`: by bundle.
    """

    live: int
    bundle: str
    windows: Sequence[Window]
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
    row = below(floor, standing.live, standing.windows)
    if len(row) < floor.windows or _answered(standing):
        return Ruling(len(row))
    return Ruling(len(row), due=True, to=_choices(floor, standing, row), why=_why(floor, standing, row))


def row_since(live: int, backs: Iterable[int], left: Collection[int], answered: Iterable[int]) -> set[int]:
    """The sequences whose answers make the row: those from the newest of `backs` on, up to the live one.

    `backs`: sequences of rollbacks and of what operators forced, each begins a row anew; `left`: what an
    operator went back from, which is judged already.
    """
    since = max((s for s in backs if s <= live), default=0)
    return {s for s in answered if s == live or (since <= s < live and s not in left)}


def below(floor: Floor, live: int, windows: Sequence[Window]) -> list[Window]:
    """The newest windows in a row that count and lie below the floor, newest first."""
    found: list[Window] = []
    for window in reversed(windows):
        quality = judged(floor, live, window)
        if not counts(floor, quality):
            continue
        if reaches(floor, quality):
            break
        found.append(window)
    return found


def judged(floor: Floor, live: int, window: Window) -> Quality:
    """What a window says of the live sequence: its own answers, or everyone's where those do not count."""
    own = window.by.get(live)
    return window.all if own is None or not counts(floor, own) else own


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


def _choices(floor: Floor, standing: Standing, row: Sequence[Window]) -> tuple[Announcement, ...]:
    """Announced bundles from before the row that are good enough, the newest first.

    The newest sequence in the row's first window is the first that may be to blame; one from before it that
    answered there too, as where a swap came half way, must not have been poor there itself.
    """
    first = row[-1]
    barred = standing.left | {standing.bundle}
    older = (a for s, a in standing.announced.items() if s < max(first.by) and a.kind != "hold")
    good = (
        a
        for a in older
        if a.bundle not in barred
        and reaches(floor, standing.quality.get(a.bundle, Quality(0, 0)))
        and not _poor(floor, first.by.get(a.sequence))
    )
    return tuple(sorted(good, key=lambda a: a.sequence, reverse=True))


def _poor(floor: Floor, own: Quality | None) -> bool:
    return own is not None and counts(floor, own) and not reaches(floor, own)


def _why(floor: Floor, standing: Standing, row: Sequence[Window]) -> str:
    newest = row[: floor.windows]
    values = ", ".join(f"{_value(floor, judged(floor, standing.live, w)):.4f}" for w in newest)
    sequences = sorted({sequence for window in newest for sequence in window.by})
    of = f"sequence{'s' if len(sequences) > 1 else ''} {', '.join(map(str, sequences))}"
    bound = f"the floor is {BY_NAME[floor.metric].sign} {floor.bound:g}"
    return f"live {floor.metric} of {of} {values} in the newest windows, {bound}"
