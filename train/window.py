"""The training window as a Spark plan: which events become rows, what is left out, and why.

Everything is cut by `arrived_at`, the on-prem broker's clock: no host's clock can move a row (law 3), and
what a host said while its clock was wrong is no row, nor an event later than its own arrival. And no
training row knows what was not known when the holdout's first question was asked. The plan names tables and
columns only; where files lie and what is written belongs to `sources` and `written`, and where the bounds of
budget, cut and slices lie to `division`. Features come last, when it is known which rows train: levels are
fitted on those alone.

A judged table has a row for each event of the window::

    event     struct of the decoded fields      topic, partition, offset, arrived_at    where it stood, µs
    answer    struct of the newest label that had arrived, or null
    disagree  whether the entity's labels do; again: whether one came more than once, the same
    left_out  the reason, or null for a row
    readings  struct of what it reads of tiles, where the contract has aggregates (`tiles` adds it)
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from hotpath.clock import Micros
from hotpath.contract.business import amounts
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.parts import Kind
from hotpath.contract.types import Type
from train.account import Span
from train.clocks import FUTURE, REASONS, WRONG, Clocks
from train.division import Division
from train.tiles import READINGS
from train.to_spark import column, feature_columns

DUPLICATE = "same id, same body"
CONTRADICTED = "same id, other body"
UNLABELLED = "unlabelled"
STRANGE = "label of a class that the contract does not have"
EARLY = "label arrived before its event"
LATE = "label arrived after the horizon"
BEYOND = "beyond the row budget"
AFTER_CUT = "label arrived after the cut"
LEFT_OUT = (*REASONS, DUPLICATE, CONTRADICTED, UNLABELLED, STRANGE, EARLY, LATE, BEYOND, AFTER_CUT)
PLACE = ("topic", "partition", "offset", "arrived_at")
GROUNDS = ("id", "doubt", "nth", "first", "strange")
"""Columns of a judged table that its verdicts were made of, and nobody asks for after."""
GROUPS = 20
"""Of the holdout's entities, for whoever asks how much a figure would differ with others."""
ORDER = ("partition", "offset", "topic")
"""Of the rows in what is written."""
DOUBT, DOUBTED, SPANS, CARRIED = "why doubted", "doubted host", "doubted spans", "carried along"
"""Columns beside an event's own: no field's name has a space."""


def judged(events: DataFrame, labels: DataFrame, contract: Contract, span: Span, clocks: Clocks) -> DataFrame:
    """Every event that arrived in `span`, with its newest label and its verdict."""
    answers = answered(labels, contract, span.end)
    rows = asked(events, contract, span, clocks).join(answers, "entity", "left")
    return rows.withColumn("left_out", _left_out(contract.labels.horizon))


def parted(judged: DataFrame, division: Division, kind: Kind) -> DataFrame:
    """A judged table whose rows have a `side`: holdout where they arrived at the cut or later, else train.

    A row before the cut is left out if its label came at the cut or after it: nobody could know it when the
    holdout's questions were asked. So no entity has rows on both sides either, for a label that came before
    the cut came before each of the entity's questions in the holdout. The same goes for the validation
    slices, but that a search alone leaves those rows out (`slice` -1). `weight`: 1 on average.
    """
    older, taught = F.col("arrived_at") < division.cut, F.col("answer.arrived_at") < division.cut
    beyond, weight = _budgeted(division, kind)
    late = F.when(beyond, BEYOND).when(older & ~taught, AFTER_CUT)
    left_out = F.coalesce(F.col("left_out"), late)
    side = F.when(left_out.isNull(), F.when(older, "train").otherwise("holdout"))
    return judged.withColumns(
        {"side": side, "left_out": left_out, "weight": weight, "slice": _slice(division.slices)}
    )


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
    """One row an entity that had a label by `now`: the newest one, whether they disagree or came again.

    A class that an older contract had is no answer to today's question, as for who measures live quality: of
    an entity that has no other the answer is null.
    """
    target, classes = field(contract.labels.target), contract.labels.classes
    known = target.isin(*classes) if contract.labels.kind == "classes" else F.lit(True)
    taken = F.col("target").isNotNull()
    newest = F.struct("arrived_at", "partition", "offset")
    return (
        labels.filter((F.col("arrived_at") <= _instant(now)) & target.isNotNull())
        .select(
            field(contract.labels.entity).alias("entity"), F.when(known, target).alias("target"), *_place()
        )
        .groupBy("entity")
        .agg(
            F.max_by(F.struct("target", *PLACE), F.when(taken, newest)).alias("answer"),
            (F.min("target") != F.max("target")).alias("disagree"),
            ((F.min("target") == F.max("target")) & (F.count("target") > 1)).alias("again"),
            (F.count("target") == 0).alias("strange"),
        )
    )


