"""Streams and aggregates are read strictly, travel whole, and name what must be kept of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import HOUR, MINUTE, SECOND
from hotpath.contract.aggregates import Aggregate, key_text, parts_of
from hotpath.contract.durations import duration_text, span_of
from hotpath.contract.expressions import Reading
from hotpath.contract.model import Contract
from hotpath.contract.parts import Stream
from hotpath.contract.statistics import LARGEST, Part
from hotpath.contract.types import Type
from hotpath.contract.used import fields_used
from hotpath.errors import BadConfig
from hotpath.handoffs import topics
from hotpath.manifests import NO_RECORDS, NO_ROWS
from tests.contract.samples import CONTRACT
from tests.contract.tiled import aggregate

SECTIONS = """\
streams:
  weather:
    topic: small.weather
    fields: {station: {type: string}, at: {type: timestamp}, gust: {type: double, min: 0, max: 80}}
aggregates:
  told: {over: labels, by: who, value: truth, tile: 5m, horizon: 6h, delay: 8m}
  gusts: {over: weather, by: station, key: host, value: gust, digits: 1, tile: 5m, horizon: 1h, delay: 2m}
  asked: {over: events, by: count, tile: 1m, horizon: 1h, delay: 2m, grace: 20s, default: {count: 0}}
features:
  share: mean(told, "3h")
  calm: max(gusts) < 20.5 and age(gusts, "30m") < 10
  often: count(asked, "1h") - count(asked, "5m")
