"""InfluxDB 2 as the points see it: lines are written, Flux is asked; both by influxdb-client.

Every write is synchronous: when `write` returns, InfluxDB has the points on its disk. What goes wrong is one
of three kinds, by who must act: BadInput (a line that InfluxDB refuses), BadConfig (token, organisation or
bucket: `monitoring.influx_setup` repairs them), Unavailable (away, or too busy to answer in time).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from hotpath.clock import SECOND, Micros
from hotpath.errors import BadConfig, BadInput, HotpathError, Unavailable
from hotpath.settings import Settings

TIMEOUT_S = 1.0
"""For a write: the writer must be able to end within two seconds. What takes longer is written in parts."""
QUERY_S = 60.0
REFUSED = frozenset({400, 413, 422})
NOT_OURS = frozenset({401, 403, 404})

Row = Mapping[str, object]


class Influx:
    """One bucket, by a token that is read when it is first needed, and anew after `forget`."""

    def __init__(self, settings: Settings, token: Literal["write", "read"], timeout_s: float) -> None:
        self.bucket = settings.influxdb.bucket
        self._influxdb, self._token = settings.influxdb, settings.influxdb_token(token)
        self._timeout_ms = round(timeout_s * 1000)
        self._client: InfluxDBClient | None = None

    def write(self, lines: Sequence[str]) -> None:
        """Lines of which InfluxDB has all once this returns. Raises BadInput, BadConfig or Unavailable."""
        with self._errors("write", self._influxdb.address):
            api = self._connected().write_api(write_options=SYNCHRONOUS)
            precision: Any = WritePrecision.US  # text, where the client's own hint names the class
            api.write(self.bucket, record="\n".join(lines), write_precision=precision)

    def query(self, flux: str) -> list[Row]:
        """Every row of every table, a column a key. Raises BadInput, BadConfig or Unavailable."""
        with self._errors("query", self._influxdb.address):
            tables = self._connected().query_api().query(flux)
            return [record.values for table in tables for record in table.records]

    def columns(self, flux: str) -> list[Mapping[str, str]]:
        """The same as plain text, many times as fast. Raises BadInput, BadConfig or Unavailable."""
        with self._errors("query", self._influxdb.address):
            names: list[str] = []
            rows: list[Mapping[str, str]] = []
            for row in self._connected().query_api().query_csv(flux):
                if row and row[0] == "" and "_time" in row:
                    names = row
                elif names and len(row) == len(names):
                    rows.append(dict(zip(names, row, strict=True)))
            return rows

    def forget(self) -> None:
        """Let go of the connection and of the token."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _connected(self) -> InfluxDBClient:
        if self._client is None:
            self._client = InfluxDBClient(
                self._influxdb.address, token(self._token), timeout=self._timeout_ms, org=self._influxdb.org
            )
        return self._client

    @contextmanager
    def _errors(self, doing: str, address: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise _meant(error, doing, address) from error
        except (HTTPError, OSError) as error:
            # Their text names addresses in memory: another one at each try.
            raise Unavailable(f"InfluxDB at {address}", type(error).__name__, "an answer in time") from error


def write_access(settings: Settings) -> Influx:
    """The bucket as the writer needs it."""
    return Influx(settings, "write", TIMEOUT_S)


def read_access(settings: Settings) -> Influx:
    """The bucket as a report or a test reads it."""
    return Influx(settings, "read", QUERY_S)


def token(path: Path) -> str:
    """The token in a file. Raises BadConfig where there is none, or anybody may read it."""
    try:
        open_to_all = path.stat().st_mode & 0o007
        said = path.read_text().strip()
    except OSError as error:
        raise BadConfig(str(path), error.strerror, "a readable file with InfluxDB's token") from error
    if open_to_all:
        raise BadConfig(str(path), "a token that anybody may read", "mode 0600", f"chmod 600 {path}")
    if not said:
        raise BadConfig(str(path), "an empty file", "InfluxDB's token")
    return said


def instant(text: str) -> Micros:
    """µs of the RFC 3339 text that InfluxDB gives (up to nine digits after the second, ending in Z)."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return int(seconds) * SECOND + int(fraction.ljust(6, "0")[:6])


def _meant(error: ApiException, doing: str, address: str) -> HotpathError:
    """What an answer of InfluxDB asks for."""
    said = f"{error.status} {_message(error)}"
    if error.status in REFUSED:
        return BadInput(f"InfluxDB's {doing}", said, "what it can take")
    if error.status in NOT_OURS:
        return BadConfig(f"InfluxDB at {address}", said, "a token, organisation and bucket it knows")
    return Unavailable(f"InfluxDB at {address}", said, "an answer of 2xx")


def _message(error: ApiException) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(error.body or "")["message"])
    return str(error.reason)
