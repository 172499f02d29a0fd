"""A bad setting keeps the program from starting, and the message says how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.errors import BadConfig
from hotpath.settings import DEFAULT, PROJECT, load

GOOD = DEFAULT.read_text()


@pytest.mark.parametrize(
    ("found", "put", "says"),
    [
        ("serve:", "sevre:", "serve"),
        ("port: 8080", "port: 80800", "serve.port"),
        ("port: 8080", "port: eighty", "serve.port"),
        ("port: 8080", "prot: 8080", "did you mean"),
        ("partitions: 4", "partitions: 0", "kafka.partitions"),
        ("host: 127.0.0.1", "host: 0.0.0.0", "serve.host"),
        ("memory: 1g, trigger_s", "memory: lots, trigger_s", "spark.memory"),
        ("data: .hotpath/run", "data: null", "data"),
        ("data: .hotpath/run", "data: .hotpath/run\ndata: again", "data"),
        ("data: .hotpath/run", "data: &a .hotpath/run\npipelines: *a", "anchor|alias"),
        ("data: .hotpath/run", "data: !!python/object:os.system x", "tag"),
    ],
)
def test_a_bad_setting_is_named_with_its_place_and_what_was_expected(
    tmp_path: Path, found: str, put: str, says: str
) -> None:
    file = tmp_path / "settings.yaml"
    assert found in GOOD
    file.write_text(GOOD.replace(found, put, 1))
    with pytest.raises(BadConfig, match=says) as refused:
        load(file)
    assert "settings.yaml:" in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="readable"):
        load(tmp_path / "none.yaml")


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__KAFKA__ONPREM__BOOTSTRAP_SERVERS", "broker:9092")
    monkeypatch.setenv("HOTPATH__SERVE__PORT", "9000")
    found = load()
    assert (found.kafka.onprem.address, found.serve.port) == ("broker:9092", 9000)
    assert found.kafka.cloud.address == "127.0.0.1:29092"
    assert found.data.is_absolute()


def test_an_unknown_section_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__SEVRE__PORT", "9000")
    with pytest.raises(BadConfig, match=r"HOTPATH__SEVRE__PORT.*did you mean serve"):
        load()


def test_every_relative_path_starts_at_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__LAKE__URL", "somewhere/lake")
    monkeypatch.setenv("HOTPATH__CLOCK__FILE", "clock.jsonl")
    found = load()
    assert (found.lake_root(), found.clock_file()) == (PROJECT / "somewhere/lake", PROJECT / "clock.jsonl")


def test_an_operators_token_file_is_for_an_influxdb_at_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__INFLUXDB__TOKEN_FILE", "influx.token")
    embedded = load()
    assert len({embedded.influxdb_token("admin"), embedded.influxdb_token("write")}) == 2
    monkeypatch.setenv("HOTPATH__INFLUXDB__URL", "https://influx.example")
    assert load().influxdb_token("write") == load().influxdb_token("read") == PROJECT / "influx.token"


def test_a_bad_value_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH__SERVE__PORT", "many")
    with pytest.raises(BadConfig, match=r"serve\.port"):
        load()
