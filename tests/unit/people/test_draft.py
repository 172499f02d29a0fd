"""A draft loads as it is, takes every row of its sample, and says what it decided."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.contract.model import Contract
from hotpath.contract.strict_yaml import load_yaml
from hotpath.contract.types import Type
from hotpath.errors import BadInput
from hotpath.people.draft import Draft, Wanted, draft
from hotpath.people.evidence import Evidence, evidence
from hotpath.people.plan import read
from hotpath.people.results import unit
from hotpath.people.samples import encoded
from hotpath.people.starter import contract_text, plan_text, readme
from tests.unit.people.rides import START, contract, drafted, rides, shown, spelt


def loaded(made: Draft) -> Evidence:
    """The draft's contract over the draft's own rows."""
    found = Contract.from_yaml(contract_text(made), "drafted.yaml")
    return evidence(found, encoded(made.rows).splitlines(), encoded(made.answers).splitlines())


def test_a_draft_finds_roles_by_their_names() -> None:
    events = contract().events
    assert (events.id, events.entity, events.host, events.time) == (
        "ride_id",
        "ride_id",
        "app_host",
        "asked_at",
    )


def test_a_draft_takes_every_row_and_every_label() -> None:
    found = shown()
    assert not found.refused
    assert (len(found.rows), len(found.answers)) == (200, 200)
    assert None not in found.truth


def test_features_are_made_of_what_a_model_can_take() -> None:
    features = {f.name: f.expression for f in contract().features}
    assert features["minutes_to_pickup_at"] == "minutes_between(asked_at, pickup_at)"
    assert features["device_os"] == "device.os"
    assert features["wait_minutes"] == "minutes(wait)"
    assert "city" not in features
    assert "tags" not in features
    notes = " ".join(drafted().notes)
    assert "city is no feature: constant" in notes
    assert "tags is no feature" in notes


def test_two_fields_of_one_name_make_two_features() -> None:
    rows = [
        {"a": {"b": n}, "a_b": -n, "hour": n, "x" * 70: n, "at": spelt(START + n), "y": n % 2}
        for n in range(30)
    ]
    features = {f.name: f.expression for f in loaded(draft(Wanted("it", fill=True), rows)).contract.features}
    assert {features["a_b"], features["a_b_"]} == {"a.b", "a_b"}
    assert {features["hour"], features["hour_"]} == {"hour", "hour(at, 'UTC')"}
    assert len(features) == 5


def test_its_tests_hold_for_it() -> None:
    found = shown()
    plan = read(plan_text(found), "tests.yaml")
    results = list(unit(found.contract, plan.cases, found.rows[0]))
    assert len(results) > 1
    assert all(result.passed for result in results), results


def test_the_readme_names_the_commands() -> None:
    assert "hotpath test rides --accept" in readme(drafted())


def test_an_answer_inside_the_events_is_parted_from_them() -> None:
    events, labels = rides()
    joined = [{**event, "cancelled": label["cancelled"]} for event, label in zip(events, labels, strict=True)]
    made = draft(Wanted("rides", ("cancelled",)), joined)
    assert all("cancelled" not in row for row in made.rows)
    assert made.answers[3] == {"rideId": "r-3", "cancelled": joined[3]["cancelled"]}
    assert loaded(made).contract.labels.kind == "binary"


def test_what_is_known_only_later_goes_with_the_answer() -> None:
    events, _ = rides()
    joined = [{**event, "late": n % 2, "delay": float(n)} for n, event in enumerate(events)]
    found = loaded(draft(Wanted("rides", ("late", "delay")), joined)).contract
    assert [f.name for f in found.labels.fields] == ["delay", "late", "ride_id"]
    assert "delay" not in {f.name for f in found.events.fields}


@pytest.mark.parametrize(
    ("values", "kind", "gate"),
    [
        ([0, 1, 1], "binary", "auc"),
        (["yes", "no", "no"], "binary", "auc"),
        (["M", "B", "B"], "binary", "auc"),
        ([0, 1, 2], "classes", "accuracy"),
        (["a", "b", "c"], "classes", "accuracy"),
        ([0.5, 1.5, 7.0], "number", "rmse"),
        (list(range(30)), "number", "rmse"),
    ],
)
def test_a_target_is_what_its_values_say(values: list[Any], kind: str, gate: str) -> None:
    rows = [{"x": n, "y": values[n % len(values)]} for n in range(60)]
    found = loaded(draft(Wanted("it", fill=True), rows))
    assert found.contract.labels.kind == kind
    assert [rule.metric for rule in found.contract.gate.rules] == [gate]
    assert not found.refused


def test_yes_is_true_and_of_two_names_the_rarer_one() -> None:
    for values, yes in ((["no", "yes", "yes"], "yes"), (["B", "B", "M"], "M")):
        rows = [{"x": n, "y": values[n % 3]} for n in range(30)]
        made = draft(Wanted("it", fill=True), rows)
        told = {answer["event_id"]: answer["y"] for answer in made.answers}
        assert told == {f"row-{n:06d}": row["y"] == yes for n, row in enumerate(rows)}


def test_rows_without_a_time_are_shuffled_so_that_the_newest_are_of_every_class() -> None:
    rows = [{"x": n, "y": "abc"[n // 50]} for n in range(150)]
    found = loaded(draft(Wanted("it", fill=True), rows))
    assert len({*found.truth[-30:]}) == 3
    times = [row["event_time"] for row in found.rows]
    assert times == sorted(times, key=str)
    told = {row["event_id"]: (row["x"], truth) for row, truth in zip(found.rows, found.truth, strict=True)}
    assert told == {f"row-{n:06d}": (row["x"], row["y"]) for n, row in enumerate(rows)}


def test_rows_with_a_time_keep_their_order() -> None:
    rows = [{"at": spelt(START + n), "x": n, "y": n % 2} for n in range(60)]
    assert [row["x"] for row in draft(Wanted("it", fill=True), rows).rows] == list(range(60))


def test_a_missing_role_is_named_with_what_to_do() -> None:
    with pytest.raises(BadInput, match=r"--host FIELD.*--fill"):
        draft(
            Wanted("it", ("y",)),
            [{"id": f"i{n}", "time": "2026-01-01T00:00:00Z", "y": n % 2} for n in range(9)],
        )


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted("it", ("why",), fill=True), "--target"),
        (Wanted("it", ("y",), {"host": "host_nam"}, fill=True), "did you mean host_name"),
        (Wanted("it", ("y",), {"time": "x"}, fill=True), "RFC 3339"),
        (Wanted("it", ("same",), fill=True), "two different"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(wanted: Wanted, says: str) -> None:
    rows = [{"x": n, "y": n % 2, "same": 1, "host_name": "h"} for n in range(30)]
    with pytest.raises(BadInput, match=says):
        draft(wanted, rows)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"x": n, "y": [n]} for n in range(9)], "target y: found 'an object or a list'"),
        ([{"x": n, "y": {"a": n}} for n in range(9)], "target y: found 'an object or a list'"),
        (
            [{"x": n, "y": n if n % 2 else "n"} for n in range(9)],
            "target y: found 'of several types",
        ),
        ([{"x": n, "y": 10.0 ** (n + 6)} for n in range(12)], "a standard deviation of .*larger unit"),
        ([{"x": 1, "u": None, "y": n % 2} for n in range(9)], "u: null in every row; x: constant in the"),
        ([{"y": n % 2} for n in range(9)], "no other field"),
    ],
)
def test_a_sample_that_makes_no_contract_is_refused_with_the_reason(
    rows: list[dict[str, Any]], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        draft(Wanted("it", fill=True), rows)


def test_labels_of_nothing_in_the_sample_are_refused() -> None:
    events, labels = rides()
    with pytest.raises(BadInput, match="speaks of an event"):
        draft(Wanted("rides", ("cancelled",)), events, [{**label, "rideId": "?"} for label in labels])


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e300, 1e300)
    | st.text("aB é", max_size=9)
)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=5), min_size=4, max_size=8))
def test_any_flat_rows_make_a_contract_that_loads_and_takes_them(rows: list[dict[str, Any]]) -> None:
    made = draft(
        Wanted("it", ("the target",), fill=True),
        [{**r, "x": 0.1 * n, "the target": n % 2} for n, r in enumerate(rows)],
    )
    assert load_yaml(contract_text(made), "it.yaml").data["name"] == "it"
    found = loaded(made)
    assert not found.refused
    assert {f.type for f in found.contract.features} <= {Type.BOOL, Type.LONG, Type.DOUBLE, Type.CATEGORY}
