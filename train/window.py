"""The training window as a Spark plan: which events become rows, what is left out, and why.

Everything is cut by `arrived_at`, the on-prem broker's clock: no host's clock can move a row (law 3), and
what a host said while its clock was wrong is no row, nor an event later than its own arrival. And no
training row knows what was not known when the holdout's first question was asked. The plan names tables and
columns only; where files lie and what is written belongs to `sources` and `written`. Features come last, when
it is known which rows train: levels are fitted on those alone.

A judged table has a row for each event of the window::

    event     struct of the decoded fields      topic, partition, offset, arrived_at    where it stood, µs
    answer    struct of the newest label that had arrived, or null
    left_out  the reason, or null for a row
    readings  struct of what it reads of tiles, where the contract has aggregates (`tiles` adds it)
"""

from __future__ import annotations

from math import ceil

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from hotpath.clock import Micros
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Kind
from hotpath.contract.types import Type
from train.account import Span
from train.clocks import FUTURE, REASONS, WRONG, Clocks
from train.tiles import READINGS
from train.to_spark import feature_columns

DUPLICATE = "same id, same body"
CONTRADICTED = "same id, other body"
UNLABELLED = "unlabelled"
EARLY = "label arrived before its event"
LATE = "label arrived after the horizon"
AFTER_CUT = "label arrived after the cut"
LEFT_OUT = (*REASONS, DUPLICATE, CONTRADICTED, UNLABELLED, EARLY, LATE, AFTER_CUT)
PLACE = ("topic", "partition", "offset", "arrived_at")
DOUBT, DOUBTED, SPANS, CARRIED = "why doubted", "doubted host", "doubted spans", "carried along"
"""Columns beside an event's own: no field's name has a space."""


def judged(events: DataFrame, labels: DataFrame, contract: Contract, span: Span, clocks: Clocks) -> DataFrame:
    """Every event that arrived in `span`, with its newest label and its verdict."""
    answers = answered(labels, contract, span.end)
    rows = asked(events, contract, span, clocks).join(answers, "entity", "left")
    return rows.withColumn("left_out", _left_out(contract.labels.horizon))


def parted(judged: DataFrame, cut: Micros) -> DataFrame:
    """A judged table whose rows have a `side`: holdout where they arrived at `cut` or later, else train.

    A row before the cut is left out if its label came at the cut or after it: nobody could know it when the
    holdout's questions were asked. So no entity has rows on both sides either, for a label that came before
    the cut came before each of the entity's questions in the holdout.
    """
    older, taught = F.col("arrived_at") < cut, F.col("answer.arrived_at") < cut
    left_out = F.coalesce(F.col("left_out"), F.when(older & ~taught, AFTER_CUT))
    side = F.when(left_out.isNull(), F.when(older, "train").otherwise("holdout"))
    return judged.withColumn("side", side).withColumn("left_out", left_out)


def asked(events: DataFrame, contract: Contract, span: Span, clocks: Clocks) -> DataFrame:
    """Events of the window, each knowing its place among those of one id (`nth`) and the first's body.

    `doubt` says why a row's clock is not believed. Such rows are the last of their id, so that an honest copy
    that came later is not lost to them.
    """
    arrived = F.col("arrived_at")
    fields = [field(f.name) for f in contract.events.fields]
    same_id = Window.partitionBy("id").orderBy(
        F.col("doubt").isNotNull(), "arrived_at", "partition", "offset"
    )
    within = events.filter((arrived > _instant(span.start)) & (arrived <= _instant(span.end)))
    return (
        doubted(within, contract, clocks)
        .select(
            F.col(DOUBT).alias("doubt"),
            field(contract.events.id).alias("id"),
            field(contract.events.entity).alias("entity"),
            F.struct(*fields).alias("event"),
            *_place(),
        )
        .withColumn("nth", F.row_number().over(same_id))
        .withColumn("first", F.first("event").over(same_id))
    )


