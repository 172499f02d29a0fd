"""Every question and every landing of the season as records, by when they arrive.

Pure: reads no file and sends nothing. For each flight a station host of its origin asks `HORIZONS` before
the scheduled departure whether it will be late, with the newest weather it has; once a flight has landed, a
label says whether it was (what knows the future is left out where the data is read, see ingest.season).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from zlib import crc32

from hotpath.clock import HOUR, MINUTE, Micros
from hotpath.contract.parts import Events, Labels
from hotpath.errors import BadConfig
from ingest.plan import Plan
from ingest.records import SLOWEST, Due, arriving, rfc3339
from ingest.season import Days, Flight
from ingest.weather import OBSERVED, Weather

HORIZONS = (180 * MINUTE, 120 * MINUTE, 60 * MINUTE, 15 * MINUTE)
"""Before the scheduled departure, earliest first."""
LATE_MINUTES = 15
HOSTS_AN_ORIGIN = 4
LONGEST: Micros = 48 * HOUR
"""Every flight of the data landed within this from its scheduled departure (34 h is the most)."""

STRANGERS_ASK = 90 * MINUTE
"""Before the scheduled departure, about every second flight of their airport."""
STRANGERS_JOIN: Micros = 2 * HOUR
"""After the replay's start: two real minutes at 60 times."""

EVENT_COLUMNS = (
    "event_id", "flight_id", "station_host", "event_time", "departs_at",
    "carrier", "origin", "dest", "distance", *OBSERVED,
)  # fmt: skip
LABEL_COLUMNS = ("flight_id", "origin", "late", "event_time")


@dataclass(frozen=True, slots=True)
class Stranger:
    """A host that joins during the replay; `ahead` (µs) is what its clock says too much."""

    host: str
    origin: str
    ahead: Micros


WRONG_CLOCKS = (Stranger("ewr-9", "EWR", -3 * HOUR), Stranger("jfk-9", "JFK", HOUR))
"""What the demonstration shows: a host three hours behind and one an hour ahead."""


