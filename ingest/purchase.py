"""One payment, drawn at random: who pays whom, how much, from what, and how it ends.

Pure: the same chance draws the same payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from random import Random
from typing import NamedTuple
from uuid import UUID
from zlib import crc32

from hotpath.clock import DAY, HOUR, Micros
from ingest.fraud import Pattern, pattern
from ingest.shops import (
    CATEGORIES,
    CATEGORIES_BY_SHARE,
    COUNTRIES,
    COUNTRIES_BY_SHARE,
    SYSTEMS,
    VERSIONS,
    Category,
    Country,
)
from ingest.traffic import LONGEST_WAIT, SHORTEST_WAIT, Traffic

HOSTS = 16
ACCOUNTS = 3_000
MERCHANTS = 40
"""Of each category."""
BY_PHONE = 0.3
"""Share of the payments in a shop that come from a device; a card alone has none."""
MOST = 50_000.0
"""EUR."""
_BY_NAME = {c.name: c for c in CATEGORIES}
_BY_CODE = {c.code: c for c in COUNTRIES}


class Device(NamedTuple):
    """What an account's holder paid with."""

    os: str
    app_version: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """`made_at`, `settles_at` and `known_at` (when it is known whether it was fraud) are true instants.

    `amount` in EUR, `card_age` in days; null is what nobody knows. `twice`: its event is sent twice.
    """

    id: str
    made_at: Micros
    settles_at: Micros
    known_at: Micros
    account: str
    merchant: str
    host: str
    category: str
    country: Country
    amount: float
    device: Device | None
    tags: tuple[str, ...]
    card_age: int | None
    place: tuple[float, float] | None
    consent: bool
    fraud: bool
    twice: bool


def payment(traffic: Traffic, at: Micros, chance: Random) -> Payment:
    """The payment made at an instant."""
    fraud = chance.random() < traffic.frauds
    gang = pattern(traffic, at, chance) if fraud else None
    category, country = _where(gang, chance)
    online = chance.random() < category.online / 100
    merchant = f"{category.name}-{chance.randrange(MERCHANTS)}"
    known = chance.random() >= traffic.nulls
    return Payment(
        id=str(UUID(int=chance.getrandbits(128), version=4)),
        made_at=at,
        settles_at=(at // DAY + chance.randint(1, 3 if online else 1)) * DAY + 4 * HOUR,
        known_at=at + _wait(traffic, chance),
        account=f"acc-{chance.randrange(ACCOUNTS)}",
        merchant=merchant,
        host=f"till-{1 + crc32(merchant.encode()) % HOSTS}",
        category=category.name,
        country=country,
        amount=_amount(gang, category, chance),
        device=_device(gang, online, chance),
        tags=_tags(category, online, chance),
        card_age=int(chance.expovariate(1 / 700)) if known else None,
        place=_near(country, chance) if chance.random() >= traffic.nulls else None,
        consent=chance.random() >= traffic.no_consent,
        fraud=fraud,
        twice=chance.random() < traffic.twice,
    )


def _where(gang: Pattern | None, chance: Random) -> tuple[Category, Country]:
    if gang is not None:
        return _BY_NAME[gang.category], _BY_CODE[gang.country]
    return chance.choice(CATEGORIES_BY_SHARE), chance.choice(COUNTRIES_BY_SHARE)


def _wait(traffic: Traffic, chance: Random) -> Micros:
    in_time = chance.uniform(SHORTEST_WAIT, LONGEST_WAIT) * traffic.label_h
    late = chance.random() < traffic.late_labels
    return int((in_time + traffic.late_by_h * late) * HOUR)


def _amount(gang: Pattern | None, category: Category, chance: Random) -> float:
    if gang is not None:
        return round(chance.uniform(gang.least, gang.most), 2)
    return round(min(chance.lognormvariate(log(category.usual), 0.7), MOST), 2)


def _device(gang: Pattern | None, online: bool, chance: Random) -> Device | None:
    if not online and chance.random() >= BY_PHONE:
        return None
    system = chance.choice(SYSTEMS) if gang is None else gang.system
    return Device(system, chance.choice(VERSIONS[system]), trusted=chance.random() < 0.7)


def _tags(category: Category, online: bool, chance: Random) -> tuple[str, ...]:
    said = {
        "online": online,
        "contactless": not online and chance.random() < 0.6,
        "gift": category.name in ("clothing", "jewellery") and chance.random() < 0.2,
        "recurring": online and chance.random() < 0.15,
    }
    return tuple(name for name, holds in said.items() if holds)


def _near(country: Country, chance: Random) -> tuple[float, float]:
    return round(country.lat + chance.gauss(0, 0.5), 4), round(country.lon + chance.gauss(0, 0.5), 4)