"""
TEXT = CONTRACT.replace("features:\n", SECTIONS)
TOLD = "told: {over: labels, by: who, value: truth, tile: 5m, horizon: 6h, delay: 8m}"
GUSTS = (
    "gusts: {over: weather, by: station, key: host, value: gust, digits: 1, tile: 5m, horizon: 1h, delay: 2m}"
)
ASKED = "asked: {over: events, by: count, tile: 1m, horizon: 1h, delay: 2m, grace: 20s, default: {count: 0}}"
WEATHER = SECTIONS[: SECTIONS.index("aggregates:")]


def said(old: str = "", new: str = "") -> Contract:
    """The contract above with one text replaced by another."""
    assert old in TEXT
    return Contract.from_yaml(TEXT.replace(old, new, 1) if old else TEXT, "small.yaml")


# What is replaced, by what, where the message points, what it says.
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "streams that are empty": (WEATHER, "streams: {}\n", "24:10: streams", "keys with values"),
    "an unknown key of a stream": ("topic: small.w", "topics: small.w", "weather.topics", "mean topic?"),
    "a stream without fields": (
        "topic: small.weather\n    fields:", "topic: small.weather\n    doc:", "weather.doc",
        "one of topic",
    ),
    "a stream of no name": ("  weather:", "  Weather:", "streams.Weather", "lower-case"),
    "a stream called like a dataset": (
        "  weather:", "  rejected:", "25:3|streams.rejected", "the lake does not use",
    ),
    **{
        f"a stream called like the count {name}": (
            "  weather:", f"  {name}:", f"streams.{name}", "the lake does not use",
        )
        for name in sorted(NO_RECORDS | NO_ROWS)
    },
    "a stream on the events' topic": (
        "small.weather", "small.asked", "26:12: streams.weather.topic", "nothing else of this",
    ),
    "a stream on the labels' topic": ("small.weather", "small.answered", "weather.topic", "nothing else of"),
    "two streams of one topic": (
        "  weather:\n", "  other: {topic: small.weather, fields: {a: {type: bool}}}\n  weather:\n",
        "weather.topic", "nothing else of this",
    ),
    "a stream on its own scores": (
        "small.weather", "hotpath.scores.small", "weather.topic", "nothing else of this",
    ),
    "a stream on a topic of ours": (
        "small.weather", "hotpath.models", "weather.topic", "or hotpath.scores.NAME",
    ),
    "a stream on no topic": ("small.weather", "small weather", "streams.weather.topic", "a Kafka topic"),
    "an entity of a stream": (
        "topic: small.w", "entity: station\n    topic: small.w", "weather.entity", "one of topic",
    ),
    "a stream's reserved field": (
        "station: {", "arrived_at: {type: bool}, station: {", "fields.arrived_at", "lake does not use",
    ),
    "an unknown decoder": (
        "topic: small.w", "decoder: cvs\n    topic: small.w", "weather.decoder", "did you mean csv?",
    ),
    "a decoder without its schema": (
        "topic: small.w", "decoder: avro\n    topic: small.w", "weather.decoder", "schema",
    ),
    "a decoder's unreadable schema": (
        "topic: small.w", "schema: none.csv\n    topic: small.w", "none.csv", "stands in a file",
    ),
    "an unknown key of an aggregate": ("tile: 5m", "tiles: 5m", "told.tiles", "did you mean tile?"),
    "a missing key": (", delay: 8m", "", "aggregates.told.delay", "a duration (the key is missing)"),
    "a null": ("delay: 8m", "delay: null", "aggregates.told.delay", "a duration"),
    "an aggregate of no name": ("  told: {", "  Told: {", "aggregates.Told", "lower-case"),
    "an aggregate called like a field": (
        "  told: {", "  size: {", "aggregates.size", "no event field and no table",
    ),
    "over nothing known": ("over: labels", "over: label", "aggregates.told.over", "did you mean labels?"),
    "over scores of its own": ("over: labels", "over: scores", "told.over", "one of events, labels, weather"),
    "by no field": ("by: who", "by: whom", "aggregates.told.by", "did you mean who?"),
    "by a number": ("by: who", "by: 1", "aggregates.told.by", "a field of type"),
    "by a double": ("by: station", "by: gust", "aggregates.gusts.by", "a field of type string"),
    "by another source's field": ("by: station", "by: level", "aggregates.gusts.by", "a field of type"),
    "a key that no event has": ("key: host", "key: hots", "aggregates.gusts.key", "did you mean host?"),
    "no key where no event has the field": (
        "key: host, ", "", "gusts.key", "a field of type string, category",
    ),
    "a key of another type": ("by: count", "by: count, key: level", "asked.key", "a field of type long"),
    "a value that is no field": ("value: gust", "value: gusts", "gusts.value", "did you mean gust?"),
    "a value that is a text": ("value: gust", "value: station", "gusts.value", "of type bool, long, double"),
    "digits of a bool": ("value: truth", "value: truth, digits: 2", "told.digits", "only a double"),
    "digits without a value": ("by: count", "by: count, digits: 2", "asked.digits", "only a double"),
    "too many digits": ("digits: 1", "digits: 10", "aggregates.gusts.digits", "from 0 to 9"),
    "digits that leave no room": ("max: 80", "max: 1e12", "aggregates.gusts.digits", "below 1e+12"),
    "a value that leaves no room": (
        "max: 80", "max: 1e12|digits: 1, ", "gusts.value", "narrower min and max",
    ),
    "a horizon of half a tile": (
        "horizon: 1h, delay: 2m}", "horizon: 7m, delay: 2m}", "gusts.horizon", "whole tiles of 5m",
    ),
    "a horizon below a tile": (
        "horizon: 1h, delay: 2m}", "horizon: 1m, delay: 2m}", "gusts.horizon", "whole tiles of 5m",
    ),
    "a horizon of too many tiles": ("tile: 1m", "tile: 2s", "aggregates.asked.horizon", "at most 1440"),
    "a delay of too many tiles": (
        "horizon: 1h, delay: 2m}", "horizon: 1h, delay: 7d}", "gusts.delay", "at most 7170m: of such tiles",
    ),
    "a tile of half a second": ("tile: 5m", "tile: 0.5s", "aggregates.told.tile", "a duration like"),
    "a grace as long as the delay": ("grace: 20s", "grace: 2m", "asked.grace", "shorter than the delay"),
    "a delay that leaves no grace": ("delay: 2m}", "delay: 1s}", "gusts.delay", "shorter than the delay"),
    "a default of nothing known": ("{count: 0}", "{cout: 0}", "asked.default.cout", "did you mean count?"),
    "a default that no reading has": (
        "{count: 0}", "{mean: 0}", "asked.default.mean", "a statistic (count, age)",
    ),
    "a default of another type": ("{count: 0}", "{count: 0.5}", "asked.default.count", "a whole number"),
    "a null default": ("{count: 0}", "{count: null}", "asked.default.count", "a whole number"),
    "an empty default": ("{count: 0}", "{}", "asked.default", "keys with values"),
    "an unused aggregate": ('  share: mean(told, "3h")\n', "", "aggregates.told", "a feature reads"),
    "an aggregate of itself": ("by: count", "by: often", "aggregates.asked.by", "a field of type"),
    "a statistic of nothing known": ("mean(told", "men(told", "33:10: features.share", "did you mean mean?"),
    "a function of an aggregate": (
        "mean(told", "hour(told", "features.share", "a statistic of told (count, sum, mean",
    ),
    "a statistic without a value": (
        "count(asked, \"5m\")", "sum(asked)", "features.often", "a statistic of asked (count, age)",
    ),
    "a window of half a tile": ('"3h"', '"7m"', "features.share", "whole tiles of 5m, at most 6h"),
    "a window beyond the horizon": ('"3h"', '"7h"', "features.share", "whole tiles of 5m, at most 6h"),
    "a window that is no text": ('"3h"', "3", "features.share", 'a window such as mean(told, "6h")'),
    "a window that is no duration": (
        '"3h"', '"3 hours"', "features.share", 'a window such as mean(told, "6h")',
    ),
    "two windows": ('"3h"', '"3h", "1h"', "features.share", 'a window such as mean(told, "6h")'),
    "an aggregate as a value": ('mean(told, "3h")', "told + 1", "features.share", "a statistic of it"),
    "an aggregate as a feature": ('mean(told, "3h")', "told", "features.share", "a statistic of it"),
    "a statistic of a field": (
        'mean(told, "3h")', 'mean(size, "3h")', "features.share", "of an aggregate (asked, gusts, told)",
    ),
    "a statistic of nothing": ('mean(told, "3h")', 'mean(tol, "3h")', "features.share", "did you mean told?"),
    "an aggregate of a statistic": (
        'mean(told, "3h")', 'mean(mean(told), "3h")', "features.share",
        "of an aggregate (asked, gusts, told)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), REFUSED.values(), ids=REFUSED)
def test_a_bad_stream_or_aggregate_is_refused_with_place_and_expectation(
    old: str, new: str, where: str, says: str
) -> None:
    text, (new, _, dropped) = TEXT, new.partition("|")
    assert old in text
    assert dropped in text
    text = text.replace(old, new, 1).replace(dropped, "", 1)
    with pytest.raises(BadConfig) as error:
        Contract.from_yaml(text, "small.yaml")
    assert any(place in str(error.value) for place in where.split("|")), str(error.value)
    assert says in str(error.value), str(error.value)


def test_what_the_file_says_is_what_the_contract_holds() -> None:
    contract = said()
    asked, gusts, told = contract.aggregates
    assert told == Aggregate(
        "told", "labels", "who", "who", "truth", Type.BOOL, None, 5 * MINUTE, 6 * HOUR, 8 * MINUTE,
        grace=2 * MINUTE, largest=1,
    )  # fmt: skip
    assert (gusts.key, gusts.digits, gusts.unit, gusts.largest) == ("host", 1, 10.0, 801)
    assert (asked.value, asked.grace, asked.default) == (None, 20 * SECOND, (("count", 0),))
    (weather,) = contract.streams
    assert (weather.name, weather.topic, len(weather.fields)) == ("weather", "small.weather", 3)
    assert [*contract.sources] == ["events", "labels", "weather"]
    assert contract.source("weather") is weather


def test_features_read_tiles_beside_the_events_fields() -> None:
    contract = said()
    assert [reading.name for reading in contract.readings] == [
        "asked.count.300s", "asked.count.3600s", "gusts.age.1800s", "gusts.max.3600s", "told.mean.10800s",
    ]  # fmt: skip
    types = {f.name: f.type for f in contract.features}
    assert (types["share"], types["calm"], types["often"]) == (Type.DOUBLE, Type.BOOL, Type.LONG)
    assert [f.name for f in contract.features if fields_used(f.tree)] == ["big", "level"]
    kept = {layout.aggregate.name: layout.parts for layout in contract.layouts}
    assert kept == {
        "asked": (Part.COUNT,),
        "gusts": (Part.COUNT, Part.GREATEST, Part.LAST_AT),
        "told": (Part.COUNT, Part.SUM),
    }


def test_a_contract_without_them_keeps_its_fingerprint() -> None:
    plain = Contract.from_yaml(CONTRACT, "small.yaml")
    assert (plain.streams, plain.aggregates, plain.readings, plain.layouts) == ((), (), (), ())
    assert not [key for key in (b"aggregates", b"streams") if key in plain.canonical()]


def test_they_travel_with_the_contract() -> None:
    assert Contract.from_json(said().canonical()) == said()
    assert Contract.from_yaml(said().canonical().decode(), "f") == said()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("delay: 8m}", "delay: 8m, grace: 2m}"),
        (TOLD, TOLD.replace("by: who", "by: who, key: who")),
        ("horizon: 6h", "horizon: 360m"),
        (ASKED, f"{ASKED}\n  # said otherwise"),
        ('mean(told, "3h")', "mean( told,'180m' )"),
    ],
)
def test_what_says_the_same_has_one_fingerprint(old: str, new: str) -> None:
    same = said(old, new)
    features = {f.name: f.tree for f in same.features}
    assert features == {f.name: f.tree for f in said().features}
    assert same.layouts == said().layouts


def test_a_streams_schema_stands_in_a_file_beside_the_contract() -> None:
    text = TEXT.replace("topic: small.w", "decoder: csv\n    schema: weather.csv\n    topic: small.w")
    contract = Contract.from_yaml(text, "small.yaml", {"weather.csv": "station,at,gust"}.__getitem__)
    assert contract.streams[0].schema == "station,at,gust"
    assert Contract.from_json(contract.canonical()) == contract


def test_another_pipelines_scores_may_be_a_stream_and_have_a_topic_once() -> None:
    contract = said("small.weather", "hotpath.scores.payments")
    names = [topic.name for topic in topics([contract])]
    assert {"small.asked", "small.answered", "hotpath.scores.payments", "hotpath.scores.small"} <= {*names}
    assert len(names) == len({*names})


def test_a_stream_identifies_nothing_so_a_text_of_it_may_be_empty() -> None:
    (weather,) = said().streams
    assert isinstance(weather, Stream)
    assert weather.never_empty == ()


MOVES: dict[str, tuple[str, str, bool]] = {
    "delay": ("delay: 2m}", "delay: 3m}", False),
    "grace": ("delay: 2m}", "delay: 2m, grace: 40s}", False),
    "default": ("delay: 2m}", "delay: 2m, default: {max: 1}}", False),
    "the question's key": ("key: host", "key: who", False),
    "digits": ("digits: 1", "digits: 2", True),
    "tile": ("tile: 5m, horizon: 1h", "tile: 10m, horizon: 1h", True),
    "horizon": ("horizon: 1h, delay: 2m}", "horizon: 2h, delay: 2m}", True),
    "topic": ("small.weather", "small.winds", True),
    "what is read of it": ("max(gusts)", "mean(gusts)", True),
    "the range of values": ("max: 80", "max: 90", True),
}


@pytest.mark.parametrize(("old", "new", "moves"), MOVES.values(), ids=MOVES)
def test_a_layout_has_another_id_where_its_tiles_are_others(old: str, new: str, moves: bool) -> None:
    before, after = (contract.layouts[1] for contract in (said(), said(old, new)))
    assert {found.id.split("@")[0] for found in (before, after)} == {"small/gusts"}
    assert (before.id != after.id) == moves
    assert before.key("EWR") == f"{before.id}/EWR"


def test_a_stream_that_no_aggregate_reads_yet_gathers_history() -> None:
    found = Contract.from_yaml(CONTRACT.replace("features:\n", f"{WEATHER}features:\n"), "small.yaml")
    assert [stream.name for stream in found.streams] == ["weather"]


def test_what_no_reading_needs_is_not_kept() -> None:
    one = Reading("std", "a", HOUR, Type.DOUBLE)
    assert parts_of((one, replace(one, aggregate="b", statistic="last")), "a") == (
        Part.COUNT,
        Part.SUM,
        Part.SQUARES,
    )
    assert parts_of((), "a") == (Part.COUNT,)


instants: st.SearchStrategy[int] = st.integers(0, 4 * 10**15)


@given(instants, st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_row_reads_every_tile_that_had_ended_before_its_delay_and_no_other(
    at: int, tile: int, delay: int
) -> None:
    found = aggregate(tile=tile, delay=delay)
    number = found.ended(at)
    assert number * tile <= at - delay < (number + 1) * tile
    assert found.number(at) > number - 1


@given(instants, instants)
def test_a_later_row_reads_no_fewer_tiles(one: int, other: int) -> None:
    assert aggregate().ended(min(one, other)) <= aggregate().ended(max(one, other))


@pytest.mark.parametrize(
    ("bounds", "digits", "largest"),
    [("", 6, LARGEST), ("min: 0, ", 6, LARGEST), ("min: -5, max: 3, ", 2, 501), ("min: 0, max: 0.5, ", 0, 1)],
)
def test_a_range_bounds_the_largest_value(bounds: str, digits: int, largest: int) -> None:
    text = TEXT.replace("min: 0, max: 80", bounds.removesuffix(", ") or "unit: kn")
    found = Contract.from_yaml(text.replace("digits: 1", f"digits: {digits}"), "small.yaml")
    assert found.aggregates[1].largest == largest


@pytest.mark.parametrize(
    ("text", "span"),
    [("90s", 90 * SECOND), ("30m", 30 * MINUTE), ("0m", None), ("1.5h", None), ("5", None), ("1h ", None)],
)
def test_a_duration_is_read_and_said(text: str, span: int | None) -> None:
    assert span_of(text) == span
    assert span is None or span_of(duration_text(span)) == span


def test_keys_are_texts_of_their_own() -> None:
    values: list[Any] = ["", "UA", "7", 7, True, "true", -1, None]
    assert [key_text(value) for value in values] == ["", "UA", "7", "7", "true", "true", "-1", None]
