"""Live quality by group: all, model, age of the model, maturity of the label, outcome window. Pure.

AUC over labels that came early is not AUC (what lands early is not like what lands late), so every group says
how many of its answers are labelled, and `maturity` parts answers by how long their labels have had to come.
A new way to group is one entry in `groups`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hotpath.clock import HOUR, Micros
from hotpath.contract.parts import Kind
from monitoring.joined import Rows
from monitoring.quality import Quality, measured

EDGES_H = (1, 3, 6, 12, 24)
SPANS = ("0-1h", "1-3h", "3-6h", "6-12h", "12-24h", "24h+")
"""Names of the groups between the edges; an edge belongs to the longer one."""
NOT_KNOWN = "unknown"
"""The age of a model whose announcement is not known."""
WINDOW = HOUR
"""Length of an outcome window where the contract has no floor."""
MODELS, WINDOWS = 12, 6
"""Of models and windows only the newest are shown."""

Figures = dict[str, dict[str, Quality]]
"""By kind of group, then by group."""


@dataclass(frozen=True)
class Outcomes:
    """Answers, the truth of each (see `joined.targets`), how far time has come, and what is asked for."""

    answers: Rows
    target: NDArray[np.float64]
    seen: Micros
    kind: Kind = "binary"

    def of(self, places: NDArray[Any]) -> Outcomes:
        """Some of them: places, or a mask."""
        return replace(self, answers=self.answers[places], target=self.target[places])

    def quality(self) -> Quality:
        """How good they were, all together."""
        return measured(self.kind, self.target, self.answers)

    def closed(self, window: Micros) -> Outcomes:
        """Those of windows that are over: nothing will be asked in them any more."""
        return self.of(self.answers["asked_at"] < self.seen // window * window)


def figures(outcomes: Outcomes, announced: Mapping[int, Micros], window: Micros) -> Figures:
    """Quality of every group; `announced` says when each sequence was."""
    return {by: groups(outcomes) for by, groups in _groups(announced, window).items()}


def by_window(outcomes: Outcomes, window: Micros, newest: int) -> list[Quality]:
    """Quality of the newest closed windows that have answers, oldest first."""
    return [part.quality() for part in windows(outcomes, window, newest)]


def windows(outcomes: Outcomes, window: Micros, newest: int) -> Iterator[Outcomes]:
    """The newest closed windows that have answers, oldest first."""
    closed = outcomes.closed(window)
    numbers = closed.answers["asked_at"] // window
    late = np.isin(numbers, np.unique(numbers)[-newest:])
    return (part for _, part in parts(closed.of(late), numbers[late]))


def by_sequence(outcomes: Outcomes) -> dict[int, Quality]:
    """Quality of each sequence that answered."""
    return {int(s): part.quality() for s, part in parts(outcomes, outcomes.answers["sequence"])}


def by_bundle(outcomes: Outcomes, bundles: Mapping[int, str]) -> dict[str, Quality]:
    """Quality of each bundle over all sequences that named it."""
    names = sorted(set(bundles.values()))
    places = {sequence: names.index(bundle) for sequence, bundle in bundles.items()}
    sequences, inverse = np.unique(outcomes.answers["sequence"], return_inverse=True)
    of = np.array([places.get(int(s), -1) for s in sequences], np.int64)[inverse]
    return {names[int(i)]: part.quality() for i, part in parts(outcomes, of) if i >= 0}


def parts(outcomes: Outcomes, of: NDArray[Any]) -> Iterator[tuple[Any, Outcomes]]:
    """The outcomes of each distinct value of `of`, in its order."""
    order = np.argsort(of, kind="stable")
    values, first = np.unique(of[order], return_index=True)
    yield from zip(values, (outcomes.of(places) for places in np.split(order, first[1:])), strict=False)


def _groups(
    announced: Mapping[int, Micros], window: Micros
) -> Mapping[str, Callable[[Outcomes], dict[str, Quality]]]:
    return {
        "all": lambda outcomes: {"all": outcomes.quality()},
        "model": _by_model,
        "age": partial(_by_age, announced=announced),
        "maturity": _by_maturity,
        "window": lambda outcomes: _named(by_window(outcomes, window, WINDOWS)),
    }


def _by_model(outcomes: Outcomes) -> dict[str, Quality]:
    sequences = np.unique(outcomes.answers["sequence"])[-MODELS:]
    newest = outcomes.of(np.isin(outcomes.answers["sequence"], sequences))
    return {str(sequence): quality for sequence, quality in by_sequence(newest).items()}


def _by_age(outcomes: Outcomes, announced: Mapping[int, Micros]) -> dict[str, Quality]:
    """By how long ago the model had been announced when it was asked."""
    sequences, inverse = np.unique(outcomes.answers["sequence"], return_inverse=True)
    known = np.array([int(s) in announced for s in sequences], bool)[inverse]
    at = np.array([announced.get(int(s), 0) for s in sequences], np.int64)[inverse]
    spans = np.where(known, _span(outcomes.answers["asked_at"] - at), len(SPANS))
    return {(*SPANS, NOT_KNOWN)[int(i)]: part.quality() for i, part in parts(outcomes, spans)}


def _by_maturity(outcomes: Outcomes) -> dict[str, Quality]:
    """By how long a label has had to come."""
    spans = _span(outcomes.seen - outcomes.answers["asked_at"])
    return {SPANS[int(i)]: part.quality() for i, part in parts(outcomes, spans)}


def _named(windows: Sequence[Quality]) -> dict[str, Quality]:
    """-1 is the newest, -2 the one before it: a window's start would be a new tag every time."""
    return {str(index - len(windows)): quality for index, quality in enumerate(windows)}


def _span(micros: NDArray[Any]) -> NDArray[np.int64]:
    return np.searchsorted(np.array(EDGES_H, np.int64) * HOUR, micros, side="right").astype(np.int64)
