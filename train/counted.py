"""The account of a judged window from its verdicts, and the rows that `division` divides. Pure, in Arrow.

Of a judged table only narrow columns are looked at, never an event's body: `COLUMNS`, by the names that they
have here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hotpath.contract.parts import Kind, Labels
from train.account import SIDES, Side
from train.division import Rows, Sides

COLUMNS: Mapping[str, pc.Expression] = {
    **{name: pc.field(name) for name in ("left_out", "topic", "partition", "offset", "arrived_at")},
    **{
        f"label's {name}": pc.field("answer", name)
        for name in ("target", "topic", "partition", "offset", "arrived_at")
    },
}
"""What is read of a judged table, by its name here."""


def candidates(verdicts: pa.Table) -> pa.Table:
    """The rows that nothing speaks against, each with its `place` among all."""
    places = pa.array(np.arange(len(verdicts)))
    return verdicts.append_column("place", places).filter(pc.field("left_out").is_null())


def rows(found: pa.Table, labels: Labels) -> Rows:
    """Candidates as `division` takes them."""
    strata = labels.classes or ("",)
    stratum = np.zeros(len(found), np.int64)
    if labels.classes:
        stratum = pc.index_in(_classes(found, labels.kind), pa.array(strata)).to_numpy()
    names = ("arrived_at", "label's arrived_at", "partition", "offset")
    arrived_at, told_at, partition, offset = (found[name].to_numpy().astype(np.int64) for name in names)
    return Rows(arrived_at, told_at, partition, offset, stratum, strata)


def left_out(verdicts: pa.Table) -> dict[str, int]:
    """Events by the reason why they are no row."""
    found = pc.value_counts(verdicts["left_out"].combine_chunks()).to_pylist()
    return {row["values"]: row["counts"] for row in found if row["values"] is not None}


def classes(rows: Rows, found: Sides) -> dict[Side, Mapping[str, int]]:
    """Rows of each side by class, sorted."""
    return {side: _counts(rows, getattr(found, side)) for side in SIDES}


def spread(told: pa.Table, found: Sides) -> dict[Side, tuple[float, float, float]]:
    """Least, mean and greatest target of each side that has rows."""
    target = told["label's target"].to_numpy().astype(float)
    of = {side: target[getattr(found, side)] for side in SIDES}
    return {side: (float(v.min()), float(v.mean()), float(v.max())) for side, v in of.items() if len(v)}


def offsets(told: pa.Table, found: Sides) -> dict[str, dict[int, tuple[int, int]]]:
    """First and last offset of rows and of their labels, by topic and partition."""
    taken = told.filter(pa.array(found.train | found.holdout))
    names = ("topic", "partition", "offset")
    both = (taken.select([f"{whose}{name}" for name in names]) for whose in ("", "label's "))
    told_of = pa.schema([("topic", pa.string()), ("partition", pa.int32()), ("offset", pa.int64())])
    places = pa.concat_tables(columns.rename_columns(names).cast(told_of) for columns in both)
    ends = places.group_by(["topic", "partition"]).aggregate([("offset", "min"), ("offset", "max")])
    ordered = ends.sort_by([("topic", "ascending"), ("partition", "ascending")]).to_pylist()
    made: dict[str, dict[int, tuple[int, int]]] = {}
    for row in ordered:
        made.setdefault(row["topic"], {})[row["partition"]] = (row["offset_min"], row["offset_max"])
    return made


def in_order(told: pa.Table, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Which candidates are wanted, in the order in which rows are written."""
    if not wanted.any():
        return np.empty(0, np.int64)
    ours = told.filter(pa.array(wanted))
    topics = ours["topic"].unify_dictionaries().combine_chunks()
    ranks = np.argsort(np.argsort(topics.dictionary.to_numpy(zero_copy_only=False)))
    topic = ranks[topics.indices.to_numpy()]
    order = np.lexsort((topic, ours["offset"].to_numpy(), ours["partition"].to_numpy()))
    return np.flatnonzero(wanted)[order]


def _classes(told: pa.Table, kind: Kind) -> pa.ChunkedArray:
    target = told["label's target"]
    return pc.if_else(target, "1", "0") if kind == "binary" else target


def _counts(rows: Rows, wanted: NDArray[np.bool_]) -> dict[str, int]:
    found = np.bincount(rows.stratum[wanted], minlength=len(rows.strata))
    return {name: int(n) for name, n in sorted(zip(rows.strata, found, strict=True)) if n}
