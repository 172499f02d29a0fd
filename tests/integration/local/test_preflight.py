"""What doctor says before anything starts, and of topics that a user made."""

from __future__ import annotations

import socket
from pathlib import Path
from uuid import uuid4

import pytest

from hotpath.errors import BadConfig
from hotpath.files import hold
from hotpath.handoffs import Topic
from hotpath.kafka_admin import Admin
from hotpath.local import influxd, preflight
from hotpath.local.preflight import Finding, examine, is_running, lock, topic_findings
from hotpath.local.stack import parts
from hotpath.settings import Settings, load


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load().model_copy(update={"data": tmp_path_factory.mktemp("data") / "run"})


def named(findings: tuple[Finding, ...], subject: str) -> Finding:
    return next(f for f in findings if f.subject == subject)


def test_this_machine_has_what_it_takes(settings: Settings) -> None:
    found = examine(settings)
    for subject in ("java", "kafka jars", "spark jars", "genmodel jars", "memory", "flights.yaml"):
        assert named(found, subject).verdict == "ok", named(found, subject)


def test_a_busy_port_is_named_with_its_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        serve = settings.serve.model_copy(update={"port": port})
        found = named(examine(settings.model_copy(update={"serve": serve})), f"port {port}")
    assert found.verdict == "wrong"
    assert "serve.port" in found.says


def test_two_parts_that_want_one_port_are_told_with_both_settings(settings: Settings) -> None:
    # onprem 27401 | its controller 27402
    #                cloud          27402 | its controller 27403
    kafka = settings.kafka.model_copy(
        update={
            "onprem": settings.kafka.onprem.model_copy(update={"port": 27401}),
            "cloud": settings.kafka.cloud.model_copy(update={"port": 27402}),
        }
    )
    found = named(examine(settings.model_copy(update={"kafka": kafka}), running=True), "port 27402")
    assert found.verdict == "wrong"
    assert "kafka.onprem.port (+1, its controller) and kafka.cloud.port" in found.says


def test_the_shipped_settings_want_no_port_twice(settings: Settings) -> None:
    wanted = preflight.ports(settings)
    assert len(set(wanted.values())) == len(wanted)


def test_too_little_memory_is_said_before_anything_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "NEEDED_BYTES", 10**15)
    assert named(examine(settings), "memory").verdict == "wrong"


def test_a_missing_java_is_said_with_what_installs_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = named(examine(settings), "java")
    assert found.verdict == "wrong"
    assert "openjdk-17" in found.says


def test_without_an_influxd_everything_else_still_starts(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOTPATH_CACHE", str(tmp_path))
    found = named(examine(settings), "influxd")
    assert found.verdict == "suspicious"
    assert "make influxd" in found.says
    assert "influxdb" not in {part.name for part in parts(settings)}


def test_an_influxd_of_version_1_is_not_taken_for_one_of_version_2(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "influxd"
    old.write_text("#!/bin/sh\necho 'InfluxDB v1.6.7~rc0 (git: unknown unknown)'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setenv("HOTPATH_CACHE", str(tmp_path))
    assert influxd.found() is None
    assert named(examine(settings), "influxd").verdict == "suspicious"


def test_an_existing_influxdb_needs_no_program_and_no_port_here(settings: Settings) -> None:
    influxdb = settings.influxdb.model_copy(update={"url": "http://elsewhere:8086"})
    given = settings.model_copy(update={"influxdb": influxdb})
    assert "influxdb.port" not in preflight.ports(given)
    assert not any(f.subject == "influxd" for f in examine(given))
    assert "influxdb" not in {part.name for part in parts(given)}


def test_an_existing_broker_needs_no_port_here(settings: Settings) -> None:
    onprem = settings.kafka.onprem.model_copy(update={"bootstrap_servers": "elsewhere:9092"})
    kafka = settings.kafka.model_copy(update={"onprem": onprem})
    assert "kafka.onprem.port" not in preflight.ports(settings.model_copy(update={"kafka": kafka}))


def test_while_a_demonstration_runs_its_ports_are_not_called_wrong(settings: Settings) -> None:
    assert not is_running(settings)
    with hold(lock(settings), "demonstration"):
        assert is_running(settings)
    assert not any(f.subject.startswith("port") for f in examine(settings, running=True))


@pytest.mark.parametrize(
    ("configs", "verdict", "says"),
    [
        ({"message.timestamp.type": "CreateTime"}, "wrong", "no LogAppendTime"),
        (
            {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"},
            "suspicious",
            "retention 1.0 h",
        ),
        ({"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}, "ok", "stamped"),
    ],
)
def test_a_users_topic_without_a_reference_clock_or_with_short_retention_is_said(
    kafka: str, configs: dict[str, str], verdict: str, says: str
) -> None:
    name = f"users-{uuid4().hex}"
    topic = Topic(name, "onprem->cloud")
    Admin(kafka).create(name, 1, configs)
    found = preflight.topic_finding(topic, Admin(kafka).configs(name))
    assert found.verdict == verdict
    assert says in found.says


def test_a_cluster_that_is_away_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "ALIVE_S", 0.5)
    (found,) = topic_findings(settings)
    assert found.verdict == "suspicious"
    assert "not reached" in found.says


def test_a_data_folder_that_cannot_be_made_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "file" / "run"))
    found = load()
    assert [f.verdict for f in named_like(examine(found), "data ")] == ["wrong"]
    assert not is_running(found)
    with pytest.raises(BadConfig, match="can be written"):
        hold(lock(found), "demonstration in a data folder")


def named_like(findings: tuple[Finding, ...], start: str) -> list[Finding]:
    return [f for f in findings if f.subject.startswith(start)]
