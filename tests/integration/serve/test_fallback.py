"""A bundle with a fallback rule and two cuts: through the real sandbox, the folder and the engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hotpath.bundle import Sealed
from hotpath.clock import DAY, HOUR, Micros
from hotpath.contract.model import Contract
from hotpath.handoffs import Score, scores_topic
from serve import engine
from serve.folder import BundleFolder, Pointer
from serve.generation import Generation
from serve.metrics import Metrics
from serve.scorer import Scorer
from serve.warm import loader
from tests.integration.serve import bundles, test_kinds
from tests.integration.serve.bundles import START
from tests.integration.serve.conftest import Host

OLD = START + DAY + HOUR


def ruled(contract: Contract, rule: str) -> Contract:
    """The contract with a fallback rule."""
    plain = json.loads(contract.canonical())
    plain["serve"]["fallback"] = rule
    return Contract.from_yaml(json.dumps(plain), "things.yaml")


def live(host: Host, bundle: Sealed) -> Generation:
    """The generation of a bundle that was sent, proved and placed."""
    bundles.send(host.log, bundle, 1, host.key)
    host.follow()
    assert host.follower.live() == {"things": 1}, host.receipts()
    engine.start(engine.JARS)
    folder = BundleFolder(host.follower.root / "things")
    return loader(host.follower.key, engine.load)(folder, Pointer(1, bundle.id, START))


def answered(host: Host, generation: Generation, body: dict[str, Any], at: Micros) -> dict[str, Any]:
    """The outputs by name, with the flags and cuts that came with them."""
    scorer = Scorer("s", host.follower.clock, host.log, Metrics())
    said: Any = scorer.infer(generation, body, at)
    kept = {name: said["parameters"][name] for name in ("degraded", "threshold", "accept_below")}
    return {o["name"]: o["data"][0] for o in said["outputs"]} | kept


def test_between_two_cuts_it_abstains_and_past_expired_the_rule_decides(host: Host) -> None:
    made = ruled(bundles.contract("numbers"), "is_null(n01)")
    nothing = json.dumps({"kind": "binary", "threshold": 1.0, "accept_below": 0.0}).encode()
    generation = live(host, bundles.sealed("numbers", host.key, of=made, scorecard_json=nothing))
    fresh = answered(host, generation, bundles.request(1), START)
    assert (fresh["decision"], fresh["degraded"]) == ("abstain", [])
    assert (fresh["threshold"], fresh["accept_below"]) == (1.0, 0.0)
    decisions = {}
    for number in (1, 11):  # the eleventh event has no n01
        old = answered(host, generation, bundles.request(number), OLD)
        assert (old["score"], old["degraded"]) == (None, ["expired", "fallback"])
        decisions[number] = old["decision"]
    assert decisions == {1: "accept", 11: "decline"}
    records = [Score.from_bytes(e.value) for e in host.log.entries if e.topic == scores_topic("things")]
    assert [said.score is None for said in records] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "rule", "says"),
    [
        ("gbm_ways", 'if_else(x > 0.0, "road", "sea")', {"class": "road", "score": None}),
        ("gbm_cost", "if_else(x > 0.0, 40, 10)", {"score": 40.0}),
    ],
)
def test_past_expired_the_rule_answers_in_place_of_the_model(
    host: Host, name: str, rule: str, says: dict[str, object]
) -> None:
    made = ruled(test_kinds.contract(name), rule)
    generation = live(host, test_kinds.sealed(name, host, test_kinds.golden(name), made))
    found = answered(host, generation, QUESTION, OLD)
    assert {key: found[key] for key in says} == says
    assert (found["decision"], found["degraded"]) == ("accept", ["expired", "fallback"])


QUESTION: dict[str, Any] = {
    "inputs": [
        {"name": name, "datatype": datatype, "shape": [1], "data": [value]}
        for name, datatype, value in (
            ("thing_id", "BYTES", "t1"),
            ("due_at", "BYTES", "2026-11-18T13:26:40Z"),
            ("x", "FP64", 0.5),
            ("y", "FP64", 0.25),
            ("c", "BYTES", "b"),
        )
    ]
}
