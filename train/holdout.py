"""The holdout's rows as columns apart from their features, and models' answers to them. Pure.

`train.measuring` measures by them, `train.plots` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hotpath.contract.business import amounts
from hotpath.contract.model import Contract
from hotpath.contract.parts import Labels
from hotpath.errors import BadArtifact
from hotpath.promises import Counts
from hotpath.quality import Sample

Given = NDArray[np.float64]
"""A model's answers: (rows,) p1 or estimate, or (rows, classes) in the order of Labels.classes."""


@dataclass(frozen=True)
class Rows:
    """The holdout's rows apart from their features. `fallback` as `Given`, with NaN where the contract's rule
    says nothing; None without a rule. `alone`: independent rows.
    """

    contract: Contract
    truth: NDArray[np.float64]
    group: NDArray[np.int64]
    alone: NDArray[np.bool_]
    fallback: Given | None
    amounts: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, contract: Contract, table: pa.Table) -> Rows:
        """Raises BadArtifact where a label is none of the contract's."""
        rule = table["row.fallback"] if "row.fallback" in table.column_names else None
        return cls(
            contract,
            truth=truth(contract.labels, table["label"]),
            group=table["row.group"].to_numpy().astype(np.int64),
            alone=table["row.alone"].to_numpy().astype(bool),
            fallback=None if rule is None else _ruled(contract, rule),
            amounts={name: _numbers(table[f"row.amount.{name}"], 0.0) for name in amounts(contract)},
        )

    def sample(self, given: Given, said: NDArray[np.bool_] | None = None) -> Sample:
        """A model's answers beside the truth; `said` as Sample has it."""
        return Sample(self.contract.labels.kind, self.truth, given, said)

    def counts(self, given: Given, place: int | None = None) -> Counts:
        """Errors by threshold over the independent rows, of a binary target or of one class of many."""
        truth, score = self.truth[self.alone], given[self.alone]
        return Counts.of(truth == 1, score) if place is None else Counts.of(truth == place, score[:, place])


def sound(given: Given, rows: Rows) -> bool:
    """Whether there is one finite answer a row."""
    return len(given) == len(rows.truth) and bool(np.isfinite(given).all())


def truth(labels: Labels, label: pa.ChunkedArray) -> NDArray[np.float64]:
    """The column `label` as written: the place of each row's class, or a number. Raises BadArtifact."""
    if labels.kind == "number":
        return _numbers(label, np.nan)
    places = pc.index_in(label, pa.array(labels.classes))
    if places.null_count:
        raise BadArtifact("the rows' labels", places.null_count, f"only {', '.join(labels.classes)}")
    return _numbers(places, np.nan)


def _ruled(contract: Contract, rule: pa.ChunkedArray) -> Given:
    """What the fallback rule says of each row as a model's answer; NaN where it says nothing."""
    labels = contract.labels
    if labels.kind != "classes":
        return _numbers(rule, np.nan)
    places = _numbers(pc.index_in(rule, pa.array(labels.classes)), np.nan)
    found: Given = (places[:, None] == np.arange(len(labels.classes))).astype(np.float64)
    found[np.isnan(places)] = np.nan
    return found


def _numbers(column: pa.Array | pa.ChunkedArray, null: float) -> NDArray[np.float64]:
    filled = pc.fill_null(column.cast(pa.float64()), null)
    values: NDArray[np.float64] = np.asarray(filled, np.float64)
    return values
