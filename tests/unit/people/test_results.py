"""tests.yaml and accepted.json: read strictly, and what they are held against."""

from __future__ import annotations

import pytest

from hotpath.contract.checks import check
from hotpath.contract.model import Contract
from hotpath.contract.parts import Field
from hotpath.contract.types import Type
from hotpath.errors import BadArtifact, BadConfig
from hotpath.people.accepted import Accepted, worse
from hotpath.people.plan import Budget, Case, Plan, read, unknown
from hotpath.people.results import budgets, quality, unit
from hotpath.people.starter import contract_text
from hotpath.people.wire import sent
from tests.unit.people.rides import COUNTED, contract, drafted, shown

PLAN = """
unit:
  - {name: a long trip, row: {trip_km: 30}, features: {trip_km: 30}}
model: {tolerance: 0.02}
integration: {rows: 10}
resource: {row_us: 100, load_ms: 1000, memory_mib: 300}
"""
BUDGET = Budget(100, 1000, 300)


def test_a_plan_is_read() -> None:
    cases = (Case("a long trip", {"trip_km": 30}, {"trip_km": 30}),)
    assert read(PLAN, "tests.yaml") == Plan(cases, 0.02, 10, BUDGET)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tolerance: 0.02", "tolerance: -1", "not negative"),
        ("rows: 10", "rows: 0", "from 1 to 1000"),
        ("row_us", "rows_us", "did you mean row_us"),
        ("name: a long trip, ", "", "key is missing"),
        ("row: {trip_km: 30}", "row: 30", "fields and their values"),
        ("features:", "readings: [1], features:", "readings and their values"),
        ("  - {name", "  it: {name", "list of cases"),
    ],
)
def test_a_bad_plan_is_refused_by_its_key(old: str, new: str, says: str) -> None:
    with pytest.raises(BadConfig, match=says):
        read(PLAN.replace(old, new), "tests.yaml")


def test_a_case_of_what_the_contract_has_not_is_refused() -> None:
    for what, spoiled in {
        "row": PLAN.replace("row: {trip_km", "row: {trip_mi"),
        "readings": PLAN.replace("features:", "readings: {told.mean.7200s: 1}, features:"),
        "features": PLAN.replace("features: {trip_km", "features: {trip_mi"),
    }.items():
        with pytest.raises(BadConfig, match=f"a long trip: {what}"):
            unknown(read(spoiled, "tests.yaml"), contract(), "tests.yaml")
    unknown(read(PLAN, "tests.yaml"), contract(), "tests.yaml")


def test_a_case_that_fails_says_both_values_and_where_a_null_comes_from() -> None:
    base = {**shown().rows[0], "surge": 1.0}
    cases = [
        Case("right", {"trip_km": 3}, {"trip_km": 3, "seats": base["seats"]}),
        Case("wrong", {"surge": None}, {"surge": 1.0, "trip_km": 99}),
        Case("refused", {"trip_km": "far"}, {"trip_km": 3}),
    ]
    right, wrong, refused = unit(contract(), cases, base)
    assert right.passed
    assert "surge is None (null comes from surge), expected 1.0" in wrong.says
    assert "expected 99" in wrong.says
    assert "trip_km" in refused.says


def test_a_case_says_what_is_read_of_tiles() -> None:
    counted = Contract.from_yaml(contract_text(drafted()).replace(*COUNTED), "rides.yaml")
    read = {"told.mean.7200s": 0.4, "told.count.300s": 3}
    cases = [
        Case("tiles are read", {}, {"share": 0.4, "quiet": False}, read),
        Case("none are", {}, {"share": None, "quiet": True}),
        Case("a count is whole", {}, {"quiet": True}, {"told.count.300s": 0.5}),
    ]
    one, other, refused = unit(counted, cases, shown().rows[0])
    assert (one.passed, other.passed, refused.passed) == (True, True, False)
    assert "told.count.300s" in refused.says


def test_quality_is_held_against_the_accepted_one_and_the_gate() -> None:
    plan = read(PLAN, "tests.yaml")
    for auc, accepted, passed in (
        (0.7, 0.71, [True, True]),
        (0.55, 0.56, [True, False]),
        (0.7, 0.8, [False, True]),
    ):
        found = quality(contract(), {"auc": auc}, Accepted({"auc": accepted}), plan)
        assert [result.passed for result in found] == passed
    (nothing, _) = quality(contract(), {"auc": 0.7}, None, plan)
    assert "--accept" in nothing.says


def test_a_metric_without_a_bound_may_be_worse_by_a_share() -> None:
    assert worse({"rmse": 100.0}, {"rmse": 101.9}, 0.02) == []
    assert worse({"rmse": 100.0}, {"rmse": 102.1}, 0.02) == ["rmse is 102.1000, accepted was 100.0000"]
    assert worse({"auc": 0.7}, {}, 0.02) == ["auc is nan, accepted was 0.7000"]


def test_a_budget_that_is_not_kept_fails() -> None:
    found = budgets(BUDGET, {"row_us": 101.0, "load_ms": 10.0, "memory_mib": 100.0})
    assert [(result.name, result.passed) for result in found] == [
        ("row_us", False),
        ("load_ms", True),
        ("memory_mib", True),
    ]


def test_what_was_accepted_is_read_as_it_was_written() -> None:
    accepted = Accepted({"auc": 0.7}, {"train": 80}, {"trip_km": (0.5, 1.0)})
    assert Accepted.from_bytes(accepted.to_bytes(), "accepted.json") == accepted
    with pytest.raises(BadArtifact, match="--accept"):
        Accepted.from_bytes(b"{}", "accepted.json")


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Type.TIMESTAMP, 1_795_000_000_000_001), (Type.DURATION, -90_500_000), (Type.LONGS, [1, 2])],
)
def test_a_value_sent_is_decoded_as_it_was(kind: Type, value: int | list[int]) -> None:
    field = Field("it", kind)
    assert check(field)(sent(field, value)) == value
