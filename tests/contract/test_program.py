"""The program is the row function as data: a machine that knows nothing else comes to the same values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotpath.contract.expressions import Scope, parse
from hotpath.contract.fitted import Fitted
from hotpath.contract.functions import BY_NAME, FUNCTIONS, Example
from hotpath.contract.load import load
from hotpath.contract.parts import Feature
from hotpath.contract.program import WIDEN, compiled, program
from hotpath.contract.row import compose, row_function
from hotpath.contract.types import Type, Value
from hotpath.settings import PROJECT
from tests.contract.program_machine import OPERATIONS, SEES_NULL, run
from tests.contract.samples import small
from tests.contract.strategies import KNOWS, SCOPE, expressions, rows

EXAMPLES = [(f.name, e) for f in FUNCTIONS for e in f.examples]
PAGE = Path(__file__).parents[2] / "docs" / "program.md"


def features(texts: Sequence[str], scope: Scope) -> tuple[Feature, ...]:
    return tuple(Feature(f"f{n}", text, parse(text, scope)) for n, text in enumerate(texts))


def sent(made: Mapping[str, Any]) -> dict[str, Any]:
    """As it arrives: through JSON."""
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}: {e.text}" for n, e in EXAMPLES])
def test_an_example_holds_on_the_machine(name: str, example: Example) -> None:
    tables = {t.name: t for t in example.tables}
    scope = Scope({field: kind for field, kind, _ in example.row}, tables=tables, time="event_time")
    made = compiled(features([example.text], scope), example.tables, Fitted(levels=example.levels))
    found = run(sent(made), {field: value for field, _, value in example.row})
    assert repr(found) == repr([example.value]), name


@given(st.lists(expressions(), min_size=1, max_size=3), st.lists(rows, min_size=1, max_size=5))
def test_the_machine_and_the_row_function_agree_to_the_bit(
    texts: list[str], table: list[dict[str, Value]]
) -> None:
    made = features(texts, SCOPE)
    on_the_machine = sent(compiled(made, tuple(KNOWS.tables.values()), KNOWS.fitted))
    here = [compose(f.tree, KNOWS) for f in made]
    for row in table:
        assert repr(run(on_the_machine, row)) == repr([of(row) for of in here]), f"\n{texts}\nrow: {row}"


@given(st.lists(expressions(), min_size=1, max_size=3))
def test_every_slot_is_written_once_and_before_it_is_read(texts: list[str]) -> None:
    made = compiled(features(texts, SCOPE), tuple(KNOWS.tables.values()), KNOWS.fitted)
    written = [slot for _, slot in made["inputs"]] + [slot for slot, _ in made["constants"]]
    for _, out, *args in made["instructions"]:
        assert set(args) <= set(written)
        written.append(out)
    assert sorted(written) == list(range(len(made["slots"])))


def test_equal_parts_are_computed_once() -> None:
    scope = Scope({"i": Type.LONG, "t": Type.TIMESTAMP})
    made = compiled(features(["(i + 1) * 2", "i + 1 > 7", 'hour(t, "Asia/Tokyo")'], scope), (), Fitted())
    assert [operation for operation, *_ in made["instructions"]] == ["+", "*", ">", "hour"]
    assert [zone["name"] for zone in made["zones"]] == ["Asia/Tokyo"]


def test_constants_that_only_look_alike_are_two() -> None:
    scope = Scope({"x": Type.DOUBLE, "p": Type.BOOL, "i": Type.LONG})
    made = compiled(features(["x + 0.0", "x + -0.0", "p == True", "i == 1"], scope), (), Fitted())
    assert len(made["constants"]) == 4


def test_the_machine_has_an_operation_for_each_function_and_no_other() -> None:
    assert OPERATIONS.keys() == {WIDEN, *BY_NAME}
    assert set(SEES_NULL) == {f.name for f in FUNCTIONS if f.sees_null}


@pytest.mark.parametrize("name", ["flights", "payments"])
def test_a_shipped_pipeline_is_a_program(name: str) -> None:
    contract = load(PROJECT / "config" / "pipelines" / f"{name}.yaml")
    names = [f.name for f in contract.events.fields] + [r.name for r in contract.readings]
    row = dict.fromkeys(names, None)
    found = run(sent(program(contract)), row)
    assert found == list(row_function(contract)(row))
    assert len(found) == len(contract.features)


def test_the_page_names_every_key() -> None:
    page = PAGE.read_text()
    assert all(f"| `{key}` |" in page for key in program(small()))
