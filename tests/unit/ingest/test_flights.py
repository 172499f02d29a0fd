"""What is asked and answered about a flight, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pytest

from hotpath.clock import DAY, HOUR, SECOND, Micros
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import Type
from hotpath.errors import BadConfig
from ingest.flights import HORIZONS, Flights, Stranger
from ingest.plan import Plan, plan
from ingest.records import QUICKEST, SLOWEST, Due
from ingest.season import Flight
from ingest.weather import Weather

Season = Callable[..., Flights]
Scheduled = Callable[..., Flight]
At = Callable[[str], Micros]


def everything(season: Flights) -> list[Due]:
    return season.due(season.plan.history_from, season.plan.starts_at + 10 * DAY)


def events(records: list[Due]) -> list[dict[str, Any]]:
    return [orjson.loads(r.value) for r in records if r.topic == "flights.status"]


def labels(records: list[Due]) -> list[dict[str, Any]]:
    return [orjson.loads(r.value) for r in records if r.topic == "flights.landed"]


def test_a_flight_is_asked_about_four_times_and_then_lands(season: Season, scheduled: Scheduled) -> None:
    """Departs 12:15 New York (17:15 UTC in winter), two hours' flight, half an hour late."""
    found = everything(season(scheduled("2013-07-09 12:15", arrival_delay=30)))
    asked = [e["event_time"][11:16] for e in events(found)]
    assert asked == ["14:15", "15:15", "16:15", "17:00"]
    (label,) = labels(found)
    assert (label["event_time"], label["late"]) == ("2026-11-20T19:45:00.000000Z", True)


@pytest.mark.parametrize(("delay", "late"), [(-20, False), (15, False), (16, True)])
def test_more_than_fifteen_minutes_is_late(
    season: Season, scheduled: Scheduled, delay: int, late: bool
) -> None:
    (label,) = labels(everything(season(scheduled("2013-07-09 12:15", arrival_delay=delay))))
    assert label["late"] is late


def test_a_host_with_a_wrong_clock_joins_two_hours_into_the_replay(
    season: Season, scheduled: Scheduled
) -> None:
    """The replay starts at 04:00 in New York; the stranger asks 90 minutes before every second departure."""
    stranger = Stranger("ewr-9", "EWR", -3 * HOUR)
    early = [scheduled(f"2013-07-09 07:{minute:02d}") for minute in range(20)]
    later = [scheduled(f"2013-07-09 12:{minute:02d}") for minute in range(20)]
    found = season(*early, *later, strangers=[stranger])
    asked = [e for e in events(everything(found)) if e["station_host"] == "ewr-9"]
    assert 4 < len(asked) < 16
    for event in asked:
        claimed, departs = (datetime.fromisoformat(event[name]) for name in ("event_time", "departs_at"))
        assert departs - claimed == timedelta(minutes=90, hours=3)
        assert departs.hour == 17
    assert len(events(everything(season(*early, *later)))) == 160
    assert len({e["event_id"] for e in events(everything(found))}) == 160 + len(asked)


def test_a_flight_that_never_arrives_gets_no_label(season: Season, scheduled: Scheduled) -> None:
    found = everything(season(scheduled("2013-07-09 12:15", arrival_delay=None)))
    assert (len(events(found)), labels(found)) == (4, [])


def test_an_event_knows_nothing_of_the_future(season: Season, scheduled: Scheduled) -> None:
    def asked(delay: int | None) -> list[bytes]:
        found = everything(season(scheduled("2013-07-09 12:15", arrival_delay=delay)))
        return [r.value for r in found if r.topic == "flights.status"]

    assert asked(None) == asked(-10) == asked(500)


def test_every_record_decodes_and_has_exactly_the_contracts_fields(
    season: Season, scheduled: Scheduled, contract: Contract
) -> None:
    for record in everything(season(scheduled("2013-07-09 12:15"))):
        source = contract.events if record.topic == contract.events.topic else contract.labels
        decoded = decoder(source)(record.value)
        assert isinstance(decoded, Decoded)
        assert decoded.unknown == ()
        assert set(orjson.loads(record.value)) == {f.name for f in source.fields}
        assert record.key.decode() == decoded.values[source.entity]


def test_two_flights_of_one_number_and_day_have_ids_of_their_own(
    season: Season, scheduled: Scheduled
) -> None:
    found = everything(season(scheduled("2013-07-09 12:15"), scheduled("2013-07-09 20:15")))
    assert len({r.id for r in found}) == len(found) == 10


def test_a_record_arrives_a_little_after_it_was_said_and_always_at_the_same_instant(
    season: Season, scheduled: Scheduled, contract: Contract
) -> None:
    flights = [scheduled("2013-07-09 12:15", number=n) for n in range(50)]
    found, again = everything(season(*flights)), everything(season(*flights))
    assert found == again
    said = [decoder(contract.events)(r.value) for r in found if r.topic == contract.events.topic]
    ways = {
        r.at - int(str(d.values["event_time"]))
        for r, d in zip((r for r in found if r.topic == contract.events.topic), said, strict=True)
        if isinstance(d, Decoded)
    }
    assert QUICKEST <= min(ways) < max(ways) < SLOWEST
    assert len(ways) > 100


