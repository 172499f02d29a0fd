"""Which of a search's candidates is taken: it must hold over every slice of time, then the quick one wins.

Pure. A candidate's figures are those of hotpath/jackknife.py, one a slice, so that two candidates are
compared on the same rows and what both owe to those rows cancels out.

1. Whoever is significantly worse than the incumbent on any slice is out, and so is whoever is not better than
   it in the mean, and whoever the scorer's engine refuses.
2. Of the rest, those that are not significantly worse than the best in the mean (or better than one that is
   not) are as good.
3. Of these, the one whose answer costs least; of those that cost within a tenth of that, the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from hotpath import jackknife
from hotpath.contract.metrics import Metric
from hotpath.jackknife import Told
from train.parameters import Chosen

ALIKE = 1.1
"""Costs within this ratio are one: measured again they would change places."""


@dataclass(frozen=True)
class Candidate:
    """A model that was tried. `slices`: its figures on each validation slice, the oldest first; `us`: what a
    row costs where it would answer, None where it is refused there, and `why`.
    """

    name: str
    chosen: Chosen
    slices: tuple[Told, ...]
    us: float | None
    why: str = ""


@dataclass(frozen=True)
class Choice:
    """The candidate that is taken, and in a sentence why; `out`: why others are not, by name."""

    taken: Candidate
    why: str
    out: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """How candidates are compared: by which metric, at which confidence, on which slices."""

    metric: Metric
    confidence: float
    slices: tuple[int, ...]

    @property
    def sign(self) -> float:
        """What makes more of the metric better."""
        return 1.0 if self.metric.better == "higher" else -1.0

    def value(self, one: Candidate, place: int) -> float:
        """A figure, more of which is better."""
        return self.sign * float(one.slices[place].whole[self.metric.name] or 0.0)

    def mean(self, one: Candidate) -> float:
        """Over the slices."""
        return sum(self.value(one, place) for place in self.slices) / len(self.slices)

    def worse_on(self, one: Candidate, other: Candidate) -> list[int]:
        """The slices on which it is significantly worse."""
        return [place for place in self.slices if self._ahead(one, other, place)[1] < 0]

    def worse(self, one: Candidate, other: Candidate) -> bool:
        """Whether it is significantly worse in the mean."""
        found = [self._ahead(one, other, place) for place in self.slices]
        reach = hypot(*(high - value for value, high in found))
        return sum(value for value, _ in found) + reach < 0

    def _ahead(self, one: Candidate, other: Candidate, place: int) -> tuple[float, float]:
        """By how much it is better, and the upper bound of that; where no bound is known, what there is."""
        ours, theirs = one.slices[place], other.slices[place]
        found = jackknife.ahead(ours, theirs, self.metric.name, self.confidence, self.sign)
        value = self.value(one, place) - self.value(other, place)
        return (value, value) if found is None else (found[0], found[2])


def choose(candidates: Sequence[Candidate], incumbent: str, metric: Metric, confidence: float) -> Choice:
    """The candidate to grow by from now on; `incumbent` names the one that was taken so far."""
    now = next(one for one in candidates if one.name == incumbent)
    slices = tuple(
        place
        for place in range(len(now.slices))
        if all(one.slices[place].whole.get(metric.name) is not None for one in candidates)
    )
    if not slices:
        return Choice(now, f"{metric.name} is known on no slice: {incumbent} stays", {})
    by = Comparison(metric, confidence, slices)
    out = {one.name: why for one in candidates if one is not now and (why := _out(one, now, by))}
    rest = [one for one in candidates if one.name not in out]
    taken = _quickest(_as_good(rest, by), by)
    return Choice(taken, _why(taken, now, by), out)


def _out(one: Candidate, now: Candidate, by: Comparison) -> str:
    """Why a candidate is not to be had; "" where it is."""
    if one.us is None:
        return f"the engine refuses it: {one.why}"
    if places := by.worse_on(one, now):
        return f"significantly worse than {now.name} on slice {', '.join(str(p + 1) for p in places)}"
    return "" if by.mean(one) > by.mean(now) else f"not better than {now.name} in the mean"


def _as_good(rest: Sequence[Candidate], by: Comparison) -> list[Candidate]:
    """Whoever is better than one that is as good is as good: none drops out between two that stay."""
    best = max(rest, key=lambda one: (by.mean(one), one.name))
    least = min(by.mean(one) for one in rest if one is best or not by.worse(one, best))
    return [one for one in rest if by.mean(one) >= least]


def _quickest(found: Sequence[Candidate], by: Comparison) -> Candidate:
    """An incumbent that the engine refuses costs most: its bundle would never go live."""
    costs = {one.name: one.us for one in found if one.us is not None}
    if not costs:
        return max(found, key=lambda one: (by.mean(one), one.name))
    least = min(costs.values())
    quick = [one for one in found if one.us is not None and one.us <= ALIKE * least]
    return max(quick, key=lambda one: (by.mean(one), one.name))


def _why(taken: Candidate, now: Candidate, by: Comparison) -> str:
    name, mean = by.metric.name, by.sign * by.mean(taken)
    said = f"{taken.name}: {name} {mean:.4f} in the mean of {len(by.slices)} slices, {taken.us} µs a row"
    if taken is now:
        return f"{said}; nothing better was found"
    return f"{said}; {now.name}: {by.sign * by.mean(now):.4f}, {now.us} µs"
