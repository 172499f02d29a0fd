"""A contract whose features are readings of every statistic, its records, an oracle of what a row reads."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.contract.aggregates import Aggregate, key_text
from hotpath.contract.model import Contract
from hotpath.contract.statistics import BY_NAME, Part
from hotpath.lake import Lake
from tests.integration.train.lakes import Row, land, place

NOW: Micros = 1_780_000_200_000_000
"""A whole multiple of every tile's length."""
TEXT = """
name: stalls
question: Will it be late?
events:
  topic: stalls.asked
  id: id
  entity: sale
  host: host
  time: time
  fields:
    id: {type: string}
    sale: {type: string}
    host: {type: string}
    time: {type: timestamp}
    at: {type: object, nullable: true, fields: {stall: {type: category}}}
    seller: {type: long, nullable: true}
    cash: {type: bool}
    price: {type: double, nullable: true, min: -9999999999, max: 9999999999}
    pieces: {type: long, nullable: true}
labels:
  topic: stalls.done
  entity: sale
  fields: {sale: {type: string}, stall: {type: category, nullable: true}, late: {type: bool}}
  target: late
  horizon: 12h
streams:
  weather:
    topic: stalls.weather
    fields: {dry: {type: bool}, RAIN}
aggregates:
  AGGREGATES
features:
  READINGS
train: {window: 1d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""
AGGREGATES = {
    "sold": "{over: events, by: at.stall, value: price, digits: 2, tile: 10m, horizon: 2h, delay: 15m}",
    "moved": "{over: events, by: seller, value: pieces, tile: 5m, horizon: 1h, delay: 5m}",
    "late_at": "{over: labels, by: stall, key: at.stall, value: late, tile: 30m, horizon: 6h, delay: 30m}",
    "weather_at": "{over: weather, by: dry, key: cash, tile: 1m, horizon: 10m, delay: 90s}",
    "rained": "{over: weather, by: dry, key: cash, value: rain, tile: 1m, horizon: 10m, delay: 2m}",
}
SPANS = {
    "sold": ("10m", "2h"),
    "moved": ("5m", "1h"),
    "late_at": ("6h",),
    "weather_at": ("10m",),
    "rained": ("3m",),
}
RAIN = "rain: {type: double, nullable: true}"


def contract(spans: Mapping[str, Sequence[str]] = SPANS, rain: str = RAIN) -> Contract:
    """Every statistic of each of these aggregates over its spans."""
    aggregates = [f"{name}: {AGGREGATES[name]}" for name in spans]
    readings = [
        f'{statistic}_{name}_{span}: {statistic}({name}, "{span}")'
        for name, found in spans.items()
        for span in found
        for statistic in (("count", "age") if name == "weather_at" else BY_NAME)
    ]
    text = TEXT.replace("AGGREGATES", "\n  ".join(aggregates)).replace("READINGS", "\n  ".join(readings))
    return Contract.from_yaml(text.replace("RAIN", rain), "stalls.yaml")


def drawn(draw: random.Random, events: int, days: int) -> dict[str, list[Row]]:
    """Records of each source in the order of no clock, some sent twice; pools so small that all meet."""
    instants = _instants(draw, days)
    asked: list[Row] = [_event(draw, n, draw.choice(instants)) for n in range(events)]
    asked += [{**e, **place("stalls.asked", 1, n, draw.choice(instants))} for n, e in enumerate(asked[::9])]
    labels: list[Row] = [
        {
            "sale": f"s{draw.randrange(events + 1)}",
            "stall": draw.choice(["a", "a", "b", None]),
            "late": draw.random() < 0.5,
            **place("stalls.done", 0, n, draw.choice(instants)),
        }
        for n in range(events)
    ]
    felt: list[Row] = [
        {
            "dry": draw.random() < 0.5,
            "rain": draw.choice([None, 0.1, 2.5, -0.0, 0.0000005, 1e6, 1e6 + 1]),
            **place("stalls.weather", 0, n, draw.choice(instants)),
        }
        for n in range(events)
    ]
    return {"events": asked, "labels": labels, "weather": felt}


def landed(lake: Lake, contract: Contract, rows: Mapping[str, Sequence[Row]], batches: int = 3) -> None:
    """The rows in so many batches, each with a share of every source."""
    for batch in range(batches):
        shares = {name: found[batch::batches] for name, found in rows.items()}
        events, labels = shares.pop("events"), shares.pop("labels")
        land(lake, contract, batch, events, labels, streams=shares)


def reads(contract: Contract, rows: Mapping[str, Sequence[Row]], event: Row) -> dict[str, object]:
    """What a row reads, every record of the source looked at by itself."""
    at = int(str(event["arrived_at"]))
    aggregates = {a.name: a for a in contract.aggregates}
    found = {}
    for reading in contract.readings:
        aggregate, statistic = aggregates[reading.aggregate], BY_NAME[reading.statistic]
        key = key_text(event[aggregate.key])  # type: ignore[arg-type]  # rows of a test hold any object
        end = (at - aggregate.delay) // aggregate.tile * aggregate.tile
        told = [
            (int(str(row["arrived_at"])), value)
            for row in rows[aggregate.over]
            if end - reading.span <= int(str(row["arrived_at"])) < end
            and key_text(row[aggregate.by]) == key  # type: ignore[arg-type]
            and (value := fixed(aggregate, row)) is not None
        ]
        parts = _parts(told)
        values = [parts[part] for part in statistic.parts]
        found[reading.name] = (
            None if key is None else statistic.row(aggregate.unit, aggregate.limit, at, *values)
        )
    return found


def fixed(aggregate: Aggregate, row: Row) -> int | None:
    """A record's value in fixed point; None where it is in no tile."""
    if aggregate.value is None:
        return 1
    value = row[aggregate.value]
    if value is None:
        return None
    whole = int(str(value)) if aggregate.whole and not isinstance(value, bool) else value
    found = int(whole) if aggregate.unit is None else round(float(str(value)) * aggregate.unit)  # type: ignore[call-overload]
    return found if abs(found) <= aggregate.largest else None


