"""The table of algorithms, and what was chosen of it."""

from __future__ import annotations

import pytest

from hotpath.contract.parts import ALGORITHMS
from hotpath.errors import BadArtifact
from train.parameters import ALWAYS, BY_NAME, DEFAULT, TABLE, Algorithm, Chosen


def test_the_table_has_every_algorithm_that_a_contract_may_name() -> None:
    assert sorted(BY_NAME) == sorted(ALGORITHMS)


@pytest.mark.parametrize("way", TABLE, ids=lambda way: way.name)
def test_an_entry_is_consistent(way: Algorithm) -> None:
    assert not way.names & set(way.fixed)
    assert not way.names & set(ALWAYS)
    assert set(way.grown) <= way.names
    assert not set(way.grid) & set(way.searching)
    assert all(len(set(among)) == len(among) > 1 for among in way.grid.values())


def test_what_was_chosen_is_over_the_defaults_and_under_what_is_fixed() -> None:
    named = Chosen("gbm", {"max_depth": 3}).named()
    assert (named["max_depth"], named["ntrees"], named["seed"]) == (3, 50, DEFAULT.seed)
    assert named["ignore_const_cols"] is False


@pytest.mark.parametrize("way", TABLE, ids=lambda way: way.name)
def test_a_choice_survives_its_file(way: Algorithm) -> None:
    picked = {name: among[-1] for name, among in way.grid.items()}
    chosen = Chosen(way.name, picked, {"why": "better"}, 5, "f")
    kept = Chosen.from_bytes(chosen.to_bytes())
    assert kept.to_bytes() == chosen.to_bytes()
    assert Chosen.of(kept.plain()) == kept


def test_nothing_kept_is_no_choice() -> None:
    assert Chosen.of(None) is None


def test_a_failed_search_keeps_what_was_chosen_and_says_so() -> None:
    after = Chosen("glm", {"alpha": 1.0}, {"why": "better"}).after_failure("killed", 7, "f")
    assert (after.parameters, after.at, after.fingerprint) == ({"alpha": 1.0}, 7, "f")
    assert after.evidence == {"why": "better", "failed": "killed"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "an algorithm of the table"),
        (b"[]", "an algorithm of the table"),
        (b'{"algorithm": "prophet"}', "an algorithm of the table"),
        (b'{"algorithm": "gbm", "trees": 5}', "an algorithm of the table"),
        (b'{"algorithm": "gbm", "parameters": {"alpha": 1}}', r"gbm's parameters: found \['alpha'\]"),
    ],
)
def test_what_is_no_choice_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadArtifact, match=why):
        Chosen.from_bytes(data)
