"""The console's snapshot of a board: cells, arrow, alarms and charts. Pure.

What the board cannot know (models, hosts, outcomes) is handed in as `Elsewhere`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hotpath.clock import SECOND, Micros
from monitoring.alarms import severity, what
from monitoring.board import Alarm, Board, Standing
from monitoring.console.state import (
    Active,
    AlarmRow,
    Cell,
    Chart,
    Figure,
    Host,
    Model,
    Site,
    Snapshot,
    Station,
    Subject,
)
from monitoring.monitor import Monitor
from monitoring.verdicts import Level

STEP_S = 10.0
MOST_SUBJECTS = 40
"""Of a cell or a chart, the worst first: more than that nobody reads at once."""


@dataclass(frozen=True)
class Elsewhere:
    """What the root knows beside the board."""

    virtual: Micros
    rate: float = 1.0
    models: tuple[Model, ...] = ()
    hosts: tuple[Host, ...] = ()
    outcomes: Mapping[str, object] = field(default_factory=dict)


ARROW: tuple[tuple[str, str, Site, tuple[tuple[str, str], ...]], ...] = (
    ("producers", "Producers", "onprem", (("hosts", "hosts_seen"), ("flagged", "hosts_flagged"))),
    ("mirror", "Mirror", "line", (("behind", "mirror_lag"), ("silence", "line_silence"), ("lost", "gap"))),
    ("stream", "Stream job", "cloud", (("rate", "stream_rows"), ("behind", "stream_behind"))),
    ("lake", "Lake", "cloud", (("events p95", "event_freshness"), ("labels p95", "label_freshness"))),
    ("trainer", "Trainer", "cloud", (("run", "run_seconds"), ("holdout AUC", "holdout_auc"))),
    ("bundle", "Bundle", "line", (("loop", "model_freshness"), ("age", "model_age"))),
    ("scorer", "Scorer", "onprem", (("rate", "request_rate"), ("request", "request_us"))),
    ("scores", "Scores", "onprem", (("live AUC", "live_auc"), ("coverage", "label_coverage"))),
)
"""The stations in the order of the journey: name, title, where it stands, and labelled monitors."""

CHARTS: tuple[str, ...] = (
    "request_us",
    "request_rate",
    "model_age",
    "event_freshness",
    "live_auc",
    "host_offset",
)
"""The monitors that are drawn."""


def snapshot(board: Board, recent: Iterable[Alarm], now: Micros, elsewhere: Elsewhere) -> Snapshot:
    """The whole snapshot; `now` is the board's clock."""
    told = cells(board, now)
    return {
        "now": now,
        "virtual": elsewhere.virtual,
        "rate": elsewhere.rate,
        "arrow": arrow(told),
        "monitors": told,
        "models": list(elsewhere.models),
        "hosts": list(elsewhere.hosts),
        "outcomes": elsewhere.outcomes,
        "alarms": {"active": _active(told, board), "recent": [_row(alarm) for alarm in recent]},
        "charts": charts(board, now),
        "points": {"unreadable": board.unreadable, "unknown": board.unknown, "refused": board.refused},
    }


def cells(board: Board, now: Micros) -> list[Cell]:
    """Every monitor now, in the table's order."""
    return [_cell(monitor, board.standing(monitor, now)) for monitor in board.monitors]


def arrow(told: list[Cell]) -> list[Station]:
    """The stations with their figures; a monitor that is not in the table has none."""
    known = {cell["name"]: cell for cell in told}
    stations: list[Station] = []
    for name, title, site, labelled in ARROW:
        figures = [_figure(label, known[monitor]) for label, monitor in labelled if monitor in known]
        level = worst(figure["level"] for figure in figures)
        stations.append({"name": name, "title": title, "site": site, "level": level, "figures": figures})
    return stations


def charts(board: Board, now: Micros) -> dict[str, Chart]:
    """The drawn monitors' last 15 minutes."""
    return {m.name: _chart(m, board, now) for name in CHARTS for m in board.monitors if m.name == name}


def worst(levels: Iterable[Level]) -> Level:
    """Of several levels the one to show."""
    order: tuple[Level, ...] = ("clear", "warn", "silent", "page")
    return max(levels, key=order.index, default="clear")


def _cell(monitor: Monitor, standing: dict[str, Standing]) -> Cell:
    subjects: list[Subject] = [
        {"subject": name, "value": s.value, "level": s.level, "since": s.since}
        for name, s in standing.items()
    ]
    subjects.sort(key=lambda s: _badness(monitor, s), reverse=True)
    return {
        "name": monitor.name,
        "title": monitor.title,
        "row": monitor.row,
        "unit": monitor.unit,
        "worse": monitor.worse,
        "warn": monitor.warn,
        "page": monitor.page,
        "doc": monitor.doc,
        "todo": monitor.todo,
        "value": monitor.worst(s.value for s in standing.values() if s.value is not None),
        "level": worst(s.level for s in standing.values()),
        "subjects": subjects[:MOST_SUBJECTS],
    }


def _badness(monitor: Monitor, subject: Subject) -> tuple[bool, float]:
    value = subject["value"] or 0.0
    return subject["level"] != "clear", value if monitor.worse == "above" else -value


def _figure(label: str, cell: Cell) -> Figure:
    return {
        "label": label,
        "monitor": cell["name"],
        "value": cell["value"],
        "unit": cell["unit"],
        "level": cell["level"],
    }


def _active(told: list[Cell], board: Board) -> list[Active]:
    monitors = {m.name: m for m in board.monitors}
    found: list[Active] = [
        {
            "monitor": cell["name"],
            "title": cell["title"],
            "subject": subject["subject"],
            "level": subject["level"],
            "severity": severity(monitors[cell["name"]], subject["level"]),
            "value": subject["value"],
            "unit": cell["unit"],
            "since": subject["since"],
            "todo": cell["todo"],
        }
        for cell in told
        for subject in cell["subjects"]
        if subject["level"] != "clear"
    ]
    return sorted(found, key=lambda a: (a["severity"] != "page", -a["since"]))


def _row(alarm: Alarm) -> AlarmRow:
    change = alarm.change
    return {
        "monitor": alarm.monitor.name,
        "title": alarm.monitor.title,
        "subject": alarm.subject,
        "level": change.level,
        "severity": severity(alarm.monitor, change.level),
        "kind": change.kind,
        "since": change.since,
        "at": change.at,
        "text": what(alarm),
    }


def _chart(monitor: Monitor, board: Board, now: Micros) -> Chart:
    history = board.history(monitor, now, STEP_S)
    # Of many hosts those that are most wrong, to either side.
    size = {subject: max(map(abs, steps.values()), default=0.0) for subject, steps in history.items()}
    drawn = sorted(history, key=lambda subject: size[subject], reverse=True)[:MOST_SUBJECTS]
    instants = sorted({at for subject in drawn for at in history[subject]})
    return {
        "title": monitor.title,
        "unit": monitor.unit,
        "warn": monitor.warn,
        "page": monitor.page,
        "t": [at / SECOND for at in instants],
        "series": {s: [history[s].get(at) for at in instants] for s in sorted(drawn)},
    }