def _parts(told: Sequence[tuple[Micros, int]]) -> dict[Part, int | None]:
    values = [value for _, value in told]
    if not told:
        return {part: 0 if part == Part.COUNT else None for part in Part}
    return {
        Part.COUNT: len(values),
        Part.SUM: sum(values),
        Part.SQUARES: sum(value * value for value in values),
        Part.LEAST: min(values),
        Part.GREATEST: max(values),
        Part.LAST_AT: max(told)[0],
        Part.LAST: max(told)[1],
    }


def sale(number: int, arrived_at: Micros, price: float | None = None, pieces: int | None = None) -> Row:
    """An event at stall a, by seller 1, for cash."""
    known = {"at.stall": "a", "seller": 1, "cash": True, "price": price, "pieces": pieces}
    return {**_event(random.Random(number), number, arrived_at), **known}


def weather(number: int, arrived_at: Micros, rain: float | None) -> Row:
    """A record of a dry hour."""
    return {"dry": True, "rain": rain, **place("stalls.weather", 0, number, arrived_at)}


def label(number: int, arrived_at: Micros, late: bool) -> Row:
    """The answer to that sale."""
    said = {"sale": f"s{number}", "stall": "a", "late": late}
    return {**said, **place("stalls.done", 0, number, arrived_at)}


def _event(draw: random.Random, number: int, arrived_at: Micros) -> Row:
    return {
        "id": f"id-{number}",
        "sale": f"s{number}",
        "host": f"host-{number % 3}",
        "time": arrived_at - SECOND,
        "at.stall": draw.choice(["a", "a", "a", "b", "", "é", None]),
        "seller": draw.choice([1, 1, -7, 2**63 - 1, None]),
        "cash": draw.random() < 0.5,
        "price": draw.choice(
            [None, 0.005, 0.015, 1.005, -2.5, 9_999_999_999.0, -1e10, draw.uniform(-99, 99)]
        ),
        "pieces": draw.choice([None, 0, 3, -5, 10**12, -(10**12), 10**12 + 1, 2**63 - 1, -(2**63)]),
        **place("stalls.asked", 0, number, arrived_at),
    }


def _instants(draw: random.Random, days: int) -> list[Micros]:
    """Some busy hours of the window and of what came before and after it, most of them at edges of tiles."""
    hours = [NOW, NOW - days * DAY, *(NOW - draw.randrange(days * 24) * HOUR for _ in range(2))]
    return [
        hour
        - draw.randrange(-3, 48) * 5 * MINUTE
        + draw.choice([0, 0, 0, -1, 1, -MINUTE, draw.randrange(MINUTE)])
        for hour in hours
        for _ in range(25)
    ]
