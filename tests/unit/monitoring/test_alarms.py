"""What an alarm says, to people and in Alertmanager's format."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hotpath.clock import SECOND
from monitoring.alarms import measurement, notice, webhook
from monitoring.board import Alarm
from monitoring.monitor import Monitor
from monitoring.monitors import MONITORS
from monitoring.verdicts import Change

SILENCE, REQUESTS, FLAGGED = (
    next(m for m in MONITORS if m.name == name) for name in ("line_silence", "request_rate", "host_flagged")
)
BEGAN, NOW = 1_795_252_800 * SECOND, 1_795_252_820 * SECOND
BEGIN = Change("begin", "clear", "warn", BEGAN, NOW, 12.0, 10)
RAISED = Change("change", "warn", "page", BEGAN, NOW, 61.0, 60)
END = Change("end", "page", "clear", BEGAN, NOW, 0.5, 60)


def sent(monitor: Monitor, subject: str, change: Change) -> Any:
    return webhook(Alarm(monitor, subject, change), "http://127.0.0.1:8090")


def test_people_read_monitor_subject_value_threshold_since_and_what_to_do() -> None:
    said = notice(Alarm(SILENCE, "onprem", BEGIN))
    assert (said.title, said.severity) == ("warn: line_silence of onprem", "warn")
    assert said.body == f"Line: silence: 12 s, above 10 s, since 2026-11-21T09:20:00.000Z. {SILENCE.todo}"


def test_an_end_says_from_when_to_when_it_lasted() -> None:
    said = notice(Alarm(SILENCE, "onprem", END))
    assert said.title == "ended: line_silence of onprem"
    assert "since 2026-11-21T09:20:00.000Z until 2026-11-21T09:20:20.000Z" in said.body


def test_silence_says_that_there_is_no_data() -> None:
    silent = replace(BEGIN, level="silent", value=None, threshold=None)
    said = notice(Alarm(REQUESTS, "flights/s1", silent))
    assert said.severity == "page"
    assert "no data for 30 s" in said.body
    heard = replace(silent, kind="end", was="silent", level="clear", value=50.0)
    assert "50 1/s, heard again" in notice(Alarm(REQUESTS, "flights/s1", heard)).body


def test_the_measurement_tells_level_and_value() -> None:
    fields, tags = measurement(Alarm(SILENCE, "onprem", RAISED))
    assert (fields, tags) == ({"level": 2, "value": 61.0}, {"monitor": "line_silence", "subject": "onprem"})


def test_a_begin_fires_one_alert_of_alertmanagers_format() -> None:
    body = sent(FLAGGED, "flights/jfk-3", BEGIN)
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "hotpath")
    (alert,) = body["alerts"]
    assert alert["labels"] == {
        "alertname": "host_flagged",
        "severity": "warn",
        "kind": "threshold",
        "subject": "flights/jfk-3",
        "pipeline": "flights",
        "host": "jfk-3",
    }
    assert alert["startsAt"] == "2026-11-21T09:20:00.000Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert re.fullmatch("[0-9a-f]{16}", alert["fingerprint"])
    assert body["commonLabels"] == alert["labels"]


def test_an_end_resolves_the_same_alert() -> None:
    begin = sent(SILENCE, "onprem", replace(BEGIN, level="page"))["alerts"][0]
    body = sent(SILENCE, "onprem", END)
    (end,) = body["alerts"]
    assert (body["status"], end["status"], end["endsAt"]) == (
        "resolved",
        "resolved",
        "2026-11-21T09:20:20.000Z",
    )
    assert end["fingerprint"] == begin["fingerprint"]


def test_a_raise_resolves_the_warning_and_fires_the_page() -> None:
    body = sent(SILENCE, "onprem", RAISED)
    assert [(a["status"], a["labels"]["severity"]) for a in body["alerts"]] == [
        ("resolved", "warn"),
        ("firing", "page"),
    ]
    assert body["status"] == "firing"
    assert "severity" not in body["commonLabels"]
    assert body["commonLabels"]["alertname"] == "line_silence"


def test_a_tags_own_slash_belongs_to_the_last_tag() -> None:
    labels = sent(FLAGGED, "flights/a/b", BEGIN)["alerts"][0]["labels"]
    assert (labels["pipeline"], labels["host"]) == ("flights", "a/b")
