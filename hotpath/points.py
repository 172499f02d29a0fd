"""Measurements: what every part says of itself on `hotpath.points`, in InfluxDB's line protocol.

The table `MEASUREMENTS` names all of them with their tags and fields; adding one is one entry there. A
point is stamped with real time: what is measured is the machine, also while the domain's time is replayed.
What `Points.say` sends are doubles throughout: the first value of a field fixes its type in InfluxDB, and a
later point that said 0.5 where the first said 0 would be refused.
Source of the format: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/

    >>> Point("machine", {"site": "cloud"}, {"cpu": 12.5, "parts": 9}, 1_000_000).line()
    'machine,site=cloud cpu=12.5,parts=9i 1000000'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from hotpath.clock import Clock, Micros
from hotpath.contract.metrics import METRICS
from hotpath.errors import BadInput, Unavailable
from hotpath.handoffs import POINTS
from hotpath.kafka import Log

LONGEST_TAG = 256
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]{1,19}i|-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,4})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SPECIAL = re.compile(r"([,= ])")

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


_QUALITY = {metric.name: metric.doc for metric in METRICS if not metric.proof}
"""By kind of target only some of them are defined."""

MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        "scorer",
        ("pipeline", "scorer"),
        {
            "requests": "scoring requests since the last point",
            "errors": "of them answered with 4xx or 5xx",
            "degraded": "rows answered with a degraded flag",
            "unknown": "fields passed over because no contract names them",
            "dropped": "score records that Kafka did not take",
            "request_us": "mean time from the head's receipt to the answer's bytes",
            "parse_us": "mean time of a request's JSON and fields",
            "features_us": "mean time of a row's features",
            "model_us": "mean time of a row's score",
            "record_us": "mean time of handing a row's record over",
            "state_us": "mean time of a request's keyed state, of those that read any",
            "trips": "round trips to Redis",
            "failed_trips": "of them without an answer in time",
            "copied": "keys that a copy in the process answered",
            "defaulted": "aggregates of rows that were the contract's defaults, for want of tiles",
            "late": "aggregates of rows whose newest tile was not there yet",
            "breaker": "1 while Redis is left alone",
            "generation": "the live sequence",
            "model_age_s": "domain seconds since the live model was trained",
        },
        "what a scorer answered, each second",
    ),
    Measurement(
        "state",
        (),
        {
            "written": "values written into Redis since the last point",
            "refills": "times that Redis was filled from the beginning since the last point",
            "filling": "1 while Redis is not brought up to the topic",
            "age_s": "domain seconds since the newest instant up to which tiles are in Redis",
        },
        "Redis as the state's follower keeps it, each second",
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
    Measurement(
        "lake",
        ("pipeline",),
        {
            "files": "files in force",
            "bytes": "of them in all",
            "large": "share of the bytes in files of 64 MB or more",
            "manifests": "batches and ranges in force",
            "superseded": "manifests out of force that are still there",
            "retired": "ranges and batches whose files were taken away this time, being past their time",
            "seconds": "what the newest compaction took",
        },
        "a pipeline's lake",
    ),
    Measurement(
        "tiles",
        ("pipeline", "aggregate"),
        {
            "records": "records that were taken into tiles since the last point",
            "late": "of them those that landed in a tile that was told already",
            "keys": "keys that were told since the last point",
            "closed": "tiles that were told for the first time since the last point",
            "bytes": "of what was told since the last point",
            "behind_s": "domain seconds from the newest tile that is told to the newest mark",
            "margin_s": "domain seconds of the delay that were left at the least when a tile was told",
            "margin": "the same as a share of the delay",
        },
        "an aggregate's tiles, every ten seconds",
    ),
    Measurement("mirror", ("topic",), {"behind": "records that have not crossed"}, "the mirror, by topic"),
    Measurement(
        "gap",
        ("missed_by", "topic", "partition", "why"),
        {"records": "records that are missing: those found in the last six hours, at the most so many"},
        "records that were purged, or whose topic was recreated, before the mirror or the lake had them",
    ),
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
    Measurement(
        "stage",
        ("pipeline", "stage"),
        {
            "seconds": "what it took",
            "rows": "that went through it, where they are counted",
            "bytes": "that went through it, where they are counted",
        },
        "a stage of a training run, or `STAGE/PART`: a part of it, in which nothing else is done",
    ),
    Measurement(
        "run",
        ("pipeline", "state"),
        {
            "seconds": "what it took in all",
            "rows": "training rows",
            "left_out": "events of the window without a row",
            "wrong_clock": "of them left out for their host's clock",
            "believed": "share of the window's events that no clock reason left out",
            **{name: f"{doc}, on the holdout" for name, doc in _QUALITY.items()},
            "latency_us": "median of features and score of one row, as the proof measured it",
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
        "floor",
        ("pipeline",),
        {
            "windows_below": "newest outcome windows in a row, whichever models answered, below the floor",
            "rolled_back": "1 while the live model was rolled back to, or a rollback from it is on its way",
            "stuck": "1 while a rollback is due and no older model is good enough",
        },
        "the live model against the contract's floor",
    ),
    Measurement(
        "parity",
        ("pipeline",),
        {
            "differing": "answers of late whose features the lake does not give",
            "late": "that read a tile which came later than its delay, or was published anew since",
            "degraded": "that had no tiles",
            "equal": "that agree to the bit",
            "checked": "answers that were computed again",
        },
        "a sample of the last domain hour's answers, computed again from the lake",
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
            "refused": "lines that InfluxDB refused since the last point",
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
        """Line protocol, tags and fields sorted, timestamp in µs; what is empty or not known is left out.

        Tags are said as `sayable` has them. The bytes are those of influxdb_client's own Point.
        """
        said = sorted((key, sayable(value)) for key, value in self.tags.items())
        tags = "".join(f",{_key(key)}={_key(value)}" for key, value in said if value)
        known = sorted((key, value) for key, value in self.fields.items() if _known(value))
        fields = ",".join(f"{_key(key)}={_value(value)}" for key, value in known)
        return f"{_name(self.measurement)}{tags} {fields} {self.at}"

    @classmethod
    def parse(cls, line: str) -> Point:
        """The point in a line that `line` wrote. Raises BadInput on what is no such line."""
        match _split(line, " "):
            case [place, fields, at] if _WHOLE.fullmatch(at):
                name, *tags = _split(place, ",")
                return cls(
                    _plain(name), dict(map(_tag, tags)), dict(map(_field, _split(fields, ","))), int(at)
                )
        raise BadInput("point", line[:200], "measurement,tags fields timestamp in µs")


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

        Raises KeyError where `MEASUREMENTS` does not know the measurement. Fields that are not known are left
        out, tags that the measurement does not have too; a point without a field is none.
        """
        known = BY_NAME[measurement]
        said = {k: v for k, v in {**self.tags, **(tags or {})}.items() if k in known.tags}
        doubles = {
            name: float(value) for name, value in fields.items() if value is not None and _known(value)
        }
        if not doubles:
            return True
        point = Point(measurement, said, doubles, self.clock.real())
        try:
            return self.log.send(POINTS, point.line().encode(), key=measurement.encode())
        except Unavailable:  # whoever measures goes on: what it does matters more than what it says
            return False


