"""What Spark joins to a window's rows is what brute force reads for each of them, to the bit."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from hotpath.clock import DAY, HOUR, MINUTE
from hotpath.contract.fitted import Fitted
from hotpath.contract.model import Contract
from hotpath.contract.row import row_function
from hotpath.contract.statistics import STATISTICS
from hotpath.lake import Lake
from serve import golden
from tests.integration.train.lakes import Row, land
from tests.integration.train.stalls import NOW, contract, drawn, landed, reads, sale, weather
from train.account import Account, Span
from train.build import build
from train.clocks import Clocks
from train.folder import Folder
from train.sources import held, table
from train.tiles import READINGS, with_readings
from train.window import judged

BELIEVING = Clocks(tolerance=DAY)


def joined(session: SparkSession, lake: Lake, asking: Contract, span: Span) -> DataFrame:
    """The judged rows of a window with their readings."""
    files = held(lake, asking).files
    tables = {name: table(session, files[name], source) for name, source in asking.sources.items()}
    rows = judged(tables["events"], tables["labels"], asking, span, BELIEVING)
    return with_readings(rows, tables["events"], tables, asking, span)


def by_place(rows: DataFrame, asking: Contract) -> dict[tuple[int, int], dict[str, object]]:
    """Readings by partition and offset."""
    values = [F.col(READINGS).getField(r.name).alias(r.name) for r in asking.readings]
    found = rows.select("partition", "offset", *values).toArrow().to_pylist()
    return {(row.pop("partition"), row.pop("offset")): row for row in found}


def at(row: Row) -> int:
    return int(str(row["arrived_at"]))


def plan(rows: DataFrame) -> str:
    return str(rows._jdf.queryExecution().executedPlan().toString())


# Few examples of many rows, none of them shrunk: each costs Spark seconds, and its seed names it whole.
@settings(max_examples=1, phases=[Phase.explicit, Phase.generate])
@example(seed=0, events=0, days=1)
@example(seed=7, events=500, days=31)
@given(seed=st.integers(0, 2**32), events=st.integers(100, 500), days=st.sampled_from([1, 2, 31]))
def test_a_window_reads_what_brute_force_reads(
    session: SparkSession, seed: int, events: int, days: int
) -> None:
    asking, rows = contract(), drawn(random.Random(seed), events, days)
    span = Span(NOW - days * DAY, NOW)
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder), asking.name)
        landed(lake, asking, rows)
        found = by_place(joined(session, lake, asking, span), asking)
    expected = {
        (int(str(e["partition"])), int(str(e["offset"]))): reads(asking, rows, e)
        for e in rows["events"]
        if span.start < at(e) <= span.end
    }
    assert found.keys() == expected.keys()
    for key, readings in expected.items():
        assert repr(found[key]) == repr(readings), key


#   sold, tiles of 10 min, delay 15 min     a tile [0, 10) had ended by t - 15 min from t = 25 min on
#   |---- a: 1 ----|---- a: 2 ----|         and is the last of "10m" up to t = 35 min
def test_a_row_reads_the_tiles_that_had_ended_by_its_arrival_less_the_delay(
    session: SparkSession, tmp_path: Path
) -> None:
    asking = contract({"sold": ("10m",)})
    start = NOW - DAY
    asks = [25 * MINUTE - 1, 25 * MINUTE, 35 * MINUTE - 1, 35 * MINUTE]
    sold = [sale(0, start, 1.0), sale(1, start + 10 * MINUTE, 2.0)]
    asked = [sale(2 + n, start + after) for n, after in enumerate(asks)]
    lake = Lake(tmp_path, asking.name)
    land(lake, asking, 0, [*sold, *asked], [], streams={"weather": []})
    found = by_place(joined(session, lake, asking, Span(start - HOUR, NOW)), asking)
    assert [found[0, 2 + n]["sold.last.600s"] for n in range(len(asks))] == [None, 1.0, 1.0, 2.0]


def test_a_longer_window_and_a_later_batch_read_no_other_tiles(session: SparkSession, tmp_path: Path) -> None:
    """Days built one by one, from a lake of another cut, are the month built in one go."""
    asking, rows = contract({"sold": ("2h",), "late_at": ("6h",)}), drawn(random.Random(3), 300, 3)
    whole, cut = Lake(tmp_path / "whole", asking.name), Lake(tmp_path / "cut", asking.name)
    landed(whole, asking, rows, batches=1)
    landed(cut, asking, {name: found[::-1] for name, found in rows.items()}, batches=7)
    month = by_place(joined(session, whole, asking, Span(NOW - 31 * DAY, NOW)), asking)
    days: dict[tuple[int, int], dict[str, object]] = {}
    for start in (NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY):
        days |= by_place(joined(session, cut, asking, Span(start, start + DAY)), asking)
    assert {key: month[key] for key in days} == days


def test_of_more_records_than_fit_a_sum_the_sum_is_null_and_nothing_raises(
    session: SparkSession, tmp_path: Path
) -> None:
    """No contract allows such values: of those that it does a sum takes nine million records to overflow."""
    whole = contract({"moved": ("1h",)})
    # Without the deviation: squares of such values fit nothing.
    some = tuple(f for f in whole.features if "std" not in f.expression)
    asking = replace(whole, aggregates=(replace(whole.aggregates[0], largest=2**62),), features=some)
    rows = [sale(n, NOW - HOUR + n, pieces=2**62) for n in range(3)] + [sale(3, NOW)]
    lake = Lake(tmp_path, asking.name)
    land(lake, asking, 0, rows, [], streams={"weather": []})
    found = by_place(joined(session, lake, asking, Span(NOW - MINUTE, NOW)), asking)[0, 3]
    of = {
        statistic: found[f"moved.{statistic}.3600s"] for statistic in ("count", "sum", "mean", "max", "last")
    }
    assert of == {"count": 3, "sum": None, "mean": None, "max": 2**62, "last": 2**62}


@pytest.mark.parametrize("broadcast", ["10485760", "-1"])
def test_more_readings_cost_no_further_shuffle_and_no_further_join(
    session: SparkSession, tmp_path: Path, broadcast: str
) -> None:
    one, many = contract({"sold": ("10m",)}), contract({"sold": ("10m", "20m", "1h", "2h")})
    assert len(many.readings) == 4 * len(STATISTICS)
    lake = Lake(tmp_path, one.name)
    landed(lake, one, drawn(random.Random(1), 50, 1))
    before = session.conf.get("spark.sql.autoBroadcastJoinThreshold")
    session.conf.set("spark.sql.autoBroadcastJoinThreshold", broadcast)
    try:
        plans = [plan(joined(session, lake, asking, Span(NOW - DAY, NOW))) for asking in (one, many)]
    finally:
        session.conf.set("spark.sql.autoBroadcastJoinThreshold", before or "")
    for node in ("Exchange", "Join", "MapInArrow", "Window ", "Scan parquet"):
        assert plans[0].count(node) == plans[1].count(node) > 0, plans
    assert ("BroadcastHashJoin" in plans[1]) == (broadcast != "-1")


def test_a_stream_of_an_older_contract_counts_with_its_default_or_not_at_all(
    session: SparkSession, tmp_path: Path
) -> None:
    older, lake = (
        contract({"weather_at": ("10m",)}, "snow: {type: long, nullable: true}"),
        Lake(tmp_path, "stalls"),
    )
    land(lake, older, 0, [], [], streams={"weather": [weather(0, NOW - 4 * MINUTE, None)]})
    spans = {"rained": ("3m",)}
    felt = [weather(1, NOW - 4 * MINUTE, 2.5)]
    land(lake, contract(spans), 1, [sale(0, NOW)], [], streams={"weather": felt})
    for rain, counted, total in (
        ("rain: {type: double, nullable: true}", 1, 2.5),
        ("rain: {type: double}", 1, 2.5),
        ("rain: {type: double, default: 0.5}", 2, 3.0),
    ):
        asking = contract(spans, rain)
        found = by_place(joined(session, lake, asking, Span(NOW - HOUR, NOW)), asking)[0, 0]
        assert (found["rained.count.180s"], found["rained.sum.180s"]) == (counted, total), rain


def test_golden_rows_carry_what_they_read_and_give_the_features_again(
    session: SparkSession, tmp_path: Path
) -> None:
    asking, rows = contract({"sold": ("10m", "2h"), "weather_at": ("10m",)}), drawn(random.Random(5), 600, 1)
    lake = Lake(tmp_path / "lake", asking.name)
    landed(lake, asking, rows)
    (tmp_path / "run").mkdir()
    folder = Folder(tmp_path / "run")
    account = build(session, held(lake, asking), asking, NOW, folder, BELIEVING)
    assert Account.from_bytes(folder.account.read_bytes()) == account
    written = pa.concat_tables(pq.read_table(path) for path in folder.files("golden"))
    scored = pa.BufferOutputStream()
    pq.write_table(written.append_column("score", pa.array([0.5] * len(written))), scored)
    found = golden.read(scored.getvalue().to_pybytes(), asking)
    features = row_function(asking, Fitted.from_bytes(folder.fitted.read_bytes()))
    assert len(found) > 10
    for row in found:
        made = tuple(v if v is None else float(str(v)) for v in features(row.values))
        assert repr(made) == repr(row.features)
    assert {r.name for r in asking.readings} <= found[0].values.keys()
    assert any(row.values["sold.std.7200s"] is not None for row in found)