class Flights:
    """The season's flights under one plan, in the fields of a contract's events and labels."""

    def __init__(
        self,
        days: Days,
        weather: Weather,
        plan: Plan,
        events: Events,
        labels: Labels,
        strangers: Sequence[Stranger] = (),
    ) -> None:
        """Raises BadConfig where the contract has a field that the data has not."""
        self._days, self._weather, self.plan, self._strangers = days, weather, plan, strangers
        # A span touches a few days, and the next span most of them again.
        self._on = lru_cache(maxsize=8)(self._of_day)
        self._events, self._labels = events, labels
        self._asked = _known("events", [f.name for f in events.fields], EVENT_COLUMNS)
        self._told = _known("labels", [f.name for f in labels.fields], LABEL_COLUMNS)

    @property
    def history_from(self) -> Micros:
        """First instant of the imported history."""
        return self.plan.history_from

    def due(self, since: Micros, until: Micros) -> list[Due]:
        """The records that arrive from `since` (inclusive) to `until` (exclusive), in order of arrival.

        Nothing of flights whose first question lies before the history: a label has all its questions.
        """
        said_from = since - SLOWEST
        found = (
            record
            for departure in self._departures(said_from - LONGEST, until + HORIZONS[0])
            if departure.at - HORIZONS[0] >= self.history_from
            for record in self._said(departure, said_from, until)
            if since <= record.at < until
        )
        return sorted(found, key=attrgetter("order"))

    def questions(self, now: Micros, ahead: Micros) -> list[dict[str, object]]:
        """What could be asked now about each flight that departs within `ahead`."""
        departures = self._departures(now, now + ahead)
        return [self._event(d, now, "now") for d in departures if now < d.at < now + ahead]

    def _departures(self, since: Micros, until: Micros) -> Iterator[_Departure]:
        for day in self.plan.data_days(since, until):
            yield from self._on(day)

    def _of_day(self, day: date) -> list[_Departure]:
        shifted = ((self.plan.shifted(flight.departs), flight) for flight in self._days(day))
        return [_Departure(_flight_id(f, at), self.plan.instant(f.departs), f) for at, f in shifted]

    def _said(self, departure: _Departure, since: Micros, until: Micros) -> Iterator[Due]:
        for horizon in HORIZONS:
            if since <= (asked := departure.at - horizon) < until:
                event = self._event(departure, asked, f"{horizon // MINUTE:03d}")
                yield self._asking(event, asked)
        yield from self._strange(departure, since, until)
        landed = departure.landed
        if landed is not None and since <= landed < until:
            label = self._label(departure, landed)
            yield arriving(self._labels.topic, departure.id, landed, departure.id, label)

    def _strange(self, departure: _Departure, since: Micros, until: Micros) -> Iterator[Due]:
        """The further question that a stranger asks, stamped by its clock and sent when it is asked."""
        asked = departure.at - STRANGERS_ASK
        joined = asked >= self.plan.starts_at + STRANGERS_JOIN
        for stranger in self._strangers:
            named = departure.flight.origin == stranger.origin and crc32(departure.id.encode()) % 2
            if joined and named and since <= asked < until:
                event = self._event(departure, asked, stranger.host)
                claimed = {
                    "station_host": stranger.host,
                    "event_time": rfc3339(asked + stranger.ahead),
                }
                yield self._asking({**event, **claimed}, asked)

    def _asking(self, event: dict[str, object], asked: Micros) -> Due:
        name, entity = (str(event[field]) for field in (self._events.id, self._events.entity))
        return arriving(self._events.topic, name, asked, entity, event)

    def _event(self, departure: _Departure, asked: Micros, which: str) -> dict[str, object]:
        flight = departure.flight
        columns: dict[str, object] = {
            "event_id": f"{departure.id}-{which}",
            "flight_id": departure.id,
            "station_host": station_host(flight.origin, departure.id),
            "event_time": rfc3339(asked),
            "departs_at": rfc3339(departure.at),
            "carrier": flight.carrier,
            "origin": flight.origin,
            "dest": flight.dest,
            "distance": flight.distance,
            **self._weather.newest(flight.origin, asked),
        }
        return {name: columns[name] for name in self._asked}

    def _label(self, departure: _Departure, landed: Micros) -> dict[str, object]:
        flight = departure.flight
        columns: dict[str, object] = {
            "flight_id": departure.id,
            "origin": flight.origin,
            "late": flight.arrival_delay is not None and flight.arrival_delay > LATE_MINUTES,
            "event_time": rfc3339(landed),
        }
        return {name: columns[name] for name in self._told}


@dataclass(frozen=True, slots=True)
class _Departure:
    """A flight on its shifted day: `at` is the scheduled instant."""

    id: str
    at: Micros
    flight: Flight

    @property
    def landed(self) -> Micros | None:
        """The actual arrival, or None where the data has none."""
        flight = self.flight
        if flight.arrival_delay is None:
            return None
        return self.at + (flight.block + flight.arrival_delay) * MINUTE


def _flight_id(flight: Flight, departs: datetime) -> str:
    # The time tells two flights of one number and day apart; strftime would cost more than all the rest.
    wall = departs.isoformat(timespec="minutes")
    return f"{wall[:10]}-{flight.carrier}{flight.number}-{flight.origin}-{wall[11:13]}{wall[14:16]}"


def station_host(origin: str, flight_id: str) -> str:
    """The machine at the airport that asks about a flight: the same one each time."""
    return f"{origin.lower()}-{1 + crc32(flight_id.encode()) % HOSTS_AN_ORIGIN}"


def _known(source: str, names: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in columns:
            raise BadConfig(f"{source}.fields.{name}", name, f"a column of the data: {', '.join(columns)}")
    return names
