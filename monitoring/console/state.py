"""The shape of the console's snapshot: one JSON object a second, the same at /state.json and /events.

Owns names and units, no code: monitoring/console/snapshot.py makes one of a board, monitoring/console/rows.py
the rows of models and hosts, and the page shows it and computes nothing of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from hotpath.clock import Micros
from monitoring.verdicts import Level

Site = Literal["onprem", "line", "cloud"]


class Subject(TypedDict):
    """One subject of a monitor; `since` (real µs) of its level, 0 while that is clear."""

    subject: str
    value: float | None
    level: Level
    since: Micros


class Cell(TypedDict):
    """A monitor now: the number of all subjects (the worst; rates add up), and the subjects one by one."""

    name: str
    title: str
    row: str
    unit: str
    worse: str
    warn: float | None
    page: float | None
    doc: str
    todo: str
    value: float | None
    level: Level
    subjects: list[Subject]


class Figure(TypedDict):
    """One number of a station; `monitor` names its cell."""

    label: str
    monitor: str
    value: float | None
    unit: str
    level: Level


class Station(TypedDict):
    """A place on the arrow, with what flows and waits there."""

    name: str
    title: str
    site: Site
    level: Level
    figures: list[Figure]


class Model(TypedDict):
    """A model that was announced; instants are domain µs, `age_s` domain seconds.

    `holdout` and `live` are of `metric`, the one to speak of for its kind of target (None: not known).
    """

    pipeline: str
    sequence: int
    bundle: str
    kind: str
    state: str
    why: str
    announced_at: Micros
    age_s: float
    metric: str | None
    holdout: float | None
    live: float | None
    labelled: int
    answers: int


class Interval(TypedDict):
    """A span (domain µs) in which a host was wrong; `until` is None while it lasts."""

    since: Micros
    until: Micros | None
    offset_s: float


class Host(TypedDict):
    """A host of the ledger; instants are domain µs."""

    pipeline: str
    host: str
    state: str
    offset_s: float | None
    count: int
    first_seen: Micros
    last_seen: Micros
    intervals: list[Interval]


class AlarmRow(TypedDict):
    """A verdict that changed, or one that stands; instants are real µs."""

    monitor: str
    title: str
    subject: str
    level: Level
    severity: str
    kind: str
    since: Micros
    at: Micros
    text: str


class Active(TypedDict):
    """An alarm that stands now."""

    monitor: str
    title: str
    subject: str
    level: Level
    severity: str
    value: float | None
    unit: str
    since: Micros
    todo: str


class Alarms(TypedDict):
    """What stands, and what began or ended of late, newest first."""

    active: list[Active]
    recent: list[AlarmRow]


class Chart(TypedDict):
    """A monitor's last 15 minutes: instants in real seconds, and a series a subject (None: no point)."""

    title: str
    unit: str
    warn: float | None
    page: float | None
    t: list[float]
    series: dict[str, list[float | None]]


class Snapshot(TypedDict):
    """All that the page shows. `outcomes`: what `OutcomeWatch.figures` says, by pipeline."""

    now: Micros
    virtual: Micros
    rate: float
    arrow: list[Station]
    monitors: list[Cell]
    models: list[Model]
    hosts: list[Host]
    outcomes: Mapping[str, object]
    alarms: Alarms
    charts: dict[str, Chart]
    points: dict[str, int]
