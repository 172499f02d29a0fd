"""A judged window put to disk: training rows, holdout, golden sample, what was fitted, account.

Runs the plan's actions and writes into one folder; decides nothing but the cut between the two sides.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow.dataset as ds
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from hotpath.clock import Micros
from hotpath.contract.fitted import Baseline, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Kind, Labels
from train.account import SIDES, Account, Side, Span
from train.baselines import baseline
from train.clocks import Clocks
from train.folder import Folder
from train.levels import fitted_levels
from train.tiles import READINGS
from train.window import LEFT_OUT, featured, field, holdout_size, label, parted

GOLDEN_ROWS = 200


def write(
    judged: DataFrame,
    contract: Contract,
    span: Span,
    clocks: Clocks,
    batches: Sequence[int | str],
    unlisted: int,
    folder: Folder,
) -> Account:
    """Write train.parquet/, holdout.parquet/, golden.parquet/, fitted.json and account.json."""
    whole = _put_down(judged, folder)
    cut = _cut(whole.filter(F.col("left_out").isNull()), contract.train.holdout)
    table = parted(whole, cut)
    account = _account(table, contract.labels, span, clocks, batches, unlisted)
    levels = Fitted(fitted_levels(_side(table, "train"), contract))
    for side in SIDES:
        _write_side(table, side, contract, levels, folder)
    _write_golden(_side(table, "holdout"), contract, levels, folder)
    folder.fitted.write_bytes(Fitted(levels.levels, _baselines(contract, folder)).to_bytes())
    folder.account.write_bytes(account.to_bytes())
    shutil.rmtree(folder.judged)
    return account


def _put_down(judged: DataFrame, folder: Folder) -> DataFrame:
    """The table as it is read again from disk: of a cached one Spark would look through the long plan that
    made it at each of the actions that follow, and hold it in the heap.
    """
    judged.write.parquet(str(folder.judged))
    return judged.sparkSession.read.schema(judged.schema).parquet(str(folder.judged))


def _cut(rows: DataFrame, share: float) -> Micros:
    """The holdout's oldest arrival: every row that came at it or later is holdout, so no tie is split."""
    count = rows.count()
    oldest = (
        rows.select("arrived_at").orderBy("arrived_at").offset(count - holdout_size(count, share)).first()
    )
    return int(oldest["arrived_at"]) if oldest else 0


def _side(table: DataFrame, side: Side) -> DataFrame:
    return table.filter(F.col("side") == side)


def _account(
    table: DataFrame, labels: Labels, span: Span, clocks: Clocks, batches: Sequence[int | str], unlisted: int
) -> Account:
    kind = labels.kind
    became = F.coalesce("side", "left_out")
    total: Counter[str] = Counter(dict(table.groupBy(became).count().collect()))
    rows = table.filter(F.col("side").isNotNull())
    classes = {} if kind == "number" else _classes(rows, kind)
    unmet = set(labels.classes) - set(classes.get("train", {}))
    return Account(
        span=span,
        kind=kind,
        rows={s: total[s] for s in SIDES},
        classes=classes,
        spread=_spread(rows) if kind == "number" else {},
        left_out={reason: total[reason] for reason in LEFT_OUT},
        noticed={
            "entities whose labels disagree": _disagreeing(table),
            "files in no manifest": unlisted,
            "classes without a training row": len(unmet),
        },
        batches=tuple(batches),
        offsets=_offsets(rows),
        clocks=clocks,
    )


def _classes(rows: DataFrame, kind: Kind) -> dict[Side, Mapping[str, int]]:
    found: dict[Side, dict[str, int]] = {side: {} for side in SIDES}
    for side, name, count in rows.groupBy("side", label(kind)).count().collect():
        found[side][name] = count
    return {side: dict(sorted(counts.items())) for side, counts in found.items()}


def _spread(rows: DataFrame) -> dict[Side, tuple[float, float]]:
    target = label("number")
    found = rows.groupBy("side").agg(F.min(target), F.max(target)).collect()
    return {side: (least, greatest) for side, least, greatest in found}


def _disagreeing(table: DataFrame) -> int:
    return table.filter("disagree").select("entity").distinct().count()


def _offsets(rows: DataFrame) -> dict[str, dict[int, tuple[int, int]]]:
    """First and last offset of rows and of their labels, by topic and partition."""
    places = rows.select("topic", "partition", "offset").union(
        rows.select("answer.topic", "answer.partition", "answer.offset")
    )
    found: dict[str, dict[int, tuple[int, int]]] = {}
    ends = places.groupBy("topic", "partition").agg(F.min("offset"), F.max("offset"))
    for topic, partition, first, last in ends.orderBy("topic", "partition").collect():
        found.setdefault(topic, {})[partition] = (first, last)
    return found


def _write_side(table: DataFrame, side: Side, contract: Contract, levels: Fitted, folder: Folder) -> None:
    rows = _side(table, side).orderBy("partition", "offset")
    made = featured(rows, contract, levels, label(contract.labels.kind))
    made.select(*_features(contract), "label").write.parquet(str(folder.part(side)))


def _write_golden(holdout: DataFrame, contract: Contract, levels: Fitted, folder: Folder) -> None:
    """A sample spread over the holdout (by a hash of the place, so that a rebuilt window gives the same)."""
    fields = [F.col("event").getField(f.name).alias(f"event.{f.name}") for f in contract.events.fields]
    sample = holdout.orderBy(F.xxhash64("partition", "offset")).limit(GOLDEN_ROWS).coalesce(1)
    fields += [F.col(READINGS).getField(r.name).alias(f"reading.{r.name}") for r in contract.readings]
    made = featured(sample.sortWithinPartitions("partition", "offset"), contract, levels, *fields)
    made.write.parquet(str(folder.part("golden")))


def _features(contract: Contract) -> list[Column]:
    return [field(f"feature.{f.name}") for f in contract.features]


def _baselines(contract: Contract, folder: Folder) -> dict[str, Baseline]:
    """Of every feature over the training rows as they were written, one column in memory at a time."""
    rows = ds.dataset([str(path) for path in folder.files("train")])
    columns = {f.name: f"feature.{f.name}" for f in contract.features}
    return {name: baseline(rows.to_table(columns=[column])[column]) for name, column in columns.items()}
