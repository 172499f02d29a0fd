"""Transactions as they are counted: swaps, windows, percentiles."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import SECOND, Micros
from hotpath.local.answers import (
    AFTER_SWAP,
    BEFORE_SWAP,
    Answered,
    Transaction,
    during,
    latency,
    parse,
    swaps,
)
from hotpath.local.busy import named


def transaction(at: Micros, sequence: int | None = 1, latency_us: int = 1000) -> Transaction:
    said = (
        None if sequence is None else Answered(0.5, "decline", 0.4, f"b{sequence}", sequence, at, 60.0, "p1")
    )
    return Transaction(at, latency_us, {}, said, None if said else "ReadTimeout", ())


def test_a_swap_is_the_first_answer_of_a_sequence_that_is_not_the_first() -> None:
    """1 1 failed 2 1 (a late one) 2 3"""
    found = [transaction(n, s) for n, s in enumerate([1, 1, None, 2, 1, 2, 3])]
    assert swaps(found) == [3, 6]


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (100 * SECOND - BEFORE_SWAP - 1, False),
        (100 * SECOND - BEFORE_SWAP, True),
        (100 * SECOND + AFTER_SWAP, True),
        (100 * SECOND + AFTER_SWAP + 1, False),
        (199 * SECOND, True),
    ],
)
def test_the_window_of_a_swap(at: Micros, inside: bool) -> None:
    assert during(at, [100 * SECOND, 200 * SECOND]) is inside


@given(st.lists(st.integers(0, 60 * SECOND)), st.integers(0, 60 * SECOND))
def test_an_instant_is_in_a_window_if_it_is_in_any(swapped: list[Micros], at: Micros) -> None:
    assert during(at, sorted(swapped)) == any(-BEFORE_SWAP <= at - s <= AFTER_SWAP for s in swapped)


def test_latencies_are_percentiles_of_what_was_taken() -> None:
    found = latency(transaction(0, latency_us=n) for n in range(1, 1001))
    assert (found.p50, found.p99, found.p999) == (500, 990, 999)


def test_no_transactions_have_no_latency() -> None:
    assert latency([]).p999 == 0


def test_a_line_is_read_as_it_was_written() -> None:
    said = {
        "score": 0.5,
        "decision": "decline",
        "threshold": 0.4,
        "bundle": "b1",
        "sequence": 1,
        "asked_at": 7,
        "prediction_id": "p1",
    }
    line = {"scheduled_at": 7, "request": {}, "error": None, **said, "age_s": 60.0, "latency_us": 1000}
    assert parse(orjson.dumps(line)) == transaction(7)
    failed = {"scheduled_at": 7, "request": {}, "error": "ReadTimeout", "latency_us": 1000}
    assert parse(orjson.dumps(failed)) == transaction(7, sequence=None)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["python", "-m", "train.job", "flights"], "train.job"),
        (["/usr/bin/java", "-Xmx1g", "-cp", "a.jar:b.jar", "kafka.Kafka", "x.properties"], "kafka.Kafka"),
        (["java", "-jar", "/opt/h2o/h2o.jar", "-port", "1"], "h2o.jar"),
        ([], "?"),
    ],
)
def test_a_process_is_named_by_what_it_runs(command: list[str], name: str) -> None:
    assert named(command) == name