def test_spans_that_touch_give_each_record_once(season: Season, scheduled: Scheduled) -> None:
    flights = season(*(scheduled(f"2013-07-{day} 23:59", arrival_delay=600) for day in ("09", "10", "11")))
    start, end = flights.plan.starts_at, flights.plan.starts_at + 5 * DAY
    pieces = [r for at in range(start, end, 7 * HOUR) for r in flights.due(at, min(at + 7 * HOUR, end))]
    assert pieces == flights.due(start, end)
    assert len(pieces) == 15


def test_a_flight_whose_first_question_lies_before_the_history_is_left_out(
    season: Season, scheduled: Scheduled
) -> None:
    """History starts at 04:00 on the eighth of June; the first is asked about at 03:59."""
    found = everything(season(scheduled("2013-06-08 06:59"), scheduled("2013-06-08 07:00", number=2)))
    assert {e["flight_id"] for e in events(found)} == {"2026-10-20-UA2-EWR-0700"}
    assert len(labels(found)) == 1


@pytest.mark.parametrize(
    ("now", "data_day", "departs_utc"),
    [
        # Played on 2026-11-01, when clocks go back at 02:00: 07:15 is 12:15 UTC from then on, 11:15 before.
        ("2026-11-01 21:30", "2013-07-08 07:15", "2026-10-31T11:15"),
        ("2026-11-01 21:30", "2013-07-09 07:15", "2026-11-01T12:15"),
        # Played on 2027-03-14, when they go forward.
        ("2027-03-14 20:30", "2013-07-08 07:15", "2027-03-13T12:15"),
        ("2027-03-14 20:30", "2013-07-09 07:15", "2027-03-14T11:15"),
    ],
)
def test_a_departure_keeps_its_wall_time_over_a_change_of_clocks(
    contract: Contract, observed: Any, scheduled: Scheduled, at: At, now: str, data_day: str, departs_utc: str
) -> None:
    played, flight = plan(at(now)), scheduled(data_day)

    def on(day: date) -> list[Flight]:
        return [flight] if flight.departs.date() == day else []

    weather = Weather(observed(), played, contract.events.fields)
    found = events(everything(Flights(on, weather, played, contract.events, contract.labels)))
    assert {e["departs_at"][:16] for e in found} == {departs_utc}
    departs = at(departs_utc.replace("T", " "))
    asked = [at(e["event_time"][:19].replace("T", " ")) for e in found]
    assert asked == [departs - horizon for horizon in HORIZONS], "spans are spans, whatever the clocks show"


def test_hosts_are_four_an_airport_and_a_flight_keeps_its_own(season: Season, scheduled: Scheduled) -> None:
    found = events(everything(season(*(scheduled("2013-07-09 12:15", number=n) for n in range(40)))))
    assert {e["station_host"] for e in found} == {f"ewr-{n}" for n in (1, 2, 3, 4)}
    assert len({(e["flight_id"], e["station_host"]) for e in found}) == 40


def test_the_newest_weather_that_is_not_later_is_told(
    season: Season, scheduled: Scheduled, observed: Any
) -> None:
    weather = observed(("2013-07-09 09:00", {"temp": 60.0}), ("2013-07-09 11:00", {"temp": 70.0}))
    found = events(everything(season(scheduled("2013-07-09 11:30"), weather=weather)))
    assert [e["temp"] for e in found] == [None, 60.0, 60.0, 70.0]


def test_weather_that_the_contract_does_not_allow_is_not_known(
    season: Season, scheduled: Scheduled, observed: Any
) -> None:
    weather = observed(("2013-07-09 08:00", {"wind_speed": 1048.36058, "temp": 60.0}))
    (*_, event) = events(everything(season(scheduled("2013-07-09 12:15"), weather=weather)))
    assert (event["wind_speed"], event["temp"]) == (None, 60.0)


def test_a_field_that_the_data_has_not_is_refused(contract: Contract, winter: Plan, observed: Any) -> None:
    events = contract.events
    more = replace(events, parts=(*events.parts, Field("tail_number", Type.STRING)))
    with pytest.raises(BadConfig, match=r"events\.fields\.tail_number"):
        Flights(lambda _: (), Weather(observed(), winter, ()), winter, more, contract.labels)


def test_questions_of_now_are_about_flights_that_are_still_to_depart(
    season: Season, scheduled: Scheduled
) -> None:
    flights = season(
        scheduled("2013-07-09 05:00"), scheduled("2013-07-09 06:30"), scheduled("2013-07-09 09:00")
    )
    now = flights.plan.starts_at + HOUR + 30 * SECOND
    (question,) = flights.questions(now, 3 * HOUR)
    assert question["departs_at"] == "2026-11-20T11:30:00.000000Z"
    assert question["event_time"] == "2026-11-20T10:00:30.000000Z"
