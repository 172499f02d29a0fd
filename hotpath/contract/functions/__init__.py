"""The functions and operators of expressions: one table, two renderings each.

To add one, add an entry to the module of its theme; its examples run as tests, in the row function and in
Spark, generated expressions find it (tests/contract/strategies.py), the reference page shows it. What holds
for all is in entry.py.
"""

from __future__ import annotations

from hotpath.contract.functions.arithmetic import ARITHMETIC
from hotpath.contract.functions.entry import Example, Function, rendering
from hotpath.contract.functions.logic import LOGIC
from hotpath.contract.functions.places import PLACES
from hotpath.contract.functions.texts import TEXTS
from hotpath.contract.functions.times import TIMES

__all__ = ["BY_NAME", "FUNCTIONS", "Example", "Function", "rendering"]

FUNCTIONS: tuple[Function, ...] = (*ARITHMETIC, *LOGIC, *TEXTS, *TIMES, *PLACES)
BY_NAME = {f.name: f for f in FUNCTIONS}
