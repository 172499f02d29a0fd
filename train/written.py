"""A judged window put to disk: training rows, holdout, golden sample, account.

Runs the plan's actions and writes into one folder; decides nothing but the cut between the two sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from hotpath.clock import Micros
from hotpath.contract.model import Contract
from train.account import Account, Side, Span
from train.clocks import Clocks
from train.folder import Folder
from train.window import LEFT_OUT, feature_names, holdout_size, label, parted

GOLDEN_ROWS = 200
SIDES: tuple[Side, Side] = ("train", "holdout")


def write(
    judged: DataFrame,
    contract: Contract,
    span: Span,
    clocks: Clocks,
    batches: Sequence[int],
    unlisted: int,
    folder: Folder,
) -> Account:
    """Write train.parquet/, holdout.parquet/, golden.parquet/ and account.json. The cache is let go."""
    cached = judged.persist()
    cut = _cut(cached.filter(F.col("left_out").isNull()), contract.train.holdout)
    table = parted(cached, cut)
    account = _account(table, span, clocks, batches, unlisted)
    columns = _quoted(feature_names(contract))
    for side in SIDES:
        part = table.filter(F.col("side") == side).orderBy("partition", "offset")
        part.select(*columns, label()).write.parquet(str(folder.part(side)))
    _write_golden(table.filter(F.col("side") == "holdout"), contract, columns, folder)
    folder.account.write_bytes(account.to_bytes())
    cached.unpersist()
    return account


def _cut(rows: DataFrame, share: float) -> Micros:
    """The holdout's oldest arrival: every row that came at it or later is holdout, so no tie is split."""
    count = rows.count()
    oldest = (
        rows.select("arrived_at").orderBy("arrived_at").offset(count - holdout_size(count, share)).first()
    )
    return int(oldest["arrived_at"]) if oldest else 0


def _account(table: DataFrame, span: Span, clocks: Clocks, batches: Sequence[int], unlisted: int) -> Account:
    total: Counter[str] = Counter()
    positive: Counter[str] = Counter()
    became = F.coalesce("side", "left_out")
    for what, events, trues in table.groupBy(became).agg(F.count("*"), F.count_if("answer.target")).collect():
        total[what], positive[what] = events, trues
    return Account(
        span=span,
        rows={s: total[s] for s in SIDES},
        positive={s: positive[s] for s in SIDES},
        left_out={reason: total[reason] for reason in LEFT_OUT},
        noticed={"entities whose labels disagree": _disagreeing(table), "files in no manifest": unlisted},
        batches=tuple(batches),
        offsets=_offsets(table.filter(F.col("side").isNotNull())),
        clocks=clocks,
    )


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


def _write_golden(holdout: DataFrame, contract: Contract, columns: Sequence[Column], folder: Folder) -> None:
    """A sample spread over the holdout (by a hash of the place, so that a rebuilt window gives the same)."""
    fields = [F.col("event").getField(f.name).alias(f"event.{f.name}") for f in contract.events.fields]
    sample = holdout.orderBy(F.xxhash64("partition", "offset")).limit(GOLDEN_ROWS).coalesce(1)
    sample.sortWithinPartitions("partition", "offset").select(*fields, *columns).write.parquet(
        str(folder.part("golden"))
    )


def _quoted(names: Sequence[str]) -> list[Column]:
    """Columns by name; without the quotes Spark reads the dot as a field of a struct."""
    return [F.col(f"`{name}`") for name in names]
