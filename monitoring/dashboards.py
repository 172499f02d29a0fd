"""Grafana's files, rendered from the table of monitors: data source, provider, the first dashboard.

Owns Grafana's JSON; the queries are monitoring/flux.py's. Formats: Grafana's provisioning and its dashboard
JSON model (schemaVersion 39: Grafana 10.4 and 11). A panel's id is its place in the table's row, so it stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from monitoring.flux import flux
from monitoring.monitor import ROWS, Monitor, Unit
from monitoring.monitors import MONITORS

SCHEMA = 39
SOURCE = {"type": "influxdb", "uid": "hotpath"}
WIDE, HIGH, A_ROW = 8, 7, 3
ROW_IDS = 100
"""Panels of the first row are 101, 102, …; a row's own id is 100, 200, …"""

UNITS: Mapping[Unit, str] = {
    "s": "s",
    "us": "µs",
    "%": "percent",
    "share": "percentunit",
    "1/s": "cps",
    "count": "short",
    "score": "none",
}
"""Grafana's names of units."""

_RENDERED = "# Rendered from monitoring/dashboards.py by `make docs`; a test compares. Do not edit.\n"

DATA_SOURCE = (
    _RENDERED
    + """# Environment: INFLUXDB_URL, INFLUXDB_ORG, INFLUXDB_BUCKET, INFLUXDB_TOKEN (the read token).
apiVersion: 1
datasources:
  - name: Hotpath
    uid: hotpath
    type: influxdb
    access: proxy
    url: ${INFLUXDB_URL}
    isDefault: true
    editable: false
    jsonData:
      version: Flux
      organization: ${INFLUXDB_ORG}
      defaultBucket: ${INFLUXDB_BUCKET}
    secureJsonData:
      token: ${INFLUXDB_TOKEN}
"""
)
PROVIDER = (
    _RENDERED
    + """# Environment: HOTPATH_DASHBOARDS, the folder monitoring/grafana/dashboards where Grafana sees it.
apiVersion: 1
providers:
  - name: hotpath
    type: file
    folder: Hotpath
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: ${HOTPATH_DASHBOARDS}
"""
)


def files(monitors: tuple[Monitor, ...] = MONITORS) -> dict[str, str]:
    """Every file below monitoring/grafana, by its path there."""
    board = json.dumps(dashboard(monitors), indent=1, ensure_ascii=False) + "\n"
    return {
        "provisioning/datasources/hotpath.yaml": DATA_SOURCE,
        "provisioning/dashboards/hotpath.yaml": PROVIDER,
        "dashboards/hotpath.json": board,
    }


def dashboard(monitors: tuple[Monitor, ...] = MONITORS) -> dict[str, Any]:
    """The dashboard: one row of panels a row of the table, one panel a monitor."""
    return {
        "uid": "hotpath",
        "title": "Hotpath",
        "tags": ["hotpath"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "utc",
        "templating": {"list": []},
        "annotations": {"list": [_alarms()]},
        "links": [],
        "panels": _panels(monitors),
    }


def _panels(monitors: tuple[Monitor, ...]) -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    top = 0
    for number, (row, title) in enumerate(ROWS.items(), 1):
        members = [m for m in monitors if m.row == row]
        panels.append(_row(number * ROW_IDS, title, top))
        panels += [_panel(m, number * ROW_IDS + n, n - 1, top + 1) for n, m in enumerate(members, 1)]
        top += 1 + -(-len(members) // A_ROW) * HIGH
    return panels


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"h": 1, "w": WIDE * A_ROW, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(monitor: Monitor, number: int, place: int, top: int) -> dict[str, Any]:
    down, right = divmod(place, A_ROW)
    return {
        "id": number,
        "type": "timeseries",
        "title": monitor.title,
        "description": " ".join(filter(None, (monitor.doc, monitor.todo))),
        "datasource": SOURCE,
        "gridPos": {"h": HIGH, "w": WIDE, "x": right * WIDE, "y": top + down * HIGH},
        "targets": [{"refId": "A", "datasource": SOURCE, "query": flux(monitor)}],
        "fieldConfig": {"defaults": _defaults(monitor), "overrides": []},
        "options": {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _defaults(monitor: Monitor) -> dict[str, Any]:
    drawn = "line" if monitor.warn is not None or monitor.page is not None else "off"
    return {
        "unit": UNITS[monitor.unit],
        "displayName": "${__field.labels.subject}",
        "custom": {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 8,
            "showPoints": "auto",
            # What is said once a model or once a window is no gap in between.
            "spanNulls": int(max(monitor.over_s, 60.0) * 1000),
            "thresholdsStyle": {"mode": drawn},
        },
        "thresholds": {"mode": "absolute", "steps": _steps(monitor)},
    }


def _steps(monitor: Monitor) -> list[dict[str, Any]]:
    """Colours from the smallest value up; the first step has no value of its own."""
    limits = [("orange", monitor.warn), ("red", monitor.page)]
    known = [(colour, limit) for colour, limit in limits if limit is not None]
    if monitor.worse == "above":
        return [{"color": "green", "value": None}, *({"color": c, "value": v} for c, v in known)]
    # Below: each limit ends its colour, so the worst colour comes first and green last.
    colours = [*(colour for colour, _ in reversed(known)), "green"]
    values = [None, *(limit for _, limit in reversed(known))]
    return [{"color": colour, "value": value} for colour, value in zip(colours, values, strict=True)]


def _alarms() -> dict[str, Any]:
    """Alarms as marks on every panel."""
    query = (
        "from(bucket: v.defaultBucket)\n"
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n"
        '  |> filter(fn: (r) => r._measurement == "alarm" and r._field == "level")\n'
        '  |> map(fn: (r) => ({_time: r._time, text: r.monitor + " of " + r.subject}))'
    )
    return {
        "name": "Alarms",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "red",
        "target": {"refId": "Anno", "query": query},
    }
