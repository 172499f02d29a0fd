"""Measurements: what every part says of itself on `hotpath.points`, in InfluxDB's line protocol.

The table `MEASUREMENTS` names all of them with their tags and fields; adding one is one entry there. A
point is stamped with real time: what is measured is the machine, also while the domain's time is replayed.
Source of the format: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/

    >>> Point("machine", {"site": "cloud"}, {"cpu": 12.5, "parts": 9}, 1_000_000).line()
    'machine,site=cloud cpu=12.5,parts=9i 1000000'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

from hotpath.clock import Clock, Micros
from hotpath.errors import BadInput, Unavailable
from hotpath.handoffs import POINTS
from hotpath.kafka import Log

Number = float | int | bool | None
"""A field's value; None and what is not finite are left out of the line."""


@dataclass(frozen=True)
class Measurement:
    """What one kind of point holds. The first of `fields` is in every point of it (others may be unknown)."""

    name: str
    tags: tuple[str, ...]
    fields: Mapping[str, str]
    doc: str

    @property
    def always(self) -> str:
        """The field that every point has."""
        return next(iter(self.fields))


_QUALITY = {
    "auc": "area under the ROC curve",
    "f1": "F1 at the decision's threshold",
    "f2": "F2 at the decision's threshold",
    "accuracy": "share of right decisions",
    "log_loss": "mean negative log-likelihood (nats)",
}

MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        "scorer",
        ("pipeline", "scorer"),
        {
            "requests": "scoring requests since the last point",
            "errors": "of them answered with 4xx or 5xx",
            "degraded": "rows answered with a degraded flag",
            "dropped": "score records that Kafka did not take",
            "request_us": "mean time from the head's receipt to the answer's bytes",
            "parse_us": "mean time of a request's JSON and fields",
            "features_us": "mean time of a row's features",
            "model_us": "mean time of a row's score",
            "record_us": "mean time of handing a row's record over",
            "generation": "the live sequence",
            "model_age_s": "domain seconds since the live model was trained",
        },
        "what a scorer answered, each second",
    ),
    Measurement(
        "stream",
        ("pipeline",),
        {
            "rows": "records of the batch",
            "rejected": "of them rejected",
            "batch_s": "seconds the batch took",
            "behind": "offsets the job had not read when the batch ended",
        },
        "a batch of the stream job",
    ),
    Measurement("mirror", ("topic",), {"behind": "records that have not crossed"}, "the mirror, by topic"),
    Measurement(
        "line",
        ("site",),
        {
            "silence_s": "seconds since the newest mark that has crossed was made",
            "marks": "marks since the last point",
            "difference_s": "the site's clock less the monitor's, as the marks tell",
        },
        "the line between the sites, and their clocks",
    ),
    Measurement(
        "freshness",
        ("pipeline", "of"),
        {"p50_s": "median", "p95_s": "95th percentile"},
        "real seconds: `events`, `labels` from arrival to lake; `model` from its newest event to live",
    ),
    Measurement("stage", ("pipeline", "stage"), {"seconds": "what it took"}, "a stage of a training run"),
    Measurement(
        "run",
        ("pipeline", "state"),
        {
            "seconds": "what it took in all",
            "rows": "training rows",
            "left_out": "events of the window without a row",
            "wrong_clock": "of them left out for their host's clock",
            "auc": "on the holdout",
            "sequence": "of the announcement",
        },
        "a training run",
    ),
    Measurement(
        "machine",
        ("site", "machine"),
        {
            "cpu": "percent of all cores",
            "memory": "percent in use",
            "disk": "percent in use of the data folder's file system",
            "memory_bytes": "bytes in use",
            "disk_free_bytes": "bytes free",
        },
        "a machine, by psutil",
    ),
    Measurement(
        "clock",
        ("pipeline", "host"),
        {
            "count": "events of the window",
            "offset_s": "smallest arrival less event time, less the peers' median; negative is ahead",
            "bad": "1 while the host is in a bad interval",
            "ahead": "events later than their own arrival",
        },
        "a host's clock, each window",
    ),
    Measurement(
        "clocks",
        ("pipeline",),
        {
            "hosts": "hosts seen in the window",
            "flagged": "of all known hosts those in a bad interval",
            "new": "hosts met for the first time",
            "ahead": "events later than their own arrival",
            "median_s": "the peers' median of the smallest arrival less event time",
            "monitor_wrong": "1 where the votes name the monitor's own clock",
            "onprem_wrong": "1 where they name the on-prem broker's",
        },
        "the host-clock ledger of a pipeline",
    ),
    Measurement(
        "outcomes",
        ("pipeline", "by", "group"),
        {
            "answers": "answers of the group",
            "labelled": "of them with a label",
            "coverage": "labelled by answers",
            **_QUALITY,
        },
        "live quality: `by` is all, model (sequence), age, maturity or window",
    ),
    Measurement(
        "alarm",
        ("monitor", "subject"),
        {"level": "0 clear, 1 warn, 2 page", "value": "what was measured"},
        "a verdict that began or ended",
    ),
    Measurement(
        "writer",
        (),
        {
            "written": "points acknowledged since the start",
            "refused": "lines that InfluxDB refused",
            "behind": "offsets to write",
        },
        "the points' writer",
    ),
)

