"""The levels that `level` keeps, fitted on training rows alone: they know nothing of the holdout (law 3)."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from hotpath.contract.model import Contract
from hotpath.contract.tree import fitted_fields


def fitted_levels(rows: DataFrame, contract: Contract) -> dict[str, tuple[str, ...]]:
    """By field the `max_levels` most frequent levels of rows of a judged table, ties by text; sorted."""
    wanted = fitted_fields(contract.features)
    fields = [f for f in contract.events.fields if f.name in wanted]
    if not fields:
        return {}
    told = [
        F.struct(
            F.lit(f.name).alias("field"),
            F.col("event").getField(f.name).alias("level"),
            F.lit(f.max_levels).alias("most"),
        )
        for f in fields
    ]
    # All fields in one pass: a row tells a level of each.
    seen = rows.select(F.explode(F.array(*told)).alias("seen")).select("seen.*")
    counted = seen.filter("level IS NOT NULL").groupBy("field", "most", "level").count()
    rank = F.row_number().over(Window.partitionBy("field").orderBy(F.desc("count"), "level"))
    kept = counted.select("field", "level", "most", rank.alias("rank")).filter("rank <= most")
    found: dict[str, list[str]] = {f.name: [] for f in fields}
    for field, level in kept.select("field", "level").collect():
        found[field].append(level)
    return {field: tuple(sorted(levels)) for field, levels in found.items()}
