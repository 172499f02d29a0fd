"""A monitor as a Flux query: what its panel shows, and what a test runs against InfluxDB.

>>> from monitoring.monitors import MONITORS
>>> print(flux(MONITORS[0]))
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "line" and r._field == "silence_s")
  |> toFloat()
  |> group(columns: ["site", "_field"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)
  |> map(fn: (r) => ({_time: r._time, _value: r._value, subject: r.site}))
  |> group(columns: ["subject"])
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from monitoring.monitor import NOBODY, Monitor
from monitoring.monitors import MONITORS

GRAFANAS = ("v.defaultBucket", "v.timeRangeStart", "v.timeRangeStop", "v.windowPeriod")
"""What Grafana puts in: https://grafana.com/docs/grafana/latest/datasources/influxdb/template-variables/"""

_AGGREGATES = {"rate": "sum", "share": "sum"}


def flux(monitor: Monitor) -> str:
    """The query of a monitor's panel, with Grafana's variables."""
    return _query(monitor, *GRAFANAS)


def query(monitor: Monitor, bucket: str, start: str, stop: str, every: str) -> str:
    """The same with values put in: a bucket's name, Flux instants or durations, a duration (`10s`)."""
    return _query(monitor, json.dumps(bucket), start, stop, every)


def queries(
    bucket: str, minutes: int, monitors: tuple[Monitor, ...] = MONITORS, every: str = "10s"
) -> dict[str, str]:
    """Every panel's query over the last minutes, by the panel's title."""
    return {m.title: query(m, bucket, f"-{minutes}m", "now()", every) for m in monitors}


def _query(monitor: Monitor, bucket: str, start: str, stop: str, every: str) -> str:
    aggregate = _AGGREGATES.get(monitor.measure, monitor.measure)
    tags = ", ".join(json.dumps(tag) for tag in (*monitor.reads.by, "_field"))
    lines = [
        f"from(bucket: {bucket})",
        f"range(start: {start}, stop: {stop})",
        f"filter(fn: (r) => {_filter(monitor)})",
        "toFloat()",  # before series meet: a field of whole numbers and one of floats must not
        f"group(columns: [{tags}])",
        'sort(columns: ["_time"])',
        f"aggregateWindow(every: {every}, fn: {aggregate}, createEmpty: false)",
        *_divided(monitor, every),
        f"map(fn: (r) => ({{_time: r._time, _value: r._value, subject: {_subject(monitor)}}}))",
        'group(columns: ["subject"])',
    ]
    return "\n  |> ".join(lines)


def _filter(monitor: Monitor) -> str:
    reads = monitor.reads
    fields = [reads.field, *([reads.per] if reads.per else [])]
    field = " or ".join(f"r._field == {json.dumps(f)}" for f in fields)
    parts = [
        f"r._measurement == {json.dumps(reads.measurement)}",
        f"({field})" if len(fields) > 1 else field,
        *(f"r[{json.dumps(tag)}] == {json.dumps(value)}" for tag, value in sorted(reads.only.items())),
    ]
    return " and ".join(parts)


def _divided(monitor: Monitor, every: str) -> Iterator[str]:
    """What is left to do for measures that Flux has no aggregate for."""
    reads = monitor.reads
    if monitor.measure == "rate":
        yield f"map(fn: (r) => ({{r with _value: r._value / (float(v: int(v: {every})) / 1000000000.0)}}))"
    if monitor.measure == "share":
        tags = ", ".join(json.dumps(tag) for tag in ("_time", *reads.by))
        yield f"group(columns: [{', '.join(json.dumps(tag) for tag in reads.by)}])"
        yield f'pivot(rowKey: [{tags}], columnKey: ["_field"], valueColumn: "_value")'
        yield f"filter(fn: (r) => r.{reads.per} > 0.0)"
        yield f"map(fn: (r) => ({{r with _value: r.{reads.field} / r.{reads.per}}}))"


def _subject(monitor: Monitor) -> str:
    return ' + "/" + '.join(f"r.{tag}" for tag in monitor.reads.by) or json.dumps(NOBODY)
