"""Durations and instants as they travel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import DAY, HOUR, MINUTE, SECOND
from hotpath.contract.times import span
from hotpath.contract.types import LONGEST_SPAN


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("PT0S", 0),
        ("P1DT2H", DAY + 2 * HOUR),
        ("PT90S", 90 * SECOND),
        ("-PT5M", -5 * MINUTE),
        ("PT0.5S", SECOND // 2),
        ("-PT0.0000019S", -1),
        ("P36525D", LONGEST_SPAN),
    ],
)
def test_a_duration_is_whole_microseconds_cut_towards_zero(text: str, micros: int) -> None:
    assert span(text) == micros


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "1h", "P1W", "P1M", "P1Y", "+PT1S", "PT1.5M", "PT1,5S", "P36525DT1S", "PT1S\n", "pt1s"],
)
def test_what_is_no_duration_of_days_to_seconds_is_none(text: str) -> None:
    assert span(text) is None


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(microseconds=LONGEST_SPAN)), st.booleans())
def test_a_duration_that_is_written_out_is_read_again(duration: timedelta, back: bool) -> None:
    seconds = f"{duration.seconds}.{duration.microseconds:06}"
    micros = duration // timedelta(microseconds=1)
    assert span(f"{'-' * back}P{duration.days}DT{seconds}S") == (-micros if back else micros)
