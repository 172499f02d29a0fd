"""From a bundle's entries to a generation: what must agree, without a JVM."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from hotpath.bundle import Bundle
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from serve.decide import Cuts
from serve.generation import Generation, Kind, Model, Target, build
from tests.unit.serve.generations import CONTRACT, COSTS, PORTS, START, changed, sized

LEVELS = changed(("kind: kind", "kind: level(kind)"))


def bundle(contract: Contract, fitted: Fitted, scorecard: Mapping[str, object]) -> Bundle:
    files = {
        "contract.json": contract.canonical(),
        "fitted.json": fitted.to_bytes(),
        "model.zip": b"",
        "scorecard.json": json.dumps(scorecard).encode(),
    }
    facts = {"pipeline": contract.name, "fingerprint": contract.fingerprint, "trained_at": START}
    return Bundle("b", files, facts)


def built(contract: Contract, fitted: Fitted = NOTHING, **scorecard: object) -> tuple[Generation, Target]:
    """The generation, and the target that its model was loaded for."""
    asked: list[Target] = []

    def load(_: bytes, __: Mapping[str, Kind], target: Target) -> Model:
        asked.append(target)
        return sized(contract)

    return build(bundle(contract, fitted, scorecard), 1, contract.name, load), asked[0]


def test_the_levels_that_were_fitted_are_those_that_level_keeps() -> None:
    made, _ = built(LEVELS, Fitted(levels={"kind": ("plain",)}), threshold=0.5)
    row = {"event_time": START, "due_at": START, "size": 1.0}
    place = [f.name for f in LEVELS.features].index("kind")
    seen = [made.features({**row, "kind": kind})[place] for kind in ("plain", "strange", None)]
    assert seen == ["plain", "(other)", None]


def test_a_field_whose_levels_were_not_fitted_is_named() -> None:
    with pytest.raises(BadArtifact, match=r"fitted\.json: found \['other'\], expected levels of kind"):
        built(LEVELS, Fitted(levels={"other": ("plain",)}), threshold=0.5)


@pytest.mark.parametrize(
    ("contract", "target"),
    [(PORTS, Target("classes", ("air", "rail", "sea"))), (COSTS, Target("number", ()))],
)
def test_only_a_yes_or_no_has_a_threshold(contract: Contract, target: Target) -> None:
    made, asked = built(contract)
    assert (made.threshold, asked) == (None, target)


def test_a_yes_or_no_must_have_one() -> None:
    with pytest.raises(BadArtifact, match="threshold"):
        built(LEVELS, Fitted(levels={"kind": ("plain",)}))


@pytest.mark.parametrize(
    ("said", "cuts"),
    [
        ({"threshold": 0.4}, Cuts(0.4, 0.4)),
        ({"threshold": 0.4, "accept_below": 0.1}, Cuts(0.4, 0.1)),
        ({"threshold": None, "accept_below": 0.1}, Cuts(None, 0.1)),
        ({"threshold": 1, "accept_below": None}, Cuts(1.0, None)),
        ({"threshold": None, "accept_below": None}, Cuts(None, None)),
    ],
)
def test_a_scorecard_says_where_scores_part(said: dict[str, float | None], cuts: Cuts) -> None:
    made, _ = built(CONTRACT, NOTHING, **said)
    assert (made.cuts, made.threshold) == (cuts, cuts.decline_at)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"threshold": None}, "threshold"),
        ({"accept_below": 0.5}, "scorecard"),
        ({"threshold": True, "accept_below": 0.1}, "threshold"),
        ({"threshold": 0.5, "accept_below": 1.5}, "accept_below"),
        ({"threshold": 0.5, "accept_below": "0.1"}, "accept_below"),
        ({"threshold": 0.5, "accept_below": float("nan")}, "accept_below"),
        ({"threshold": 0.1, "accept_below": 0.5}, "at most its threshold"),
    ],
)
def test_cuts_that_part_nothing_are_refused(said: dict[str, object], named: str) -> None:
    with pytest.raises(BadArtifact, match=named):
        built(CONTRACT, NOTHING, **said)
