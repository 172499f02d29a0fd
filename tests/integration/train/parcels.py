"""A small contract with a field of every type, and its records: drawn, or made to measure."""

from __future__ import annotations

import random

from hotpath.clock import DAY, HOUR, MINUTE, SECOND, Micros
from hotpath.contract.model import Contract
from hotpath.handoffs import BadInterval
from tests.integration.train.lakes import Row, place
from train.clocks import Clocks

CONTRACT = Contract.from_yaml(
    """
name: parcels
question: Will it be late?
events:
  topic: parcels.sent
  id: id
  entity: parcel
  host: host
  time: time
  fields:
    id: {type: string}
    parcel: {type: string}
    host: {type: string}
    time: {type: timestamp}
    carrier: {type: category, nullable: true, max_levels: 2}
    weight: {type: double, nullable: true}
    pieces: {type: long, nullable: true}
    fragile: {type: bool, nullable: true}
    box: {type: object, nullable: true, fields: {depth: {type: double}, sides: {type: array, of: long}}}
labels:
  topic: parcels.arrived
  entity: parcel
  fields: {parcel: {type: string}, late: {type: bool}}
  target: late
  horizon: 12h
features:
  carrier: carrier
  known: level(carrier)
  depth: box.depth
  weight: weight
  pieces: pieces
  fragile: fragile
  heavy: weight > 10
  hour: hour(time, "America/New_York")
train: {window: 1d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
""",
    "parcels.yaml",
)
NOW: Micros = 1_780_000_000_000_000
TOLERANCE: Micros = 5 * SECOND


def an_event(draw: random.Random, partition: int, offset: int, parcels: int) -> Row:
    """Ids, bodies and instants from pools so small that all of them meet."""
    parcel, arrived_at = draw.randrange(parcels), an_instant(draw)
    ahead = draw.random() < 0.08
    return {
        "id": f"id-{draw.randrange(1500)}",
        "parcel": f"parcel-{parcel}",
        "host": f"host-{parcel % 3}",
        "time": arrived_at
        + (draw.choice([TOLERANCE, TOLERANCE + 1, HOUR]) if ahead else -draw.randrange(DAY)),
        "carrier": draw.choice([None, "", "ups", " ups", "é"]),
        "weight": draw.choice([None, 0.1, -0.0, 12.5]),
        "pieces": draw.choice([None, 0, 7]),
        "fragile": draw.choice([None, True, False]),
        "box.depth": draw.choice([None, 0.5, 3.0]),
        "box.sides": draw.choice([None, [], [3, 4]]),
        **place("parcels.sent", partition, offset, arrived_at),
    }


def wrong_clocks(draw: random.Random) -> Clocks:
    """Intervals on the grid of arrivals, two of one host among them, and one of a stranger."""
    intervals = []
    for host in ("host-0", "host-0", "host-1", "stranger"):
        since = NOW - draw.randrange(60) * 30 * MINUTE
        until = draw.choice([None, since, since + 1, since + draw.randrange(12) * 30 * MINUTE])
        intervals.append(BadInterval(host, since, until, draw.choice([-1, 1]) * HOUR))
    return Clocks(TOLERANCE, tuple(intervals) if draw.random() < 0.8 else ())


def a_label(draw: random.Random, partition: int, offset: int, parcels: int) -> Row:
    return {
        "parcel": f"parcel-{draw.randrange(parcels)}",
        "late": draw.random() < 0.4,
        **place("parcels.arrived", partition, offset, max(an_instant(draw), an_instant(draw))),
    }


def an_instant(draw: random.Random) -> Micros:
    """Mostly on a grid of half hours, so that ties are common, edges of the window among them."""
    edges = [NOW, NOW + 1, NOW - DAY, NOW - DAY + 1]
    near = NOW - draw.randrange(-1, 52) * 30 * MINUTE
    return draw.choice(edges) if draw.random() < 0.05 else near


def again(draw: random.Random, event: Row, offset: int) -> Row:
    """The same event sent twice, some minutes later."""
    later = int(str(event["arrived_at"])) + draw.randrange(3) * 10 * MINUTE
    return {**event, **place("parcels.sent", int(str(event["partition"])), offset, later)}


def one_event(offset: int, arrived_at: Micros, parcel: str = "parcel-0") -> Row:
    event = {**an_event(random.Random(offset), 0, offset, 1), "id": f"id-{offset}", "parcel": parcel}
    return {**event, "time": arrived_at - SECOND, **place("parcels.sent", 0, offset, arrived_at)}


def one_label(offset: int, late: bool, arrived_at: Micros, parcel: str = "parcel-0") -> Row:
    return {"parcel": parcel, "late": late, **place("parcels.arrived", 0, offset, arrived_at)}
