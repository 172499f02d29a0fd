"""What is seen in a window's features as they were written: baselines, leaks, rows that are worth proving.

Reads one column of each side at a time, so that its memory is a column's, whatever the number of features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from hotpath.contract.fitted import Baseline
from hotpath.contract.model import Contract
from hotpath.contract.parts import Feature
from hotpath.contract.tree import Ref
from hotpath.contract.types import Type
from train.account import SIDES, Side
from train.baselines import baseline
from train.folder import Folder
from train.golden import reaching
from train.leak import Labelled, told


@dataclass
class Seen:
    """By feature: how its training rows were spread; its figure where it alone tells the label too well.

    `reached`: rows of each side that hold what a feature is seldom; `met`: the levels of the training rows by
    the category field that a feature hands on.
    """

    baselines: dict[str, Baseline] = field(default_factory=dict)
    leaks: dict[str, float] = field(default_factory=dict)
    reached: dict[Side, list[int]] = field(default_factory=lambda: {side: [] for side in SIDES})
    met: dict[str, frozenset[str]] = field(default_factory=dict)


def seen(contract: Contract, folder: Folder) -> Seen:
    """Every feature of the training rows and of the holdout."""
    sides = [ds.dataset([str(path) for path in folder.files(side)]) for side in SIDES]
    train, holdout = _read(sides, "label")
    labels = Labelled.of(train, holdout, contract.labels.kind, contract.labels.classes)
    found = Seen()
    for feature in contract.features:
        train, holdout = _read(sides, f"feature.{feature.name}")
        _look(feature, train, holdout, labels, contract.train.leak, found)
    return found


def _read(sides: Sequence[ds.Dataset], name: str) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    train, holdout = (side.to_table(columns=[name])[name] for side in sides)
    return train, holdout


def _look(
    feature: Feature,
    train: pa.ChunkedArray,
    holdout: pa.ChunkedArray,
    labels: Labelled,
    allowed: float,
    found: Seen,
) -> None:
    name = feature.name
    found.baselines[name] = baseline(train)
    figure = told(train, holdout, labels)
    if figure is not None and figure > allowed:
        found.leaks[name] = round(figure, 6)
    levels = pc.unique(train.drop_null()) if feature.type == Type.CATEGORY else None
    if levels is not None and isinstance(feature.tree, Ref):
        found.met[feature.tree.name] = frozenset(levels.to_pylist())
    for side, column in zip(SIDES, (train, holdout), strict=True):
        found.reached[side] += reaching(column, levels)
