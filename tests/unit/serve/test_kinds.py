"""Answers about many classes and about a number: no yes, so no threshold and nothing to decline."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import nan

import pytest

from hotpath.clock import DAY, HOUR
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.handoffs import Score
from serve import infer
from serve.answer import answer, record
from serve.generation import Generation, Scored
from tests.unit.serve.generations import COSTS, PORTS, START, generation, shared

ROW: dict[str, object] = {"thing_id": "t1", "due_at": "2026-11-18T13:26:40Z", "size": 0.75, "kind": "plain"}


def of_classes() -> Generation:
    return generation(contract=PORTS, model=shared)


def of_a_number() -> Generation:
    return generation(contract=COSTS)


def test_of_many_classes_the_likeliest_is_answered_and_all_are_recorded() -> None:
    answered = answer(of_classes(), ROW, START, "id")
    assert dict(answered.outputs) == {"class": "rail", "score": 0.75, "decision": "accept"}
    said = record(of_classes(), answered, START, START + 1)
    assert (said.predicted, said.score, said.scores) == ("rail", 0.75, [0.125, 0.75, 0.125])
    assert said.threshold is None
    assert Score.from_bytes(said.to_bytes()) == said


def test_of_classes_that_are_equally_likely_the_first_is_answered() -> None:
    answered = answer(of_classes(), {**ROW, "size": 0.0}, START, "id")
    assert (answered.predicted, answered.score) == ("air", 0.5)


def test_a_number_is_answered_as_it_is_however_large() -> None:
    answered = answer(of_a_number(), {**ROW, "size": 123.5}, START, "id")
    assert dict(answered.outputs) == {"score": 123.5, "decision": "accept"}
    assert (answered.predicted, answered.scores) == (None, ())


@pytest.mark.parametrize("made", [of_classes, of_a_number])
def test_an_expired_model_abstains_whatever_it_is_asked(made: Callable[[], Generation]) -> None:
    answered = answer(made(), ROW, START + DAY + HOUR, "id")
    assert (answered.decision, answered.outputs["decision"]) == ("abstain", "abstain")
    assert answered.degraded == ("expired",)


OLD = START + DAY + HOUR


def ruled(contract: Contract, rule: str) -> Contract:
    """The contract with a fallback rule."""
    text = {**json.loads(contract.canonical())}
    text["serve"]["fallback"] = rule
    return Contract.from_yaml(json.dumps(text), "ruled.yaml")


def test_past_expired_the_rule_names_a_class_in_place_of_the_model() -> None:
    ways = ruled(PORTS, 'if_else(size > 0.5, "rail", kind)')
    made = generation(contract=ways, model=shared)
    answered = answer(made, ROW, OLD, "id")
    assert dict(answered.outputs) == {"class": "rail", "score": None, "decision": "accept"}
    assert (answered.predicted, answered.scores) == (None, ()), "the model's word is not used"
    assert answered.degraded == ("expired", "fallback")
    other = answer(made, {**ROW, "size": 0.25, "kind": "a way that is no class"}, OLD, "id")
    assert dict(other.outputs) == {"class": None, "score": None, "decision": "abstain"}


def test_past_expired_the_rule_gives_a_number_in_place_of_the_model() -> None:
    made = generation(contract=ruled(COSTS, "if_else(size > 0.5, 90, 20)"))
    answered = answer(made, ROW, OLD, "id")
    assert dict(answered.outputs) == {"score": 90.0, "decision": "accept"}
    assert record(made, answered, OLD, OLD).score is None, "a record's score is the model's, never the rule's"
    nothing = answer(made, {**ROW, "size": None}, START, "id")
    assert dict(nothing.outputs) == {"score": None, "decision": "abstain"}
    assert nothing.degraded == ("fallback", "no score")


def test_a_probability_that_is_no_number_is_no_score() -> None:
    def broken(_: Sequence[Value]) -> Scored:
        return Scored(0.5, (), (0.5, nan, 0.5))

    answered = answer(generation(contract=PORTS, model=broken), ROW, START, "id")
    assert dict(answered.outputs) == {"class": None, "score": None, "decision": "abstain"}
    assert answered.degraded == ("no score",)


def test_metadata_names_the_outputs_of_the_kind() -> None:
    names = [o["name"] for o in infer.metadata(of_classes())["outputs"]]  # type: ignore[attr-defined]
    assert names == ["class", "score", "decision"]