def featured(
    rows: DataFrame, contract: Contract, fitted: Fitted, *kept: Column, ruled: bool = False
) -> DataFrame:
    """Rows of a judged table as the model takes them: `feature.NAME`, the columns `kept` before them.

    A category is a string, every number and truth value a double; null stays null. `ruled`: with what the
    contract's fallback rule says of the features, where it has one, as `row.fallback`.
    """
    carried = F.struct(*kept).alias(CARRIED)
    inputs = ["event.*", f"{READINGS}.*"] if contract.readings else ["event.*"]
    made = rows.select(carried, *inputs).select(field(CARRIED), *feature_columns(contract, fitted))
    columns = [
        (field(f.name) if f.type == Type.CATEGORY else field(f.name).cast("double")).alias(
            f"feature.{f.name}"
        )
        for f in contract.features
    ]
    return made.select(f"`{CARRIED}`.*", *columns, *(_fallback(contract) if ruled else ()))


def with_alone(holdout: DataFrame) -> DataFrame:
    """The holdout's rows, of which one an entity is `alone`: whichever has the least hash of its place."""
    by_place = Window.partitionBy("entity").orderBy(F.xxhash64("partition", "offset"), *ORDER)
    return holdout.withColumn("alone", F.row_number().over(by_place) == 1)


def beside_training() -> list[Column]:
    """What a training row has beside its features: its entity's group, its weight, its slice in a search."""
    weight, part = F.col("weight").alias("row.weight"), F.col("slice").cast("double").alias("row.slice")
    return [_group(), weight, part]


def beside_holdout(contract: Contract) -> list[Column]:
    """What a holdout row has beside its features, for those who measure.

    `row.arrived_at`; `row.group`, of its entity; `row.alone`, true of one row an entity; `row.amount.FIELD`
    for each field that a metric of the contract's own names.
    """
    named = [
        F.col("event").getField(name).cast("double").alias(f"row.amount.{name}") for name in amounts(contract)
    ]
    return [
        F.col("arrived_at").alias("row.arrived_at"),
        _group(),
        F.col("alone").alias("row.alone"),
        *named,
    ]


def _group() -> Column:
    """Rows of one entity are of one group: confidence bounds leave out a group at a time."""
    return F.pmod(F.xxhash64("entity"), F.lit(GROUPS)).cast("int").alias("row.group")


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


def _budgeted(division: Division, kind: Kind) -> tuple[Column, Column]:
    """Whether a row is beyond the row budget, and what it weighs."""
    if not division.kept:
        return F.lit(False), F.lit(1.0)
    place = ("arrived_at", "partition", "offset")
    bounds, weights = [], []
    for name, kept in division.kept.items():
        since = zip(place, kept.since, strict=True)
        bounds += [F.lit(name), F.struct(*(F.lit(n).cast("bigint").alias(part) for part, n in since))]
        weights += [F.lit(name), F.lit(kept.weight)]
    stratum = F.lit("") if kind == "number" else label(kind)
    here = F.struct(*(F.col(part).cast("bigint").alias(part) for part in place))
    return here < F.create_map(*bounds)[stratum], F.create_map(*weights)[stratum]


def _slice(begins: tuple[Micros, ...]) -> Column:
    """The validation slice of a training row: 0 before all of them where its label was known by then."""
    found = F.when(F.col("answer.arrived_at") < begins[0], 0).otherwise(-1) if begins else F.lit(0)
    for number, since in enumerate(begins, start=1):
        found = F.when(F.col("arrived_at") >= since, number).otherwise(found)
    return found


def _fallback(contract: Contract) -> list[Column]:
    """What the contract's rule says over the features by their names; nothing where it has none."""
    rule = contract.serve.fallback
    if rule is None:
        return []
    said = column(rule.tree)
    if contract.labels.kind == "number":
        said = said.cast("double")
    if contract.labels.kind == "classes":
        said = F.when(said.isin(*contract.labels.classes), said)
    return [said.alias("row.fallback")]


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
        .when(F.col("strange"), STRANGE)
        .when(F.col("answer").isNull(), UNLABELLED)
        .when(waited < 0, EARLY)
        .when(waited > horizon, LATE)
    )
