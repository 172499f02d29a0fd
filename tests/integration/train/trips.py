"""A small pipeline of trips: the answer is one of many classes (how it ended) or a number (its minutes)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from hotpath.clock import HOUR, MINUTE, SECOND, Micros
from hotpath.contract.model import Contract
from hotpath.lake import Lake
from tests.integration.train.lakes import Row, land, place

START: Micros = 1_780_000_000_000_000
_CONTRACT = """
name: trips
question: {question}
events:
  topic: trips.begun
  id: id
  entity: trip
  host: host
  time: time
  fields:
    id: {{type: string}}
    trip: {{type: string}}
    host: {{type: string}}
    time: {{type: timestamp}}
    km: {{type: double, unit: km}}
    device: {{type: object, fields: {{os: {{type: category, max_levels: 2}}}}}}
labels:
  topic: trips.ended
  entity: trip
  fields: {{trip: {{type: string}}, {target}}}
  target: {name}
  horizon: 12h
features:
  km: km
  os: level(device.os)
train: {{window: 30d, holdout: 20%, retrain_every: 2h}}
gate: {gate}
serve: {{fresh: 3h, expired: 24h}}
"""


@dataclass(frozen=True)
class Trips:
    """A contract, and the answer to a trip of so many km by a draw."""

    contract: Contract
    answer: Callable[[float, random.Random], object]

    def land(self, lake: Lake, trips: int = 800) -> Micros:
        """One question and one label a trip, a minute apart; the instant after the last arrival."""
        draw = random.Random(11)
        events: list[Row] = []
        labels: list[Row] = []
        for n in range(trips):
            at, km = START + n * MINUTE, draw.uniform(0, 100)
            told = {"id": f"e{n}", "trip": f"t{n}", "host": f"h{n % 3}", "time": at - SECOND, "km": km}
            system = draw.choice(["ios", "android", "android", "other"])
            events.append({**told, "device.os": system, **place("trips.begun", n % 2, n, at)})
            answer = {"trip": f"t{n}", self.contract.labels.target: self.answer(km, draw)}
            labels.append({**answer, **place("trips.ended", n % 2, n, at + HOUR)})
        land(lake, self.contract, 0, events, labels)
        return START + trips * MINUTE + HOUR


def _contract(question: str, name: str, target: str, gate: str) -> Contract:
    text = _CONTRACT.format(question=question, name=name, target=target, gate=gate)
    return Contract.from_yaml(text, "trips.yaml")


def _ending(km: float, draw: random.Random) -> object:
    """Mostly by distance; nobody ever got lost."""
    likely = ("at once", "in time", "late")[min(int(km / 33), 2)]
    return likely if draw.random() < 0.8 else draw.choice(["at once", "in time", "late"])


ENDINGS = Trips(
    _contract(
        "How will the trip end?",
        "ending",
        "ending: {type: category, levels: [at once, in time, late, lost]}",
        '{accuracy: ">= 0.6", log_loss: "<= 0.9"}',
    ),
    _ending,
)
MINUTES = Trips(
    _contract(
        "How long will it take?",
        "spent.minutes",
        "spent: {type: object, fields: {minutes: {type: double, unit: min}}}",
        '{rmse: "<= 20"}',
    ),
    lambda km, draw: 2 * km + draw.gauss(0, 5),
)