BY_NAME: Mapping[str, Measurement] = {m.name: m for m in MEASUREMENTS}


@dataclass(frozen=True)
class Point:
    """One measurement; `at` is real."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Number]
    at: Micros

    def line(self) -> str:
        """Line protocol, tags sorted, timestamp in µs; empty tags are left out, as the format asks."""
        tags = "".join(f",{_key(k)}={_key(v)}" for k, v in sorted(self.tags.items()) if v)
        fields = ",".join(f"{_key(k)}={_value(v)}" for k, v in self.fields.items() if _known(v))
        return f"{_name(self.measurement)}{tags} {fields} {self.at}"

    @classmethod
    def parse(cls, line: str) -> Point:
        """The point in a line that `line` wrote. Raises BadInput on what is no such line."""
        parts = _split(line, " ")
        if len(parts) != 3 or not parts[2].lstrip("-").isdigit():
            raise BadInput("point", line[:200], "measurement,tags fields timestamp in µs")
        name, *tags = _split(parts[0], ",")
        try:
            return cls(
                _plain(name),
                {_plain(k): _plain(v) for k, v in (_split(tag, "=") for tag in tags)},
                {_plain(k): _number(v) for k, v in (_split(f, "=") for f in _split(parts[1], ","))},
                int(parts[2]),
            )
        except ValueError as error:
            raise BadInput("point", line[:200], "tags and fields as NAME=VALUE, fields as numbers") from error


@dataclass(frozen=True)
class Points:
    """Where one part's points go. `tags` are put on each of them."""

    log: Log
    clock: Clock
    tags: Mapping[str, str]

    def say(
        self, measurement: str, fields: Mapping[str, Number], tags: Mapping[str, str] | None = None
    ) -> bool:
        """Hand a point over without waiting; False (and nothing sent) where Kafka's client takes none.

        Raises KeyError where `MEASUREMENTS` does not know the measurement.
        """
        known = BY_NAME[measurement]
        said = {k: v for k, v in {**self.tags, **(tags or {})}.items() if k in known.tags}
        point = Point(measurement, said, fields, self.clock.real())
        if not any(_known(v) for v in fields.values()):
            return True
        try:
            return self.log.send(POINTS, point.line().encode(), key=measurement.encode())
        except Unavailable:  # whoever measures goes on: what it does matters more than what it says
            return False


def lines(points: Iterable[Point]) -> str:
    """Points as one body of a write."""
    return "\n".join(point.line() for point in points)


def _known(value: Number) -> bool:
    return value is not None and isfinite(value)


def _value(value: Number) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}i" if isinstance(value, int) else repr(float(value or 0.0))


def _number(text: str) -> Number:
    if text in ("true", "false"):
        return text == "true"
    return int(text[:-1]) if text.endswith("i") else float(text)


def _key(text: str) -> str:
    """A tag or field key, or a tag's value; a line break or a backslash at the end cannot be said at all."""
    clean = re.sub(r"[\x00-\x1f\x7f]+", " ", text).rstrip("\\")
    return re.sub(r"([,= ])", r"\\\1", clean)


def _name(text: str) -> str:
    return re.sub(r"([, ])", r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _split(text: str, at: str) -> list[str]:
    """Parts between separators that no backslash escapes."""
    return re.split(rf"(?<!\\){re.escape(at)}", text)
