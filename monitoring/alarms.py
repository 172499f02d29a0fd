"""What an alarm says: one line for people, one measurement, and Alertmanager's webhook.

Owns the words and the format; sends nothing. An alarm that is raised or lowered (warn to page) ends under its
old severity and begins under the new one, because Alertmanager's alerts are told apart by their labels.
Source of the format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (version 4)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from hotpath.clock import Micros
from hotpath.points import Number
from monitoring.board import Alarm
from monitoring.monitor import Monitor, Severity, shown
from monitoring.verdicts import Level

RECEIVER = "hotpath"
NOT_ENDED = "0001-01-01T00:00:00Z"
"""Go's zero time, as Alertmanager writes the end of an alert that fires."""
LEVELS: Mapping[Level, int] = {"clear": 0, "warn": 1, "page": 2}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Labels = dict[str, str]


@dataclass(frozen=True)
class Notice:
    """An alarm as people read it."""

    title: str
    body: str
    severity: Severity | Literal["clear"]


def notice(alarm: Alarm) -> Notice:
    """Monitor, subject, value, threshold, since when, what to do."""
    monitor, change = alarm.monitor, alarm.change
    now = severity(monitor, change.level)
    title = f"{'ended' if now == 'clear' else now}: {monitor.name} of {alarm.subject}"
    end = f" until {_instant(change.at)}" if change.level == "clear" else ""
    todo = f" {monitor.todo}" if monitor.todo and now != "clear" else ""
    return Notice(title, f"{monitor.title}: {what(alarm)}, since {_instant(change.since)}{end}.{todo}", now)


def severity(monitor: Monitor, level: Level) -> Severity | Literal["clear"]:
    """How bad a level is; silence is as bad as its monitor says."""
    if level == "silent":
        return monitor.silent or "warn"
    return level


def measurement(alarm: Alarm) -> tuple[dict[str, Number], dict[str, str]]:
    """Fields and tags of the point `alarm`."""
    level = LEVELS[severity(alarm.monitor, alarm.change.level)]
    value = alarm.change.value
    fields: dict[str, Number] = {"level": level, "value": None if value is None else float(value)}
    return fields, {"monitor": alarm.monitor.name, "subject": alarm.subject}


def webhook(alarm: Alarm, console: str) -> dict[str, object]:
    """The body of Alertmanager's webhook, version 4: one group, one alert or (a change of severity) two."""
    alerts = _alerts(alarm, console)
    group = {"alertname": alarm.monitor.name}
    firing = any(a["status"] == "firing" for a in alerts)
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{alarm.monitor.name}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": RECEIVER,
        "groupLabels": group,
        "commonLabels": _common([_labels(alarm, level) for level in _told(alarm)]),
        "commonAnnotations": _annotations(alarm),
        "externalURL": console,
        "alerts": alerts,
    }


def _alerts(alarm: Alarm, console: str) -> list[dict[str, object]]:
    return [
        {
            "status": "firing" if level == alarm.change.level else "resolved",
            "labels": (labels := _labels(alarm, level)),
            "annotations": _annotations(alarm),
            "startsAt": _instant(alarm.change.since),
            "endsAt": NOT_ENDED if level == alarm.change.level else _instant(alarm.change.at),
            "generatorURL": f"{console}/#{alarm.monitor.name}",
            "fingerprint": _fingerprint(labels),
        }
        for level in _told(alarm)
    ]


def _told(alarm: Alarm) -> list[Level]:
    """The levels that end or begin: what it was, then what it is."""
    return [level for level in (alarm.change.was, alarm.change.level) if level != "clear"]


def _labels(alarm: Alarm, level: Level) -> Labels:
    """What tells an alert from others; the tags of the subject one by one, so that a route may match them."""
    by = alarm.monitor.reads.by
    # A tag's own value may hold a slash (a path, a URL): what is left over belongs to the last tag.
    tags = dict(zip(by, alarm.subject.split("/", max(len(by) - 1, 0)), strict=False))
    return {
        **tags,
        "alertname": alarm.monitor.name,
        "severity": severity(alarm.monitor, level),
        "kind": "silence" if level == "silent" else "threshold",
        "subject": alarm.subject,
    }


def _common(labels: list[Labels]) -> Labels:
    first, *others = labels
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def _annotations(alarm: Alarm) -> Labels:
    said = notice(alarm)
    return {"summary": said.title, "description": said.body, "doc": alarm.monitor.doc}


def _fingerprint(labels: Labels) -> str:
    return sha256("\xff".join(f"{k}\xff{v}" for k, v in sorted(labels.items())).encode()).hexdigest()[:16]


def what(alarm: Alarm) -> str:
    monitor, change = alarm.monitor, alarm.change
    if change.value is None:
        return f"no data for {shown(monitor.stale_s, 's')}"
    value = shown(change.value, monitor.unit)
    if change.threshold is None:  # it was silent and is heard again
        return f"{value}, heard again"
    limit = shown(change.threshold, monitor.unit)
    if change.level == "clear":
        return f"{value}, inside its threshold of {limit}"
    return f"{value}, {monitor.worse} {limit}"


def _instant(at: Micros) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    text = (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
