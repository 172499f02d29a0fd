"""What a pipeline is tested for: NAME/tests.yaml, read strictly. Pure: text in, a Plan out.

unit:                       # cases of features; a field that `row` leaves out is the sample's first row's
  - name: an hour before dawn
    row: {event_time: "2026-07-09T09:00:00Z"}
    readings: {late_at_origin.mean.10800s: 0.4}   # of aggregates; null where they are left out
    features: {hour: 5}     # those that are named are compared
model: {tolerance: 0.02}    # by how much a metric may be worse than the accepted one
integration: {rows: 50}     # of the sample, from the event's bytes to the validated answer
resource: {row_us: 100, load_ms: 5000, memory_mib: 400}     # at most
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hotpath.contract.keys import Key
from hotpath.contract.model import Contract
from hotpath.contract.sections import Section
from hotpath.contract.strict_yaml import load_yaml
from hotpath.errors import BadConfig

PLAN = (
    Key("unit", "a list of cases", "features of a row"),
    Key("model", "a section", "quality on the fixed sample against the accepted one"),
    Key("integration", "a section", "from event to answer"),
    Key("resource", "a section", "budgets"),
)
CASE = (
    Key("name", "a sentence", "what the case shows"),
    Key("row", "FIELD: VALUE", "fields as on the wire, by dotted name", optional=True),
    Key("readings", "READING: NUMBER", "what is read of tiles (default null)", optional=True),
    Key("features", "FEATURE: VALUE", "what must come of it"),
)
MODEL = (Key("tolerance", "a number", "how much worse than accepted a metric may be"),)
INTEGRATION = (Key("rows", "a whole number", "rows of the sample that are asked"),)
RESOURCE = (
    Key("row_us", "µs", "median of a row, from its decoded fields to the score"),
    Key("load_ms", "ms", "from the bundle's bytes to a generation"),
    Key("memory_mib", "MiB", "of a scorer's process with this one model"),
)


@dataclass(frozen=True)
class Case:
    """`row` (wire values by dotted name) over the sample's first, with these `readings` of aggregates, gives
    these `features`.
    """

    name: str
    row: Mapping[str, Any]
    features: Mapping[str, Any]
    readings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """The most that one row, one load and one process may take."""

    row_us: float
    load_ms: float
    memory_mib: float


@dataclass(frozen=True)
class Plan:
    """All that `hotpath test` needs to be told."""

    cases: tuple[Case, ...]
    tolerance: float
    rows: int
    budget: Budget


def read(text: str, source: str) -> Plan:
    """The plan in `text`. Raises BadConfig naming `source`, line, column, key and expectation."""
    document = load_yaml(text, source)
    section = Section(document, (), document.data).only(PLAN)
    resource = section.section("resource").only(RESOURCE)
    return Plan(
        cases=_cases(section),
        tolerance=_positive(section.section("model").only(MODEL), "tolerance"),
        rows=section.section("integration").only(INTEGRATION).integer("rows", 1, 1000),
        budget=Budget(*(_positive(resource, key.name) for key in RESOURCE)),
    )


def _cases(section: Section) -> tuple[Case, ...]:
    listed = section.data["unit"]
    if not isinstance(listed, list) or not all(isinstance(case, dict) for case in listed):
        raise section.wrong("unit", "a list of cases")
    # A path of a document holds positions too, which a Section's own keys never are.
    return tuple(
        _case(Section(section.document, ("unit", i), case).only(CASE)) for i, case in enumerate(listed)
    )


def _case(section: Section) -> Case:
    row, readings = section.data.get("row", {}), section.data.get("readings", {})
    if not isinstance(row, dict):
        raise section.wrong("row", "fields and their values")
    if not isinstance(readings, dict):
        raise section.wrong("readings", "readings and their values")
    return Case(section.text("name", "a sentence"), row, section.section("features").data, readings)


def _positive(section: Section, key: str) -> float:
    value = section.number(key)
    if value < 0:
        raise section.wrong(key, "a number that is not negative")
    return value


def unknown(plan: Plan, contract: Contract, source: str) -> None:
    """Raises BadConfig where a case names a field, reading or feature that the contract has not."""
    known = {
        "row": {f.name for f in contract.events.fields},
        "readings": {r.name for r in contract.readings},
        "features": {f.name for f in contract.features},
    }
    for case in plan.cases:
        for what, names in known.items():
            if strange := sorted(set(getattr(case, what)) - names):
                expected = f"some of {', '.join(sorted(names)) or 'none'}"
                raise BadConfig(f"{source}: {case.name}: {what}", strange, expected)
