"""`hotpath features get NAME --entity …`: a row's features online and as of the lake, side by side.

The row is the entity's newest event that had arrived by then. Online is what the scorer would read from Redis
now; as of is what the lake's records give for that instant. They are the same where nothing landed late and
Redis still holds the tiles that the row reads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from hotpath import deployed, settings
from hotpath.as_of import as_of
from hotpath.bundle_store import BundleStore
from hotpath.cli.lake import lake_of
from hotpath.cli.landed import events
from hotpath.cli.options import AsJson, Name, printable, show
from hotpath.clock import SECOND, Clock, Micros
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import row_function
from hotpath.contract.types import EPOCH, Value
from hotpath.errors import BadArtifact, BadConfig, BadInput, Unavailable
from hotpath.lake import Lake
from hotpath.readings import Reads
from hotpath.settings import Settings
from hotpath.tiles import Reader
from serve.redis_state import RedisStore
from serve.stages import Sums
from serve.state import Held, State

app = typer.Typer(no_args_is_help=True, help="What a row's features are, and were.")


@app.callback()
def features() -> None:
    """What a row's features are, and were."""


@dataclass(frozen=True)
class Side:
    """A feature or a reading of a row, both ways."""

    name: str
    online: Value
    as_of: Value

    @property
    def same(self) -> bool:
        """Whether both are equal, to the bit."""
        return self.online == self.as_of


@app.command()
def get(
    name: Name,
    entity: Annotated[str, typer.Option(help="What the question is about, such as a flight's id.")],
    at: Annotated[str, typer.Option(help="An instant (RFC 3339, with a zone); now where left out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the features of an entity's newest row, online and as of the lake."""
    found = settings.load()
    contract, lake = deployed.contract(found, name), lake_of(found, name)
    instant = _instant(at) if at else Clock(found.clock_file()).now()
    row = event(lake, contract, entity, instant)
    held, away = online(found, contract, row, instant)
    (then,) = as_of(lake, contract, [(instant, Reader.of(contract).keys(row))])
    sides = beside(contract, _fitted(found, contract), row, held.readings, then)
    shown = row[contract.events.id]
    if as_json:
        both = [{**vars(side), "same": side.same} for side in sides]
        facts = {"at": instant, "event": shown, "degraded": held.degraded, "redis": away}
        print(json.dumps({**facts, "features": both}))
    else:
        when = f"{EPOCH + timedelta(microseconds=instant):%Y-%m-%dT%H:%M:%S.%fZ}"
        print(f"event {printable(str(shown))} as of {when}")
        _print(sides, held, away)


def event(lake: Lake, contract: Contract, entity: str, at: Micros) -> dict[str, Value]:
    """Decoded fields of the entity's newest event that had arrived by `at`. Raises BadInput: none had."""
    found = []
    for manifest in lake.manifests():  # one by one: of all events only the entity's are ever held
        table = events(lake, contract, [manifest])
        known = pc.and_(
            pc.equal(table[contract.events.entity], entity), pc.less_equal(table["arrived_at"], at)
        )
        found.append(table.filter(known))
    table = pa.concat_tables(found) if found else pa.table({})
    if not len(table):
        raise BadInput("entity", entity, f"one with an event of {contract.name} that had arrived by then")
    table = table.sort_by([(n, "descending") for n in ("arrived_at", "partition", "offset")])
    (newest,) = table.slice(0, 1).to_pylist()
    return {field.name: newest[field.name] for field in contract.events.fields}


def online(
    found: Settings, contract: Contract, row: Mapping[str, Value], at: Micros
) -> tuple[Held, str | None]:
    """What the scorer would read of a row asked at `at`; the defaults, and why, where Redis cannot be had.

    Raises BadConfig where its address is none.
    """
    clock = Clock()
    try:
        store = RedisStore(found.redis.address, found.redis.deadline_ms / 1000, clock.elapsed)
    except ValueError as error:
        said = "an address such as redis://HOST:6379"
        raise BadConfig("redis.url", str(error), said, "see redis.* in the settings") from error
    state = State(store, clock.elapsed, copy_s=0.0)
    state.tend()
    (held,) = state.read(Reads.of(contract), [row], at, Sums())
    why = _why(store) if held.degraded and state.breaker.open else None
    store.close()
    return held, f"{_address(found)}: {why}" if why else None


def beside(
    contract: Contract,
    fitted: Fitted,
    row: Mapping[str, Value],
    now: Mapping[str, Value],
    then: Mapping[str, Value],
) -> list[Side]:
    """What the row reads of tiles, then its features."""
    of = row_function(contract, fitted)
    names = [f.name for f in contract.features]
    made = zip(names, of({**row, **now}), of({**row, **then}), strict=True)
    return [*(Side(name, now[name], then[name]) for name in then), *(Side(*one) for one in made)]


def _fitted(found: Settings, contract: Contract) -> Fitted:
    """Of the newest model of this very contract whose bundle reads; without one nothing is fitted."""
    store = BundleStore(found.bundle_store() / contract.name)
    for run in reversed(store.runs()):
        if run.bundle is None or run.fingerprint != contract.fingerprint:
            continue
        try:
            return Fitted.from_bytes(store.bundle(run.bundle).files["fitted.json"])
        except BadArtifact as error:
            print(f"passed over, an older model's levels are taken, or none: {error}", file=sys.stderr)
    return NOTHING


def _why(store: RedisStore) -> str:
    """The state keeps on without Redis and does not say why: it is asked once more."""
    try:
        store.connect()
    except Unavailable as error:
        return str(error)
    return "no answer in time"


def _address(found: Settings) -> str:
    """Redis' address without its password."""
    scheme, _, rest = found.redis.address.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _instant(text: str) -> Micros:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadConfig("--at", text, "an instant such as 2026-11-21T12:00:00Z") from error
    if found.tzinfo is None:
        raise BadConfig("--at", text, "an instant with a zone, such as 2026-11-21T12:00:00Z")
    return round((found - EPOCH).total_seconds() * SECOND)


def _print(sides: Sequence[Side], held: Held, away: str | None) -> None:
    rows = [(s.name, str(s.online), str(s.as_of), "" if s.same else "differs") for s in sides]
    show(("feature", "online", "as of the lake", ""), rows)
    if held.degraded:
        print(f"degraded: {', '.join(held.degraded)}")
    if away is not None:
        print(f"online are the defaults: {away}")
