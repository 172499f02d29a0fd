"""Card payments and, hours later, whether they were fraud: every record by when it arrives.

Pure. A payment is drawn with its hour, from the settings' seed and nothing else, so a day's records are the
same in whatever pieces it is asked for. Terminals with a bad clock are bad from the replay's start on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter

from hotpath.clock import HOUR, SECOND, Micros
from hotpath.contract.parts import Events, Labels, Source
from hotpath.errors import BadConfig
from ingest.purchase import Payment, payment
from ingest.records import SLOWEST, Due, arriving, rfc3339
from ingest.traffic import Traffic, drawn, instants

EVENT_KEYS = (
    "payment_id", "account_id", "merchant_id", "terminal", "event_time", "settles_at", "amount", "currency",
    "merchant_category", "country", "device", "tags", "card_age_days", "lat", "lon", "consent",
)  # fmt: skip
LABEL_KEYS = ("payment_id", "fraud", "event_time")


class Payments:
    """The payments of a replay that begins at an instant, in the topics of a contract."""

    def __init__(self, traffic: Traffic, begins: Micros, events: Events, labels: Labels) -> None:
        """Raises BadConfig where the contract has a field that no payment has."""
        self.history_from = begins - traffic.history
        self._traffic, self._begins = traffic, begins
        self._events, self._labels = events, labels
        # A span touches as many hours as labels may be late, and the next span most of them again.
        self._in_hour = lru_cache(maxsize=96)(self._of_hour)
        self._asked = _known("events", events, EVENT_KEYS)
        self._told = _known("labels", labels, LABEL_KEYS)

    def due(self, since: Micros, until: Micros) -> list[Due]:
        """The records that arrive from `since` (inclusive) to `until` (exclusive), in order of arrival.

        Nothing of payments made before the history: a label has its event.
        """
        earliest = since - SLOWEST - self._traffic.longest_wait
        made = (p for hour in range(earliest // HOUR, until // HOUR + 1) for p in self._in_hour(hour))
        found = (
            record
            for paid in made
            if paid.made_at >= self.history_from
            for record in self._said(paid, since - SLOWEST, until)
            if since <= record.at < until
        )
        return sorted(found, key=attrgetter("order"))

    def _of_hour(self, hour: int) -> Sequence[Payment]:
        chance = drawn(self._traffic, "hour", hour)
        return [payment(self._traffic, at, chance) for at in instants(self._traffic, hour, chance)]

    def _said(self, paid: Payment, since: Micros, until: Micros) -> Iterator[Due]:
        if since <= paid.made_at < until:
            event = arriving(self._events.topic, paid.id, paid.made_at, paid.id, self._event(paid))
            yield event
            if paid.twice:
                yield event.again()
        if since <= paid.known_at < until:
            yield arriving(self._labels.topic, paid.id, paid.known_at, paid.id, self._label(paid))

    def _event(self, paid: Payment) -> dict[str, object]:
        lat, lon = paid.place or (None, None)
        values: dict[str, object] = {
            "payment_id": paid.id,
            "account_id": paid.account,
            "merchant_id": paid.merchant,
            "terminal": paid.host,
            "event_time": rfc3339(paid.made_at + self._ahead(paid)),
            "settles_at": rfc3339(paid.settles_at),
            "amount": paid.amount,
            "currency": paid.country.currency,
            "merchant_category": paid.category,
            "country": paid.country.code,
            "device": None if paid.device is None else paid.device._asdict(),
            "tags": list(paid.tags),
            "card_age_days": paid.card_age,
            "lat": lat,
            "lon": lon,
            "consent": paid.consent,
        }
        return {key: values[key] for key in self._asked}

    def _label(self, paid: Payment) -> dict[str, object]:
        known_at = rfc3339(paid.known_at)
        values = {"payment_id": paid.id, "fraud": paid.fraud, "event_time": known_at}
        return {key: values[key] for key in self._told}

    def _ahead(self, paid: Payment) -> Micros:
        bad = self._traffic.bad_hosts.get(paid.host, 0) if paid.made_at >= self._begins else 0
        return int(bad * SECOND)


def _known(name: str, source: Source, keys: Sequence[str]) -> Sequence[str]:
    """The data's keys that the contract asks for."""
    for part in source.parts:
        if part.key not in keys:
            raise BadConfig(f"{name}.fields.{part.name}", part.key, f"a key of the data: {', '.join(keys)}")
    asked = {part.key for part in source.parts}
    return [key for key in keys if key in asked]
