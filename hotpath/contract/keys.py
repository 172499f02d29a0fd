"""Every key of a contract file: the loader accepts exactly these, the reference page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from hotpath.contract.metrics import METRICS, Metric
from hotpath.contract.parts import ALGORITHMS
from hotpath.contract.statistics import MOST_DIGITS
from hotpath.contract.types import LONGEST_TEXT, MOST_ITEMS, MOST_LEVELS

USUAL_ALGORITHMS = ("drf", "gbm", "glm")
"""What a search tries, where it does not say."""
DIGITS = 6
"""Decimals that are kept of an aggregate's double, where it does not say."""


@dataclass(frozen=True)
class Key:
    """One key: what it takes in words, what it means, whether it may be left out."""

    name: str
    takes: str
    doc: str
    optional: bool = False


_USUAL = ", ".join(USUAL_ALGORITHMS)


def _kinds(metric: Metric) -> str:
    return " and ".join(metric.kinds)


CONTRACT = (
    Key("name", "lower-case letters, digits, `-`", "the pipeline; the file is called NAME.yaml"),
    Key("question", "a sentence", "what the score answers, for people"),
    Key("events", "a section", "the question's topic and fields"),
    Key("labels", "a section", "the answer's topic and fields, known later"),
    Key("streams", "NAME: STREAM", "further topics that aggregates read", optional=True),
    Key("aggregates", "NAME: AGGREGATE", "statistics by key over closed tiles of time", optional=True),
    Key("tables", "NAME: TABLE", "small tables that ship with the contract, for look-ups", optional=True),
    Key("features", "NAME: EXPRESSION", "what the model sees, from event fields and aggregates"),
    Key("train", "a section", "when and on what a model is trained"),
    Key("metrics", "NAME: EXPRESSION", "the business's own, over outcomes of decisions (binary)", True),
    Key("gate", "a section", "what a model must reach to go live"),
    Key("scorecard", "a section", "the risks that a model must say it can keep to", optional=True),
    Key("serve", "a section", "how old a live model may become"),
    Key("floor", "a section", "what a live model must keep up, or it is rolled back", optional=True),
)
EVENTS = (
    Key("topic", "a Kafka topic", "where events arrive, on-premises and mirrored"),
    Key("id", "a string field", "unique; a second event with it is left out of windows"),
    Key("entity", "a string field", "what a label refers to; the topic's key"),
    Key("host", "a string or category field", "the machine whose clock stamped `time`"),
    Key("time", "a timestamp field", "the instant the host claims"),
    Key("fields", "NAME: FIELD", "what is decoded and kept; anything else is counted and left out"),
    Key("consent", "a bool field", "a record in which it is not true is not landed", optional=True),
    Key("decoder", "a decoder", "how a record is written (default json)", optional=True),
    Key("schema", "a file's name", "the schema that the decoder reads with, beside this file", optional=True),
)
LABELS = (
    Key("topic", "a Kafka topic", "where labels arrive"),
    Key("entity", "a string field", "the event's entity that this label is about"),
    Key("fields", "NAME: FIELD", "what is decoded and kept"),
    Key("target", "a bool, category, long or double field", "the truth that the model learns"),
    Key("horizon", "a duration", "an event without a label after this stays unlabelled"),
    Key("decoder", "a decoder", "how a record is written (default json)", optional=True),
    Key("schema", "a file's name", "the schema that the decoder reads with, beside this file", optional=True),
)
STREAM = (
    Key("topic", "a Kafka topic", "where its records arrive, also another pipeline's `hotpath.scores.NAME`"),
    Key("fields", "NAME: FIELD", "what is decoded and kept"),
    Key("decoder", "a decoder", "how a record is written (default json)", optional=True),
    Key("schema", "a file's name", "the schema that the decoder reads with, beside this file", optional=True),
)
AGGREGATE = (
    Key("over", "events, labels or a stream", "whose records it is made of"),
    Key("by", "a string, category, long or bool field", "of its records: the key; null is no key"),
    Key("key", "an event field", "where a question has the key (default: the field called as `by`)", True),
    Key("value", "a bool, long or double field", "of its records; without one they are counted", True),
    Key("digits", f"0 to {MOST_DIGITS}", f"decimals kept of a double (default {DIGITS})", optional=True),
    Key("tile", "a duration", "the span of arrival that is summed up: windows are as fine as this"),
    Key("horizon", "a duration", "the longest window, whole tiles"),
    Key("delay", "a duration", "a row reads tiles that ended so long ago; horizon + 2 delay: 2880 tiles"),
    Key("grace", "a duration", "a tile is published so long after its end (default: delay / 4)", True),
    Key("default", "STATISTIC: NUMBER", "what is read where tiles cannot be had (default null)", True),
)
TRAIN = (
    Key("window", "a duration", "how far back training rows go"),
    Key("holdout", "1% to 50%", "share of the window, its newest part, that judges the model"),
    Key("retrain_every", "a duration", "time between two runs"),
    Key("max_rows", "1000 to 1000000000", "most rows that are learned from (default 2000000)", True),
    Key("validation", "1 to 10", "slices of time that a search must hold over (default 3)", True),
    Key("timestamp_quality", "1% to 100%", "least share of events with a sound clock (default 50%)", True),
    Key(
        "leak", "above 0.5 to 1", "a feature that alone tells the label better leaks it (default 0.999)", True
    ),
    Key("search", "a section", "when better hyperparameters are looked for, without it never", True),
)
SEARCH = (
    Key("every", "a duration", "time between two searches, at least `retrain_every`"),
    Key("budget", "a duration", "real time of one, never that of a replay; shorter than `retrain_every`"),
    Key("algorithms", f"out of {', '.join(ALGORITHMS)}", f"what is tried (default {_USUAL})", optional=True),
)
GATE = (
    *(
        Key(
            m.name,
            f'"{m.sign} NUMBER"',
            f"{m.doc}{'' if m.proof else ', on the holdout'} ({_kinds(m)})",
            optional=True,
        )
        for m in METRICS
    ),
    Key("shadow", "0 to 10000000", "labelled answers to live questions to be seen first (default 0)", True),
    Key("confidence", "0.5 to 0.9999", "how sure it must be that a model is worse (default 0.95)", True),
)
SCORECARD = (
    Key("false_positive_rate", "numbers above 0 to 0.5", "tolerances: share of no that is declined", True),
    Key("false_negative_rate", "numbers above 0 to 0.5", "tolerances: share of yes that is accepted", True),
    Key(
        "coverage",
        "numbers above 0.5 to below 1",
        "shares of truths that an interval must hold (number)",
        True,
    ),
    Key("confidence", "0.5 to 0.9999", "how sure a promise must be (default 0.95)", True),
    Key("decide", "a section", "the tolerances that answers are decided by (binary)", True),
)
DECIDE = (
    Key("false_positive_rate", "one that is listed", "from its threshold on: decline", optional=True),
    Key("false_negative_rate", "one that is listed", "below its threshold: accept", optional=True),
)
SERVE = (
    Key("fresh", "a duration", "an answer from an older model is marked stale"),
    Key("expired", "a duration", "an older model is no longer used; longer than `fresh`"),
    Key(
        "parameters",
        "NAME: FIELD",
        "what a caller may send beside the fields",
        optional=True,
    ),
    Key("response", "NAME: FIELD", "what an answer holds: outputs, features, parameters", optional=True),
    Key("unknown", "refuse or ignore", "a request's unknown field (default refuse)", optional=True),
    Key("fallback", "an expression", "over features: what is answered where the model cannot", optional=True),
)
FLOOR = (
    *(
        Key(m.name, f'"{m.sign} NUMBER"', f"{m.doc}, on a window's live answers ({_kinds(m)})", optional=True)
        for m in METRICS
        if not m.proof
    ),
    Key("window", "a duration", "length of an outcome window, by the instant of the question"),
    Key("windows", "1 to 100", "windows that count, one after another, that miss it before a rollback"),
    Key("labels", "2 to 1000000", "least labelled answers for a window, or an older model, to count"),
)
_MOST_CHARACTERS = f"most characters (string, category; default {LONGEST_TEXT})"
_MOST_LEVELS = f"most levels that `level` keeps (category; default {MOST_LEVELS})"
_FROM = Key("from", "a text", "the record's own name for it", optional=True)
_DOC = Key("doc", "a sentence", "what it means, for people", optional=True)
_NULLABLE = Key("nullable", "true or false", "may be null or absent (default false)", optional=True)
FIELD = (
    Key("type", "a field type", "what the value is"),
    _NULLABLE,
    Key("default", "a value", "taken where the field is absent; not beside `nullable`", optional=True),
    Key("min", "a number", "least value (long, double)", optional=True),
    Key("max", "a number", "greatest value (long, double)", optional=True),
    Key("unit", "a unit", "what the number measures (long, double)", optional=True),
    Key("max_length", "1 to 65536", _MOST_CHARACTERS, optional=True),
    Key("max_levels", "2 to 65536", _MOST_LEVELS, optional=True),
    Key("levels", "a list of texts", "all that the value may be (category)", optional=True),
    Key("format", "a format", "what the text is written as (string, category)", optional=True),
    Key("of", "string, long or double", "what an item is (array)", optional=True),
    Key("max_items", "1 to 1024", f"most items (array; default {MOST_ITEMS})", optional=True),
    Key("fields", "NAME: FIELD", "what it is made of (object)", optional=True),
    _DOC,
    _FROM,
)
OBJECT = (Key("type", "object", "a nested object"), Key("fields", "NAME: FIELD", ""), _NULLABLE, _DOC, _FROM)
TABLE = (
    Key("file", "a file's name", "a CSV file with a header line, beside this file", optional=True),
    Key("key", "a column", "the column that a row is looked up by; its values are texts, each once"),
    # What a contract that travels holds in place of `file`.
    Key("columns", "NAME: TYPE", "the columns' types (in a bundle, in place of `file`)", True),
    Key("rows", "a list of rows", "the rows (in a bundle, in place of `file`)", True),
)
SECTIONS = {
    "The file": CONTRACT,
    "events": EVENTS,
    "labels": LABELS,
    "A field": FIELD,
    "A stream": STREAM,
    "An aggregate": AGGREGATE,
    "A table": TABLE,
    "train": TRAIN,
    "train.search": SEARCH,
    "gate": GATE,
    "scorecard": SCORECARD,
    "scorecard.decide": DECIDE,
    "serve": SERVE,
    "floor": FLOOR,
}
RESERVED = ("topic", "partition", "offset", "arrived_at", "landed_at", "imported", "reason", "raw")
"""Columns that the lake adds to every row: no field may be called so."""