def doubted(events: DataFrame, contract: Contract, clocks: Clocks) -> DataFrame:
    """Events with why they are doubted: their host's clock was wrong when they arrived, or they say it."""
    told, arrived = (F.unix_micros(field(name)) for name in (contract.events.time, "arrived_at"))
    future = F.when(told - arrived > clocks.tolerance, FUTURE)
    if not clocks.intervals:
        return events.withColumn(DOUBT, future)
    # One row a host, so that the join can never make two rows of one event; small, so that it is sent to all.
    bad = F.broadcast(_by_host(events.sparkSession, clocks))
    covers = F.exists(SPANS, lambda s: (arrived >= s.since) & (s.until.isNull() | (arrived < s.until)))
    found = events.join(bad, field(contract.events.host) == field(DOUBTED), "left")
    return found.withColumn(DOUBT, F.when(covers, WRONG).otherwise(future))


def answered(labels: DataFrame, contract: Contract, now: Micros) -> DataFrame:
    """One row an entity: the newest label that had arrived by `now`, and whether its labels disagree."""
    target, classes = field(contract.labels.target), contract.labels.classes
    # A class that an older contract had is no answer to today's question, as for who measures live quality.
    known = target.isin(*classes) if contract.labels.kind == "classes" else target.isNotNull()
    return (
        labels.filter((F.col("arrived_at") <= _instant(now)) & known)
        .select(field(contract.labels.entity).alias("entity"), target.alias("target"), *_place())
        .groupBy("entity")
        .agg(
            F.max_by(F.struct("target", *PLACE), F.struct("arrived_at", "partition", "offset")).alias(
                "answer"
            ),
            (F.min("target") != F.max("target")).alias("disagree"),
        )
    )


def featured(rows: DataFrame, contract: Contract, fitted: Fitted, *kept: Column) -> DataFrame:
    """Rows of a judged table as the model takes them: `feature.NAME`, the columns `kept` before them.

    A category is a string, every number and truth value a double; null stays null.
    """
    carried = F.struct(*kept).alias(CARRIED)
    columns = [
        (column if feature.type == Type.CATEGORY else column.cast("double")).alias(f"feature.{feature.name}")
        for feature, column in zip(contract.features, feature_columns(contract, fitted), strict=True)
    ]
    inputs = ["event.*", f"{READINGS}.*"] if contract.readings else ["event.*"]
    return rows.select(carried, *inputs).select(f"`{CARRIED}`.*", *columns)


def label(kind: Kind) -> Column:
    """The label as H2O wants it: a class's text, a number as a double.

    Of a binary target "0" or "1": two levels in the order that makes p1 the chance of true.
    """
    target = F.col("answer.target")
    as_told = {
        "binary": F.when(target, "1").otherwise("0"),
        "classes": target,
        "number": target.cast("double"),
    }
    return as_told[kind].alias("label")


def field(name: str) -> Column:
    """A column by its name; without the quotes Spark reads a dot in it as a field of a struct."""
    return F.col(f"`{name}`")


def holdout_size(rows: int, share: float) -> int:
    """Rows of the newest part that judges the model; ties with its oldest row are added to it.

    >>> holdout_size(10, 0.2), holdout_size(11, 0.2), holdout_size(0, 0.2)
    (2, 3, 0)
    """
    return ceil(round(rows * share, 6))


def _by_host(session: SparkSession, clocks: Clocks) -> DataFrame:
    spans: dict[str, list[tuple[Micros, Micros | None]]] = {}
    for bad in clocks.intervals:
        spans.setdefault(bad.host, []).append((bad.since, bad.until))
    columns = f"`{DOUBTED}` string, `{SPANS}` array<struct<since: bigint, until: bigint>>"
    return session.createDataFrame(list(spans.items()), columns)


def _place() -> list[Column]:
    return [F.unix_micros(c).alias(c) if c == "arrived_at" else F.col(c) for c in PLACE]


def _instant(at: Micros) -> Column:
    """A literal, so that Parquet's statistics can spare the reading."""
    return F.timestamp_micros(F.lit(at))


def _left_out(horizon: Micros) -> Column:
    """The first reason that holds. Struct equality is null-safe: a null equals a null."""
    waited = F.col("answer.arrived_at") - F.col("arrived_at")
    again = F.when(F.col("event").eqNullSafe(F.col("first")), DUPLICATE).otherwise(CONTRADICTED)
    return (
        F.when(F.col("doubt").isNotNull(), F.col("doubt"))
        .when(F.col("nth") > 1, again)
        .when(F.col("answer").isNull(), UNLABELLED)
        .when(waited < 0, EARLY)
        .when(waited > horizon, LATE)
    )
