"""The line between the sites cut and mended, on real parts: the fault of `make faults`, shorter."""

from __future__ import annotations

from faults.line import cut


def test_a_line_that_is_cut_and_drained_is_lag_and_no_clock_and_loses_nothing() -> None:
    found = cut(seed=1, cut_s=15.0)
    assert found.holds, found.figures