def sayable(text: str) -> str:
    """A tag's value as the format can carry it: no control character, no backslash at its end, cut."""
    clean = _CONTROL.sub(" ", text[:LONGEST_TAG]).encode("utf-8", "replace").decode()
    return clean.rstrip("\\")


def _known(value: Number) -> bool:
    try:
        return value is not None and isfinite(value)
    except OverflowError:  # a whole number beyond every double
        return False


def _value(value: Number) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}i" if isinstance(value, int) else str(value).removesuffix(".0")


def _tag(text: str) -> tuple[str, str]:
    match _split(text, "="):
        case [key, value] if key and value:
            return _plain(key), _plain(value)
    raise BadInput("point's tag", text[:200], "NAME=VALUE")


def _field(text: str) -> tuple[str, Number]:
    match _split(text, "="):
        case [key, ("true" | "false") as value] if key:
            return _plain(key), value == "true"
        case [key, value] if key and _NUMBER.fullmatch(value):
            number = int(value[:-1]) if value.endswith("i") else float(value)
            if isfinite(number):
                return _plain(key), number
    raise BadInput("point's field", text[:200], "NAME=NUMBER")


def _key(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _name(text: str) -> str:
    return re.sub(r"([, ])", r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _split(text: str, at: str) -> list[str]:
    """Parts between separators that no backslash escapes."""
    return re.split(rf"(?<!\\){re.escape(at)}", text)
