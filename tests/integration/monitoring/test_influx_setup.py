"""The set-up of InfluxDB: run at any time, killed at any point, it comes to the same state."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotpath.clock import Clock
from hotpath.errors import BadConfig, BadInput, HotpathError, Unavailable
from hotpath.files import create
from hotpath.local.ports import free_port
from hotpath.settings import Settings
from monitoring.influx import read_access, token, write_access
from monitoring.influx_setup import set_up
from tests.integration.monitoring.influxes import Server, settings_in

NOW = Clock().real()
LINE = f"mirror,topic=t behind=1 {NOW}"
NAMES = ("admin", "read", "write")


def tokens(settings: Settings) -> dict[str, str]:
    return {name: settings.influxdb_token(name).read_text() for name in NAMES}  # type: ignore[arg-type]


def asked(server: Server, path: str, said: str, **query: str) -> dict[str, Any]:
    headers = {"Authorization": f"Token {said}"}
    address = server.settings.influxdb.address
    found: dict[str, Any] = httpx.get(f"{address}{path}", headers=headers, params=query).json()
    return found


def test_a_second_set_up_changes_nothing(bare: Server) -> None:
    bare.set_up()
    first = tokens(bare.settings)
    authorizations = asked(bare, "/api/v2/authorizations", first["admin"])
    bare.set_up()
    assert tokens(bare.settings) == first
    assert asked(bare, "/api/v2/authorizations", first["admin"]) == authorizations


def test_nobody_else_may_read_the_tokens(server: Server) -> None:
    paths = [server.settings.influxdb_token(name) for name in ("admin", "read", "write")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * 3


def test_the_writers_token_writes_and_reads_nothing_the_readers_the_other_way(server: Server) -> None:
    bucket = server.settings.influxdb.bucket
    write_access(server.settings).write([LINE])
    found = f'from(bucket: "{bucket}") |> range(start: -1h) |> limit(n: 1)'
    assert len(read_access(server.settings).query(found)) == 1
    swapped = existing(server, server.settings.influxdb_token("read"))
    with pytest.raises(BadConfig, match="token"):
        write_access(swapped).write([LINE])


def test_the_limited_tokens_see_no_other_bucket(server: Server) -> None:
    said = tokens(server.settings)
    for name in ("read", "write"):
        assert "orgs" not in asked(server, "/api/v2/authorizations", said[name])
    assert [b["name"] for b in asked(server, "/api/v2/buckets", said["read"])["buckets"]] == ["hotpath"]


def test_the_retention_follows_the_settings(bare: Server) -> None:
    bare.set_up()
    longer = bare.settings.influxdb.model_copy(update={"retention_d": 90})
    set_up(bare.settings.model_copy(update={"influxdb": longer}), Clock(), 5)
    said = token(bare.settings.influxdb_token("admin"))
    (bucket,) = asked(bare, "/api/v2/buckets", said, name="hotpath")["buckets"]
    assert [rule["everySeconds"] for rule in bucket["retentionRules"]] == [90 * 86_400]


def test_killed_between_the_tokens_file_and_the_call_it_goes_on_with_the_same_token(bare: Server) -> None:
    create(bare.settings.influxdb_token("admin"), b"written-before-influxdb-heard-of-it", 0o600)
    bare.set_up()
    assert tokens(bare.settings)["admin"] == "written-before-influxdb-heard-of-it"
    write_access(bare.settings).write([LINE])


def test_a_token_that_was_lost_is_replaced_and_the_old_one_revoked(bare: Server) -> None:
    bare.set_up()
    old = tokens(bare.settings)["write"]
    bare.settings.influxdb_token("write").unlink()
    bare.set_up()
    new = tokens(bare.settings)
    assert new["write"] != old
    known = asked(bare, "/api/v2/authorizations", new["admin"])["authorizations"]
    assert old not in {a["token"] for a in known}


def test_a_bucket_that_was_deleted_comes_back_with_tokens_that_reach_it(bare: Server) -> None:
    bare.set_up()
    said = tokens(bare.settings)["admin"]
    (bucket,) = asked(bare, "/api/v2/buckets", said, name="hotpath")["buckets"]
    address = bare.settings.influxdb.address
    headers = {"Authorization": f"Token {said}"}
    httpx.delete(f"{address}/api/v2/buckets/{bucket['id']}", headers=headers).raise_for_status()
    with pytest.raises(HotpathError):
        write_access(bare.settings).write([LINE])
    bare.set_up()
    write_access(bare.settings).write([LINE])


def test_a_lost_administrators_token_is_named_with_what_to_do(bare: Server) -> None:
    bare.set_up()
    bare.settings.influxdb_token("admin").unlink()
    with pytest.raises(BadConfig, match=r"influxdb-admin.token.*put the file back; or stop influxd"):
        bare.set_up()
    assert not bare.settings.influxdb_token("admin").exists()


def test_a_proxy_of_the_environment_never_sees_a_token(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")  # nobody there: what goes that way fails
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    set_up(server.settings, Clock(), 5)
    write_access(server.settings).write([LINE])


def test_an_influxdb_that_is_away_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        set_up(settings_in(tmp_path), Clock())


def existing(server: Server, token_file: Path, **changed: object) -> Settings:
    """A deployment that uses this InfluxDB by its URL."""
    update = {"url": server.settings.influxdb.address, "token_file": token_file, **changed}
    influxdb = server.settings.influxdb.model_copy(update=update)
    return server.settings.model_copy(update={"influxdb": influxdb})


def test_in_an_existing_influxdb_the_bucket_is_made_where_it_is_missing(server: Server) -> None:
    settings = existing(server, server.settings.influxdb_token("admin"), bucket="another")
    set_up(settings, Clock(), 5)
    set_up(settings, Clock(), 5)
    write_access(settings).write([LINE])


def test_a_token_that_may_not_make_the_bucket_is_the_operators_business(server: Server) -> None:
    settings = existing(server, server.settings.influxdb_token("read"), bucket="not-there")
    with pytest.raises(BadConfig):
        set_up(settings, Clock(), 5)


def test_an_existing_influxdb_needs_a_token_file_that_others_cannot_read(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(BadConfig, match="token_file"):
        set_up(existing(server, None), Clock(), 5)  # type: ignore[arg-type]
    path = tmp_path / "token"
    path.write_text("x")
    path.chmod(0o644)
    with pytest.raises(BadConfig, match="chmod 600"):
        set_up(existing(server, path), Clock(), 5)


def test_a_line_of_another_type_is_bad_input_and_a_wrong_query_too(server: Server) -> None:
    write = write_access(server.settings)
    write.write([f"conflict a=1 {NOW}"])
    with pytest.raises(BadInput, match="conflict"):
        write.write([f"conflict a=true {NOW}"])
    with pytest.raises(BadInput):
        read_access(server.settings).query("this is no flux")
