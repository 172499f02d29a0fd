"""A sample as a user has it: rides with nested parts and odd names, their labels in a file of their own."""

from __future__ import annotations

import random
from typing import Any

from hotpath.clock import HOUR, MINUTE, Micros
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import Type
from hotpath.people.draft import Draft, Wanted, draft
from hotpath.people.evidence import Evidence, evidence
from hotpath.people.samples import encoded
from hotpath.people.starter import contract_text
from hotpath.people.wire import sent

START: Micros = 1_790_000_000_000_000


def spelt(at: Micros) -> str:
    """An instant as a producer writes it."""
    return str(sent(Field("at", Type.TIMESTAMP), at))


def rides(count: int = 200) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Events and labels: the longer the trip, the likelier it is cancelled."""
    draw = random.Random(11)
    events, labels = [], []
    for number in range(count):
        asked, trip = START + number * HOUR, draw.uniform(1, 30)
        event: dict[str, Any] = {
            "rideId": f"r-{number}",
            "appHost": f"app-{number % 3}",
            "asked_at": spelt(asked),
            "pickupAt": spelt(asked + draw.randrange(5, 60) * MINUTE),
            "wait": f"PT{draw.randrange(60)}M",
            "trip_km": trip,
            "seats": draw.randrange(1, 5),
            "device": {"os": draw.choice(["ios", "web"]), "version": draw.choice([None, 1, 2])},
            "tags": draw.sample(["pets", "night", "pool"], draw.randrange(3)),
            "city": "Basel",
        }
        if number % 5:
            event["surge"] = draw.uniform(1, 3)
        events.append(event)
        labels.append(
            {"rideId": f"r-{number}", "done_at": spelt(asked + HOUR), "cancelled": trip > draw.uniform(0, 30)}
        )
    return events, labels


def drafted() -> Draft:
    """What `hotpath new rides` makes of them."""
    events, labels = rides()
    return draft(Wanted("rides", ("cancelled",)), events, labels)


def contract() -> Contract:
    """Its contract."""
    return Contract.from_yaml(contract_text(drafted()), "rides.yaml")


COUNTED = (
    "features:\n",
    "aggregates:\n"
    "  told: {over: labels, by: ride_id, value: cancelled, tile: 5m, horizon: 2h, delay: 2m}\n"
    "features:\n"
    "  share: mean(told)\n"
    "  quiet: coalesce(count(told, '5m'), 0) < 3\n",
)
"""An edit of the contract's text: an aggregate, and features that read its tiles."""


def shown(**changed: Any) -> Evidence:
    """What the rides show; `changed` replaces keys of each event by what a function makes of its number."""
    made = drafted()
    rows = [{**row, **{k: of(n) for k, of in changed.items()}} for n, row in enumerate(made.rows)]
    return evidence(contract(), encoded(rows).splitlines(), encoded(made.answers).splitlines())
