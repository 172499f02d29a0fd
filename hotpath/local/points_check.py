"""Whether InfluxDB holds what was said: every point that stands in the cloud's topic, looked up by its key.

A point is its measurement, tags and instant; one that was written twice is one. What stands in the topic and
is no point at all, or was refused, counts as lost: somebody measured it and nobody can ask for it. Compared
as sets, so that points of another deployment in the same bucket hide nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hotpath.clock import Micros
from hotpath.errors import BadInput
from hotpath.handoffs import POINTS
from hotpath.kafka import Log, standing
from hotpath.local.report import Written
from hotpath.points import BY_NAME, Point
from monitoring.influx import Influx, instant

Key = tuple[frozenset[tuple[str, str]], Micros]
"""Tags and instant."""


def written(log: Log, influx: Influx) -> Written:
    """Points of the topic that InfluxDB holds, and those it does not. Raises Unavailable or BadConfig."""
    return compared((entry.value for entry in standing(log, POINTS)), influx)


def compared(values: Iterable[bytes | None], influx: Influx) -> Written:
    """The same of the topic's values."""
    said, no_point = _said(values)
    kept = {name: held(influx, name, keys) for name, keys in said.items()}
    lost = sum(len(keys - kept[name]) for name, keys in said.items())
    return Written(sum(len(keys & kept[name]) for name, keys in said.items()), lost + no_point)


def held(influx: Influx, measurement: str, wanted: Iterable[Key]) -> set[Key]:
    """Keys of a measurement in InfluxDB, within the time that `wanted` spans."""
    instants = [at for _, at in wanted]
    known = BY_NAME[measurement]
    columns = ", ".join(f'"{name}"' for name in ("_time", *known.tags))
    flux = f"""
        from(bucket: "{influx.bucket}")
          |> range(start: {_time(min(instants))}, stop: {_time(max(instants) + 1)})
          |> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{known.always}")
          |> keep(columns: [{columns}])
          |> group()
    """
    return {_key(row, known.tags) for row in influx.columns(flux)}


def _said(values: Iterable[bytes | None]) -> tuple[Mapping[str, set[Key]], int]:
    """Keys by measurement, and how many values are no point of a measurement we know."""
    keys: dict[str, set[Key]] = defaultdict(set)
    no_point = 0
    for value in values:
        try:
            point = Point.parse((value or b"").decode())
        except (BadInput, UnicodeDecodeError):
            no_point += 1
            continue
        if point.measurement in BY_NAME and BY_NAME[point.measurement].always in point.fields:
            keys[point.measurement].add((frozenset(point.tags.items()), point.at))
        else:
            no_point += 1
    return keys, no_point


def _key(row: Mapping[str, str], tags: Iterable[str]) -> Key:
    """InfluxDB says an absent tag as an empty one."""
    return frozenset((name, said) for name in tags if (said := row.get(name))), instant(row["_time"])


def _time(at: Micros) -> str:
    return f"time(v: {at * 1000})"
