"""The faults of clocks that need no trainer hold on every run, not only when `make faults` is asked."""

import pytest

from faults.clocks import FAULTS, learned, ten_years
from faults.table import Fault

QUICK = [fault for fault in FAULTS if fault.run not in (learned, ten_years)]


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_what_must_hold_holds(fault: Fault) -> None:
    found = fault.run(20261121)
    assert found.holds, found.figures
