"""What the benchmarks of the contract measure with: twenty features of many functions, and rows as they come.

The same twenty columns stand here once more, written by hand in Spark as one would without a contract.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import radians
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from hotpath.clock import DAY, HOUR, MINUTE
from hotpath.contract.fitted import Fitted
from hotpath.contract.functions.angles import EARTH_KM
from hotpath.contract.model import Contract
from hotpath.contract.types import Value

CONTRACT = """\
name: shop
question: Will this order be sent back?
events:
  topic: shop.orders
  id: order_id
  entity: order_id
  host: host
  time: event_time
  fields:
    order_id:   {type: string}
    host:       {type: string}
    event_time: {type: timestamp}
    ships_at:   {type: timestamp, nullable: true}
    amount:     {type: double, min: 0, max: 100000, unit: EUR}
    balance:    {type: double, min: 0, max: 100000, unit: EUR, nullable: true}
    country:    {type: category}
    email:      {type: string}
    items:      {type: long, min: 0, max: 1000}
    lat:        {type: double, min: -90, max: 90, nullable: true}
    lon:        {type: double, min: -180, max: 180, nullable: true}
labels:
  topic: shop.returns
  entity: order_id
  fields: {order_id: {type: string}, sent_back: {type: bool}}
  target: sent_back
  horizon: 24h
tables:
  countries: {file: countries.csv, key: code}
features:
  amount: amount
  amount_log: log1p(amount)
  away: distance_km(lat, lon, 50.1, 8.7)
  cents: round(amount, 2) % 1.0
  country: level(country)
  express: if_else(is_null(ships_at), False, minutes_between(event_time, ships_at) < 120)
  free_mail: contains_any(lower(email), "gmail", "gmx", "yahoo")
  hour: hour(event_time, "Europe/Berlin")
  hour_sin: sin_cycle(hour(event_time, "Europe/Berlin"), 24)
  mail: hash_bucket(lower(email), 64)
  mail_length: length(email)
  near: one_of(country, "AT", "CH", "DE", "NL")
  odd: amount > 100 and not one_of(country, "DE") or items > 10
  over: clip(amount - balance, 0, 1000)
  risk: coalesce(look_up(countries, "risk", country), 0.5)
  root: sqrt(amount)
  share: amount / (balance + 1.0)
  size: bucket(amount, 10, 50, 100, 500)
  wait: hours_until(ships_at)
  weekend: is_weekend(event_time, "Europe/Berlin")
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate:  {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""
RISKS = {"AT": 0.1, "CH": 0.1, "DE": 0.2, "FR": 0.3, "GB": 0.4, "IT": 0.3, "NL": 0.1, "PL": 0.2, "US": 0.6}
COUNTRIES = (*RISKS, "BR", "JP")
LEVELS = ("AT", "CH", "DE", "FR", "GB", "IT", "NL", "US")
FITTED = Fitted(levels={"country": LEVELS})
MAILS = ("gmail.com", "GMX.net", "example.org", "yahoo.com", "company.example")
START = 1_795_000_000_000_000
NULLS = 0.05


def contract() -> Contract:
    """The contract above, with its table."""
    table = "code,risk\n" + "".join(f"{code},{risk}\n" for code, risk in RISKS.items())
    return Contract.from_yaml(CONTRACT, "shop.yaml", lambda _: table)


def rows(count: int, seed: int = 5) -> list[dict[str, Value]]:
    """Decoded rows, a twentieth of what may be null being null."""
    chance = random.Random(seed)
    return [_row(chance, number) for number in range(count)]


def by_hand() -> list[Column]:
    """The features in their order. Not guarded against what these rows do not hold (NaN, overflow)."""
    amount, balance, country, email = (F.col(name) for name in ("amount", "balance", "country", "email"))
    event_time, ships_at, lat, lon = (F.col(name) for name in ("event_time", "ships_at", "lat", "lon"))
    local = F.from_utc_timestamp(event_time, "Europe/Berlin")
    waits = F.unix_micros(ships_at) - F.unix_micros(event_time)
    turn = F.hour(local).cast("double") / F.lit(24.0)
    risks = F.create_map(*[F.lit(cell) for pair in RISKS.items() for cell in pair])
    made: dict[str, Any] = {
        "amount": amount,
        "amount_log": F.log1p(amount),
        "away": _haversine(lat, lon, 50.1, 8.7),
        "cents": F.rint(amount * F.lit(100.0)) / F.lit(100.0) % F.lit(1.0),
        "country": F.when(country.isin(*LEVELS), country).otherwise(F.lit("(other)")),
        "express": F.when(ships_at.isNull(), F.lit(False)).otherwise(waits / F.lit(MINUTE) < F.lit(120)),
        "free_mail": F.lower(email).rlike("gmail|gmx|yahoo"),
        "hour": F.hour(local).cast("bigint"),
        "hour_sin": F.sin(turn * F.lit(radians(360.0))),
        "mail": F.crc32(F.lower(email).cast("binary")) % F.lit(64),
        "mail_length": F.length(email).cast("bigint"),
        "near": country.isin("AT", "CH", "DE", "NL"),
        "odd": ((amount > 100) & ~country.isin("DE")) | (F.col("items") > 10),
        "over": F.when(balance.isNotNull(), F.greatest(F.lit(0.0), F.least(amount - balance, F.lit(1000.0)))),
        "risk": F.coalesce(F.try_element_at(risks, country), F.lit(0.5)),
        "root": F.sqrt(amount),
        "share": amount / (balance + F.lit(1.0)),
        "size": _bucket(amount, (10, 50, 100, 500)),
        "wait": waits / F.lit(float(HOUR)),
        "weekend": F.weekday(local) >= 5,
    }
    return [column.alias(name) for name, column in made.items()]


def _row(chance: random.Random, number: int) -> dict[str, Value]:
    at = START + chance.randrange(30 * DAY)
    mail = f"{chance.choice(('Anna', 'bob', 'Chris'))}{chance.randrange(10**4)}@{chance.choice(MAILS)}"
    found: dict[str, Value] = {
        "order_id": f"o{number}",
        "host": "shop-1",
        "event_time": at,
        "ships_at": at + chance.randrange(3 * DAY),
        "amount": round(chance.expovariate(0.01), 3),
        "balance": round(chance.expovariate(0.005), 3),
        "country": chance.choice(COUNTRIES),
        "email": mail,
        "items": chance.randrange(1, 15),
        "lat": chance.uniform(35.0, 60.0),
        "lon": chance.uniform(-10.0, 25.0),
    }
    may_be_null: Sequence[str] = ("ships_at", "balance", "lat", "lon")
    return {**found, **{name: None for name in may_be_null if chance.random() < NULLS}}


def _bucket(value: Column, bounds: Sequence[float]) -> Column:
    found = F.when(value < bounds[0], 0)
    for place, bound in enumerate(bounds[1:], 1):
        found = found.when(value < bound, place)
    return found.otherwise(len(bounds)).cast("bigint")


def _haversine(lat: Column, lon: Column, to_lat: float, to_lon: float) -> Column:
    up, along = F.sin(F.radians(lat - F.lit(to_lat)) / 2), F.sin(F.radians(lon - F.lit(to_lon)) / 2)
    square = up * up + F.cos(F.radians(lat)) * F.cos(F.lit(radians(to_lat))) * along * along
    return F.lit(2.0 * EARTH_KM) * F.asin(F.sqrt(square))
