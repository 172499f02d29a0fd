"""What may be deployed over what runs, and whose model answers by what the scorers said."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotpath.errors import BadConfig
from hotpath.handoffs import Receipt
from hotpath.local.deploying import answering, deploy
from hotpath.settings import Settings, load
from tests.contract.samples import small


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HOTPATH__DATA", str(tmp_path / "run"))
    return load()


def receipt(sequence: int, bundle: str, kind: str = "live", pipeline: str = "small") -> Receipt:
    said = {"scorer": "s", "why": "", "at": 0, "pipeline": pipeline}
    return Receipt.from_fields({**said, "sequence": sequence, "bundle": bundle, "kind": kind})


def test_what_ran_until_now_is_told(settings: Settings) -> None:
    wider = small("max: 100", "max: 200")
    assert (deploy(settings, small()), deploy(settings, wider)) == (None, small())


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("max: 100", "max: 50", "values that were accepted are refused"),
        ("topic: small.asked", "topic: small.moved", "small.moved.*expected those of the running one"),
        ("topic: small.answered", "topic: small.moved", "as a pipeline of another name"),
    ],
)
def test_what_cannot_follow_what_runs_is_refused_and_nothing_deployed(
    settings: Settings, old: str, new: str, found: str
) -> None:
    deploy(settings, small())
    with pytest.raises(BadConfig, match=found):
        deploy(settings, small(old, new))
    assert deploy(settings, small()) == small()


def test_a_stream_may_be_gained_but_neither_moved_nor_taken_back(settings: Settings) -> None:
    wind = "streams: {{wind: {{topic: {}, fields: {{gust: {{type: double}}}}}}}}\nfeatures:"
    deploy(settings, small())
    deploy(settings, small("features:", wind.format("small.wind")))
    for moved in (small("features:", wind.format("small.gale")), small()):
        with pytest.raises(BadConfig, match=r"'wind': 'small.wind'"):
            deploy(settings, moved)


def test_a_contract_that_is_deployed_again_is_not_live_by_what_was_said_of_it_before() -> None:
    # a is deployed, then b, then a again: until a new model of a is live, b answers
    said = [receipt(1, "a1"), receipt(2, "b1")]
    assert answering(said, "small", {"a1", "a2"}) is None
    assert answering([*said, receipt(3, "a2", "admitted")], "small", {"a1", "a2"}) is None
    assert answering([*said, receipt(3, "a2")], "small", {"a1", "a2"}) == 3
    assert answering([*said, receipt(1, "a1", "rolled_back")], "small", {"a1", "a2"}) == 1


def test_another_pipelines_receipts_say_nothing() -> None:
    assert answering([receipt(1, "a1"), receipt(7, "x", pipeline="other")], "small", {"a1"}) == 1
    assert answering([], "small", {"a1"}) is None
