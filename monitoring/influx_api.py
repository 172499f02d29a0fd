"""InfluxDB's own API as far as the set-up needs it: organisations, buckets, tokens.

Knows paths and answers; what should stand there is `monitoring.influx_setup`'s business. Each call raises
Unavailable where InfluxDB does not answer, BadConfig where it answers that an operator must act. No message
holds a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from hotpath.errors import BadConfig, Unavailable


class Api:
    """The API under one token (an empty one: none)."""

    def __init__(self, http: httpx.Client, said: str) -> None:
        self._http, self._headers = http, {"Authorization": f"Token {said}"} if said else {}

    def works(self) -> bool:
        """Whether InfluxDB knows the token."""
        return self._ask("GET", "/api/v2/orgs").status_code != httpx.codes.UNAUTHORIZED

    def organisation(self, name: str) -> str | None:
        """Its id, None where there is none (that the token may see)."""
        found = self.get("/api/v2/orgs", org=name, missing={"orgs": []})["orgs"]
        return next((str(o["id"]) for o in found if o["name"] == name), None)

    def new_organisation(self, name: str) -> str:
        """The id of an organisation made now."""
        return str(self.post("/api/v2/orgs", {"name": name})["id"])

    def bucket(self, org: str, name: str) -> Mapping[str, Any] | None:
        """The bucket as InfluxDB describes it."""
        found = self.get("/api/v2/buckets", orgID=org, name=name, missing={"buckets": []})["buckets"]
        return next((b for b in found if b["name"] == name), None)

    def authorizations(self, org: str) -> Sequence[Mapping[str, Any]]:
        """Every token of the organisation."""
        found: Sequence[Mapping[str, Any]] = self.get("/api/v2/authorizations", orgID=org)["authorizations"]
        return found

    def get(self, path: str, missing: Mapping[str, Any] | None = None, **query: str) -> Mapping[str, Any]:
        """`missing` is the answer where InfluxDB says 404."""
        answer = self._ask("GET", path, params=query)
        if missing is not None and answer.status_code == httpx.codes.NOT_FOUND:
            return missing
        return _good(answer)

    def post(self, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        """Make something; what InfluxDB says it made."""
        return _good(self._ask("POST", path, json=body))

    def patch(self, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        """Change something."""
        return _good(self._ask("PATCH", path, json=body))

    def delete(self, path: str) -> None:
        """Remove something; that it is gone already is as good."""
        if (answer := self._ask("DELETE", path)).status_code != httpx.codes.NOT_FOUND:
            _checked(answer)

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, headers=self._headers, **how)
        except httpx.HTTPError as error:
            raise Unavailable(f"InfluxDB at {self._http.base_url}", str(error), "an answer") from error


def _good(answer: httpx.Response) -> Mapping[str, Any]:
    """The body of a 2xx."""
    _checked(answer)
    found: Mapping[str, Any] = answer.json()
    return found


def _checked(answer: httpx.Response) -> None:
    """5xx and 429 pass, anything else but 2xx is an operator's business."""
    if answer.is_success:
        return
    asked = f"{answer.request.method} {answer.request.url.path}"
    if answer.status_code >= 500 or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Unavailable(f"InfluxDB: {asked}", answer.status_code, "an answer of 2xx")
    said = f"{answer.status_code} {answer.text[:200]}"
    raise BadConfig(f"InfluxDB: {asked}", said, "an answer of 2xx", "look at influxdb.* and its token")
