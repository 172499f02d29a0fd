"""What the benchmarks of the lake land: a ride's event of twenty fields, as applications send them.

Pure. Twenty fields of the common types in about 440 bytes of JSON, two of them null now and then.
"""

from __future__ import annotations

import random

import orjson

from hotpath.clock import DAY, MINUTE, SECOND, Micros
from hotpath.contract.model import Contract
from ingest.records import rfc3339

CONTRACT = """\
name: rides
question: Will this ride be paid late?
events:
  topic: rides.ended
  id: ride_id
  entity: ride_id
  host: host
  time: event_time
  fields:
    ride_id:     {type: string, max_length: 36}
    driver_id:   {type: string, max_length: 16}
    rider_id:    {type: string, max_length: 16}
    host:        {type: string, max_length: 32}
    event_time:  {type: timestamp}
    picked_up:   {type: timestamp}
    set_down:    {type: timestamp, nullable: true}
    city:        {type: category, max_levels: 512}
    zone:        {type: category, max_levels: 1024}
    vehicle:     {type: category, levels: [bike, car, scooter, van]}
    payment:     {type: category, levels: [card, cash, wallet]}
    distance:    {type: double, min: 0, max: 1000, unit: km}
    fare:        {type: double, min: 0, max: 10000, unit: EUR}
    tip:         {type: double, min: 0, max: 1000, unit: EUR, nullable: true}
    surge:       {type: double, min: 1, max: 10}
    lat:         {type: double, min: -90, max: 90, unit: deg}
    lon:         {type: double, min: -180, max: 180, unit: deg}
    passengers:  {type: long, min: 0, max: 100}
    driven:      {type: long, min: 0}
    shared:      {type: bool}
labels:
  topic: rides.paid
  entity: ride_id
  fields: {ride_id: {type: string}, late: {type: bool}, event_time: {type: timestamp}}
  target: late
  horizon: 24h
features:
  distance: distance
  fare: fare
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate:  {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""
AGGREGATE = """\
aggregates:
  fares: {over: events, by: driver_id, value: fare, digits: 2, tile: 10s, horizon: 1h, delay: 1m, grace: 5s}
features:
  fare_mean: mean(fares)
  fare_max: max(fares, "10m")
"""
VEHICLES, PAYMENTS = ("bike", "car", "scooter", "van"), ("card", "cash", "wallet")
HOSTS, CITIES, ZONES, DRIVERS, RIDERS = 40, 120, 800, 100_000, 1_000_000
NULLS = 0.1
START: Micros = 1_795_000_000_000_000
DRAWN = 250_000
"""More than a file of the lake holds, so that no column repeats itself there for that."""


def contract() -> Contract:
    """The contract above."""
    return Contract.from_yaml(CONTRACT, "rides.yaml")


def tiled() -> Contract:
    """The same with an aggregate of DRIVERS keys."""
    return Contract.from_yaml(CONTRACT.replace("features:\n", AGGREGATE), "rides.yaml")


class Rides:
    """Events of any number: all but the id and the time of each is drawn once for `drawn` of them."""

    def __init__(self, seed: int = 7, drawn: int = DRAWN) -> None:
        chance = random.Random(seed)
        self._rest = [orjson.dumps(_rest(chance))[1:] for _ in range(drawn)]

    def event(self, number: int, now: Micros) -> bytes:
        """The ride `number`, which ends at `now`."""
        # A multiplicative hash: an id is as hard to compress as a random one, and the same in every run.
        named = number * 0x9E3779B97F4A7C15 % 2**64
        head = b'{"ride_id":"%016x-%012d","event_time":"%s",' % (named, number, rfc3339(now).encode())
        return head + self._rest[number % len(self._rest)]


def _rest(chance: random.Random) -> dict[str, object]:
    draw, some = chance.random, chance.randrange
    ended = START + some(DAY)
    return {
        "driver_id": f"driver-{some(DRIVERS)}",
        "rider_id": f"rider-{some(RIDERS)}",
        "host": f"app-{some(HOSTS)}.example",
        "picked_up": rfc3339(ended - some(MINUTE, 90 * MINUTE)),
        "set_down": None if draw() < NULLS else rfc3339(ended - some(SECOND)),
        "city": f"city-{some(CITIES)}",
        "zone": f"zone-{some(ZONES)}",
        "vehicle": VEHICLES[some(len(VEHICLES))],
        "payment": PAYMENTS[some(len(PAYMENTS))],
        "distance": round(draw() * 60, 3),
        "fare": round(3 + draw() * 80, 2),
        "tip": None if draw() < NULLS else round(draw() * 10, 2),
        "surge": round(1 + draw(), 2),
        "lat": round(46 + draw() * 8, 6),
        "lon": round(6 + draw() * 9, 6),
        "passengers": 1 + some(4),
        "driven": some(300_000),
        "shared": draw() < 0.2,
    }
