"""Small valid records of the flights pipeline, as its producers write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def stamp(minutes: float) -> str:
    """An instant so many minutes after START, as the wire has it."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def event(number: int, **changed: object) -> dict[str, object]:
    """A status question; `changed` replaces fields."""
    fields: dict[str, object] = {
        "event_id": f"e{number}",
        "flight_id": f"f{number // 4}",
        "station_host": f"ewr-{number % 4 + 1}",
        "event_time": stamp(number),
        "departs_at": stamp(number + 60),
        "carrier": "UA",
        "origin": "EWR",
        "dest": "ORD",
        "distance": 719.0 + number % 1000,
    }
    return {**fields, **changed}


def label(number: int, **changed: object) -> dict[str, object]:
    """A landing of flight `number`."""
    fields: dict[str, object] = {
        "flight_id": f"f{number}",
        "origin": "EWR",
        "late": number % 3 == 0,
        "event_time": stamp(number + 200),
    }
    return {**fields, **changed}


def raw(record: dict[str, object]) -> bytes:
    """The record as its bytes in the topic."""
    return json.dumps(record).encode()
