"""The card: what people read of a model, in words and pictures, without a request without others' markup."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from tests.contract.samples import CONTRACT as SMALL
from tests.unit.train import holdouts
from tests.unit.train.test_measuring import BY_KIND
from train.account import Account
from train.card import Plot, card, read, summary, written
from train.measuring import measure, scorecard
from train.plots import plots

FEATURES = [{"feature": "<b>", "expression": "a < b", "training rows": "0 of 1 null", "monitors": ""}]
FACTS: dict[str, object] = {"pipeline": "small", "batches": [1, 2, 3, 7], "window": {"from": 1}}


def made(contract: Contract, found: Any, account: Account) -> tuple[dict[str, Any], tuple[Plot, ...]]:
    table, answers = found
    both = {"challenger": answers, "champion": answers}
    told = scorecard(contract, table, both, measure(contract, table, both, account), account)
    return told, plots(contract, table, answers, told)


def page(told: dict[str, Any], drawn: tuple[Plot, ...]) -> str:
    return card("Is it <so>?", told, drawn, FEATURES, FACTS)


@BY_KIND
def test_a_page_says_what_is_promised_how_good_it_is_and_where_it_comes_from(
    contract: Contract, made_of: Any, account: Account
) -> None:
    told, drawn = made(contract, made_of, account)
    shown = page(told, drawn)
    for name in told["metrics"]:
        assert f"<th>{name}</th>" in shown
    for text in (
        "Is it &lt;so&gt;?",
        "&lt;b&gt;",
        "a &lt; b",
        "1-3, 7",
        "surely better than the same answer",
    ):
        assert text in shown
    assert shown.count("<svg") == len(drawn) >= 2


@BY_KIND
def test_it_asks_for_nothing_runs_nothing_and_is_the_same_again(
    contract: Contract, made_of: Any, account: Account
) -> None:
    told, drawn = made(contract, made_of, account)
    shown = page(told, drawn)
    for request in ("<script", "src=", "@import", "<image", "http:", "https:", "data:", "<style>*"):
        assert request not in shown
    # What is referred to is drawn in the same picture.
    for of in re.findall(r"(?:href=\"|url\()([^\")]*)", shown):
        assert of.startswith("#")
        assert f'id="{of[1:]}"' in shown
    assert made(contract, made_of, account)[1] == drawn


def test_in_short_it_says_how_many_of_a_hundred_it_declines_and_accepts() -> None:
    told: dict[str, Any] = {"kind": "binary", "metrics": {}, "baselines": {}, "champion": None}
    counts = {"all": 1000, "all_yes": 300, "declined": 150, "declined_yes": 120}
    decisions = {**counts, "accepted": 500, "accepted_yes": 4}
    assert list(summary({**told, "decisions": decisions})) == [
        "Of 100 cases, 30 of which turn out yes, it declines about 15, of which 12 turn out yes; "
        "it accepts 50, of which 0.4 turn out yes after all; it leaves 35 undecided."
    ]


def test_what_cannot_be_promised_is_said_too() -> None:
    told, drawn = made(holdouts.DECIDING, holdouts.binary(90), BY_KIND.args[1][0][2])
    shown = page(told, drawn)
    assert "It cannot be promised" in shown
    assert "it takes at least 299 such rows" in shown
    assert "never" in shown


@settings(deadline=None, max_examples=6)
@given(st.integers(1, 12), st.sampled_from([holdouts.binary, holdouts.classes, holdouts.numbers]))
def test_a_few_rows_are_drawn_too(rows: int, make: Any) -> None:
    contract = {
        holdouts.binary: holdouts.BINARY,
        holdouts.classes: holdouts.CLASSES,
        holdouts.numbers: holdouts.NUMBER,
    }[make]
    account = next(a for c, _, a in BY_KIND.args[1] if c is contract)
    told, drawn = made(contract, make(rows), account)
    assert page(told, drawn).endswith("</html>\n")


def test_names_of_classes_are_drawn_as_they_are_and_become_no_markup() -> None:
    names = ["$x^2$", "<script>", "a & b", "漢字" * 20, "\\frac"]
    levels = ", ".join(f'"{n}"'.replace("\\", "\\\\") for n in names)
    contract = Contract.from_yaml(
        SMALL.replace("truth: {type: bool}", f"truth: {{type: category, levels: [{levels}]}}").replace(
            holdouts.GATE, 'gate: {accuracy: ">= 0.1"}\n'
        ),
        "small.yaml",
    )
    order = contract.labels.classes
    chance = np.random.default_rng(0)
    answers = chance.dirichlet(np.ones(5), 60)
    table: pa.Table = holdouts.holdout([order[n % 5] for n in range(60)])
    account = BY_KIND.args[1][2][2]
    told = scorecard(
        contract, table, {"challenger": answers}, measure(contract, table, {"challenger": answers}), account
    )
    shown = page(told, plots(contract, table, answers, told))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "$x^2$" in shown


def test_pictures_travel_between_processes() -> None:
    drawn = (Plot("a", "b", "c", "<svg/>"),)
    assert read(written(drawn)) == drawn
    for broken in (b"", b"[1]", b'[{"name": 1}]'):
        with pytest.raises(BadArtifact):
            read(broken)
