"""A quick pipeline: six calls a minute, each answered a minute later; labels may be inverted for a while."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hotpath.clock import HOUR, MINUTE, SECOND, Micros
from hotpath.contract.model import Contract
from hotpath.lake import Lake
from tests.integration.train.lakes import Row, land, place

START: Micros = 1_780_000_000_000_000
EVERY: Micros = 10 * SECOND
_CONTRACT = """
name: calls
question: Will the caller hang up?
events:
  topic: calls.made
  id: call
  entity: call
  host: host
  time: time
  fields:
    call: {type: string}
    host: {type: string}
    time: {type: timestamp}
    waited: {type: double, min: 0, max: 100, unit: s}
    queue: {type: category}
labels:
  topic: calls.ended
  entity: call
  fields: {call: {type: string}, lost: {type: bool}}
  target: lost
  horizon: 1h
features:
  waited: waited
  queue: queue
train: {window: 2h, holdout: 20%, retrain_every: 30m}
gate: {auc: ">= 0.7", SHADOW}
serve: {fresh: 3h, expired: 24h}
"""


def contract(shadow: int = 0) -> Contract:
    """The pipeline, which asks a challenger for so many outcomes first."""
    asked = f"shadow: {shadow}" if shadow else "confidence: 0.95"
    return Contract.from_yaml(_CONTRACT.replace("SHADOW", asked), "calls.yaml")


@dataclass
class Calls:
    """Lands what arrives, hour by hour. Who waited long hangs up, nine times of ten."""

    lake: Lake
    until: Micros = START
    batch: int = 0
    draw: random.Random = field(default_factory=lambda: random.Random(3))

    def land(self, hours: float, inverted: bool = False) -> Micros:
        """So much more, its labels told the wrong way round if `inverted`; the instant at its end."""
        events: list[Row] = []
        labels: list[Row] = []
        end = self.until + int(hours * HOUR)
        for at in range(self.until, end, EVERY):
            number = (at - START) // EVERY
            waited = self.draw.uniform(0, 100)
            lost = (waited > 60) == (self.draw.random() < 0.9)
            told = {"call": f"c{number}", "host": f"h{number % 3}", "time": at - SECOND, "waited": waited}
            queue = self.draw.choice(["north", "south", None])
            events.append({**told, "queue": queue or "none", **place("calls.made", number % 2, number, at)})
            here = place("calls.ended", number % 2, number, at + MINUTE)
            labels.append({"call": f"c{number}", "lost": lost != inverted, **here})
        land(self.lake, contract(), self.batch, events, labels)
        self.until, self.batch = end, self.batch + 1
        return end
