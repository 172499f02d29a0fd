"""What a station knows of its weather: the newest hourly observation at its airport.

Pure. A value that the contract does not allow (the data has a wind of 1048 mph) is not known: null.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from hotpath.clock import Micros
from hotpath.contract.parts import Field
from hotpath.contract.types import Type
from ingest.plan import Plan

Values = Mapping[str, float | int | None]

OBSERVED = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
"""°F, °F, %, degrees, mph, mph, inches, millibar, miles."""
WEATHER_COLUMNS = ("origin", "year", "month", "day", "hour", *OBSERVED)
"""As much of weather.csv as is read; `hour` is New York's wall time."""
UNKNOWN: Values = dict.fromkeys(OBSERVED)


class Weather:
    """Observations by airport, as a plan replays them and a contract allows them."""

    def __init__(self, observed: pa.Table, plan: Plan, fields: Sequence[Field]) -> None:
        """`observed`: a table with `WEATHER_COLUMNS`, for each airport in order of time."""
        allowed = {f.name: f for f in fields if f.name in OBSERVED}
        self._at: dict[str, list[Micros]] = {}
        self._values: dict[str, list[Values]] = {}
        for row in observed.to_pylist():
            wall = datetime(row["year"], row["month"], row["day"], row["hour"])
            self._at.setdefault(row["origin"], []).append(plan.instant(wall))
            self._values.setdefault(row["origin"], []).append(_values(row, allowed))

    def newest(self, origin: str, at: Micros) -> Values:
        """The newest observation that is not later than `at`; all null where there is none."""
        index = bisect_right(self._at.get(origin, []), at)
        return self._values[origin][index - 1] if index else UNKNOWN


def _values(row: Mapping[str, Any], allowed: Mapping[str, Field]) -> Values:
    return {name: _allowed(row[name], field) for name, field in allowed.items()}


def _allowed(value: float | None, field: Field) -> float | int | None:
    if value is None or not _within(value, field):
        return None
    return int(value) if field.type is Type.LONG else float(value)


def _within(value: float, field: Field) -> bool:
    return (field.min is None or value >= field.min) and (field.max is None or value <= field.max)
