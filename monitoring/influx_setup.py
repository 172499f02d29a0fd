"""Makes InfluxDB ready for the points: organisation, bucket, retention, and tokens that may do one thing.

Every step looks first and changes only what is not so: it may be run at any time and be killed at any point.
An embedded InfluxDB gets an administrator's token of ours (written down before InfluxDB hears of it) and two
more that reach the bucket alone. Of an existing one only the bucket is made, where its token may.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import httpx

from hotpath.clock import Clock, wait
from hotpath.errors import BadConfig, Unavailable
from hotpath.files import create, replace
from hotpath.settings import InfluxDB, Settings
from monitoring.influx import token
from monitoring.influx_api import Api

LOOK_S = 0.2
TIMEOUT_S = 5.0
DAY_S = 86_400
PRIVATE = 0o600
USER = "hotpath"
LOST = (
    "put the file back; or stop influxd and delete its data folder and the token files beside this one: "
    "it is set up anew, without the points of the past"
)

Access = Literal["read", "write"]


def set_up(settings: Settings, clock: Clock, deadline_s: float = 0.0) -> None:
    """Bring everything into the state that the settings ask for.

    Raises Unavailable where InfluxDB does not answer by the deadline, BadConfig where an operator must act.
    """
    found = settings.influxdb
    # As influxdb-client does: a proxy of the environment must not see the administrator's token.
    with httpx.Client(base_url=found.address, timeout=TIMEOUT_S, trust_env=False) as http:
        _healthy(http, clock, deadline_s)
        if found.url is not None:
            _existing(http, found)
            return
        api = Api(http, _administrator(settings, http))
        org = api.organisation(found.org) or api.new_organisation(found.org)
        bucket = _bucket(api, org, found)
        for access in ("read", "write"):
            _limited(api, settings, access, org, bucket)


def _healthy(http: httpx.Client, clock: Clock, deadline_s: float) -> None:
    end = clock.elapsed() + deadline_s
    while True:
        try:
            if (answer := http.get("/health")).status_code == httpx.codes.OK:
                return
            said = f"/health answers {answer.status_code}"
        except httpx.HTTPError as error:
            said = str(error)
        if clock.elapsed() >= end:
            raise Unavailable(f"InfluxDB at {http.base_url}", said, "a healthy one")
        wait(LOOK_S)


def _administrator(settings: Settings, http: httpx.Client) -> str:
    """The token that may do everything; InfluxDB is told of it where it is new."""
    path = settings.influxdb_token("admin")
    fresh = bool(Api(http, "").get("/api/v2/setup")["allowed"])
    if fresh:
        # Before the call: a crash between the two finds the same token again and goes on.
        create(path, secrets.token_urlsafe(48).encode(), PRIVATE)
    elif not path.exists():
        raise BadConfig(str(path), "no such file", "the token InfluxDB was set up with", LOST)
    said = token(path)
    if fresh:
        _onboard(Api(http, ""), settings.influxdb, said)
    if not Api(http, said).works():
        raise BadConfig(str(path), "a token that InfluxDB does not know", "the one it was set up with", LOST)
    return said


def _onboard(api: Api, found: InfluxDB, said: str) -> None:
    # Nobody logs in by this password: the token is the way in.
    password = secrets.token_urlsafe(32)
    retention = found.retention_d * DAY_S
    asked = {"username": USER, "password": password, "org": found.org, "bucket": found.bucket}
    api.post("/api/v2/setup", {**asked, "retentionPeriodSeconds": retention, "token": said})


def _bucket(api: Api, org: str, found: InfluxDB) -> str:
    """The bucket's id, made or brought to the retention of the settings."""
    rules = [{"type": "expire", "everySeconds": found.retention_d * DAY_S}]
    if (bucket := api.bucket(org, found.bucket)) is None:
        return str(api.post("/api/v2/buckets", _named(org, found, rules))["id"])
    if [rule.get("everySeconds") for rule in bucket["retentionRules"]] != [found.retention_d * DAY_S]:
        api.patch(f"/api/v2/buckets/{bucket['id']}", {"retentionRules": rules})
    return str(bucket["id"])


def _existing(http: httpx.Client, found: InfluxDB) -> None:
    """The bucket of an InfluxDB that is not ours; one that is there is left as it is."""
    if found.token_file is None:
        raise BadConfig("influxdb.token_file", None, "the file with a token of the InfluxDB at influxdb.url")
    api = Api(http, token(found.token_file))
    if (org := api.organisation(found.org)) is None:
        raise BadConfig("influxdb.org", found.org, "an organisation that its token may see")
    if api.bucket(org, found.bucket) is None:
        rules = [{"type": "expire", "everySeconds": found.retention_d * DAY_S}]
        api.post("/api/v2/buckets", _named(org, found, rules))


def _named(org: str, found: InfluxDB, rules: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {"orgID": org, "name": found.bucket, "retentionRules": rules}


def _limited(api: Api, settings: Settings, access: Access, org: str, bucket: str) -> None:
    """A token that may read or write this bucket and nothing else, kept while InfluxDB knows it as that."""
    path, wanted = settings.influxdb_token(access), [_permission(access, org, bucket)]
    described = f"hotpath {access}"
    ours = [a for a in api.authorizations(org) if a["description"] == described]
    kept = token(path) if path.exists() else None
    if any(a["token"] == kept and a["status"] == "active" and _same(a, wanted) for a in ours):
        return
    for stale in ours:
        api.delete(f"/api/v2/authorizations/{stale['id']}")
    asked = {"orgID": org, "description": described, "permissions": wanted}
    replace(path, str(api.post("/api/v2/authorizations", asked)["token"]).encode(), PRIVATE)


def _permission(access: Access, org: str, bucket: str) -> dict[str, Any]:
    return {"action": access, "resource": {"type": "buckets", "id": bucket, "orgID": org}}


def _same(authorization: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]]) -> bool:
    """InfluxDB adds names to what it was given."""
    keys = ("type", "id", "orgID")
    found = [(p["action"], [p["resource"].get(k) for k in keys]) for p in authorization["permissions"]]
    return found == [(p["action"], [p["resource"].get(k) for k in keys]) for p in wanted]
