"""A model on its holdout: metrics with bounds, baselines, the champion on the same rows, its scorecard."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotpath.contract import metrics
from hotpath.contract.model import Contract
from hotpath.errors import BadArtifact
from hotpath.promises import Promise
from hotpath.quality import Sample, measured
from hotpath.scorecard import asked, sentences
from tests.unit.train import holdouts
from tests.unit.train.accounts import of_classes, of_numbers
from train.account import Account
from train.measured import Measured, Shadow
from train.measuring import measure, scorecard, shadow

ACCOUNT = of_classes({"0": 700, "1": 300}, {"0": 70, "1": 30}, "binary")
OF_CLASSES = of_classes({"a": 6, "b": 3, "c": 1}, {"a": 6, "b": 3, "c": 1})
OF_NUMBERS = of_numbers((0.0, 15.0, 50.0), (0.0, 15.0, 50.0))
KINDS: list[tuple[Contract, tuple[pa.Table, Any], Account]] = [
    (holdouts.BINARY, holdouts.binary(), ACCOUNT),
    (holdouts.DECIDING, holdouts.binary(), ACCOUNT),
    (holdouts.CLASSES, holdouts.classes(), OF_CLASSES),
    (holdouts.NUMBER, holdouts.numbers(), OF_NUMBERS),
]
MAKERS: list[Any] = [holdouts.binary, holdouts.binary, holdouts.classes, holdouts.numbers]
BY_KIND = pytest.mark.parametrize(
    ("contract", "made_of", "account"), KINDS, ids=["binary", "deciding", "classes", "number"]
)


@BY_KIND
def test_every_metric_is_measured_with_bounds_about_it(
    contract: Contract, made_of: Any, account: Account
) -> None:
    table, answers = made_of
    found = measure(contract, table, {"challenger": answers}, account)
    names = [m.name for m in metrics.of(contract.labels.kind)] + [m.name for m in contract.metrics]
    assert sorted(found.metrics) == sorted(names)
    assert all(low <= found.metrics[name] <= high for name, (low, high) in found.bounds.items())
    assert found.bounds.keys() == found.metrics.keys()


@BY_KIND
def test_a_constant_and_the_rule_are_worse_than_a_model_and_a_better_champion_is_ahead(
    contract: Contract, made_of: Any, account: Account
) -> None:
    table, answers = made_of
    found = measure(contract, table, {"challenger": answers, "champion": answers}, account)
    assert set(found.baselines) == {"constant", *(["fallback"] if contract.serve.fallback else [])}
    assert all(rival.ahead.low > 0 for rival in found.baselines.values())
    assert found.champion is not None
    assert (found.champion.ahead.low, found.champion.ahead.high) == (0.0, 0.0)
    weak = np.full_like(answers, answers.mean()) if answers.ndim == 1 else np.full_like(answers, 1 / 3)
    worse = measure(contract, table, {"challenger": weak, "champion": answers}, account).champion
    assert worse is not None
    assert worse.ahead.high < 0


@BY_KIND
def test_the_scorecard_is_plain_json_and_says_its_promises(
    contract: Contract, made_of: Any, account: Account
) -> None:
    table, answers = made_of
    found = measure(contract, table, {"challenger": answers}, account)
    card = json.loads(
        json.dumps(scorecard(contract, table, {"challenger": answers}, found, account), allow_nan=False)
    )
    assert (card["threshold"], card["accept_below"]) == (found.threshold, found.accept_below)
    assert (card["rows"]["holdout"], card["rows"]["independent"]) == (account.rows["holdout"], 1_000)
    promised: dict[str, int] = {"binary": 4, "classes": 3, "number": 2}
    # One more, the first, says of a binary model without `decide` that it decides by none of them.
    apart = contract.labels.kind == "binary" and contract.scorecard.decide is None
    assert len(sentences(card)) == promised[contract.labels.kind] + apart


def test_the_constant_is_the_share_of_the_training_rows_and_declines_whom_most_are() -> None:
    table, answers = holdouts.binary()
    share = np.mean(np.array(table["label"]) == "1")
    found = measure(holdouts.BINARY, table, {"challenger": answers}, ACCOUNT).baselines["constant"]
    assert found.metrics["brier"] == pytest.approx(share * 0.49 + (1 - share) * 0.09)
    assert found.metrics["accuracy"] == pytest.approx(1 - share)
    assert found.metrics["cost"] == pytest.approx(40 * share)
    assert found.metrics["auc"] == 0.5


# level of the answers:  training rows 0 ────── holdout 100: who knows the training rows alone says 0
def test_a_numbers_constant_is_the_mean_of_the_training_rows_whatever_the_holdouts_is() -> None:
    table, answers = holdouts.numbers()
    risen = table.set_column(table.column_names.index("label"), "label", pc.add(table["label"], 100.0))
    account = of_numbers((0.0, 15.0, 50.0), (100.0, 115.0, 150.0))
    found = measure(holdouts.NUMBER, risen, {"challenger": answers + 60.0}, account).baselines["constant"]
    assert found.metrics["mae"] == pytest.approx(np.mean(risen["label"].to_numpy()) - 15.0)
    assert found.ahead.low > 0


def test_the_rule_is_scored_as_no_and_yes_and_by_the_constant_where_it_says_nothing() -> None:
    table, answers = holdouts.binary()
    said = table["row.fallback"].to_pylist()
    score = np.array([0.3 if s is None else float(s) for s in said])
    truth = np.array(table["label"]) == "1"
    found = measure(holdouts.BINARY, table, {"challenger": answers}, ACCOUNT).baselines["fallback"]
    expected = measured(Sample("binary", 1.0 * truth, score))
    assert (found.metrics["auc"], found.metrics["brier"]) == (expected["auc"], expected["brier"])
    missed = sum(40 for s, y in zip(said, truth, strict=True) if s is False and y)
    wrong = sum(5 for s, y in zip(said, truth, strict=True) if s and not y)
    assert found.metrics["cost"] == pytest.approx((missed + wrong) / len(said))


def test_the_contracts_own_metrics_are_of_what_the_thresholds_decide() -> None:
    table, answers = holdouts.binary()
    found = measure(holdouts.DECIDING, table, {"challenger": answers}, ACCOUNT)
    yes = np.array(table["label"]) == "1"
    assert found.threshold is not None
    assert found.accept_below is not None
    declined, accepted = answers >= found.threshold, answers < found.accept_below
    assert (declined | accepted).sum() < len(yes)
    fn, fp = (yes & accepted).sum(), (~yes & declined).sum()
    assert found.metrics["cost"] == pytest.approx((40 * fn + 5 * fp) / len(yes))
    assert found.metrics["lost"] == pytest.approx(2.0 * fn / len(yes))


def test_promises_are_made_from_one_row_an_entity() -> None:
    table, answers = holdouts.binary()
    found = measure(holdouts.BINARY, table, {"challenger": answers}, ACCOUNT)
    card = scorecard(holdouts.BINARY, table, {"challenger": answers}, found, ACCOUNT)
    alone = np.array(table["row.alone"])
    assert alone.sum() == holdouts.ROWS / 3
    again = asked(card, "false_positive_rate", 0.05)
    assert isinstance(again, Promise)
    assert again.rows == int((alone & (np.array(table["label"]) == "0")).sum())


def test_a_promise_that_all_rows_do_not_bear_out_is_none_and_nothing_is_decided_by_it() -> None:
    """Of each entity the two rows that are not `alone` are answered as badly as can be."""
    table, answers = holdouts.binary()
    yes, alone = np.array(table["label"]) == "1", np.array(table["row.alone"])
    given = {"challenger": np.where(alone, answers, 1.0 - yes)}
    found = measure(holdouts.DECIDING, table, given, ACCOUNT)
    assert (found.promised, found.threshold, found.accept_below) == (False, None, None)
    card = scorecard(holdouts.DECIDING, table, given, found, ACCOUNT)
    assert all("cannot be promised" in said and "over all" in said for said in sentences(card)[1:])
    table, estimates = holdouts.numbers()
    far = {"challenger": np.where(np.array(table["row.alone"]), estimates, 1e4)}
    numbers = scorecard(holdouts.NUMBER, table, far, measure(holdouts.NUMBER, table, far), OF_NUMBERS)
    assert all(
        "cannot be promised" in said and "of all 3,000 rows only" in said for said in sentences(numbers)
    )


def test_rows_of_a_class_that_training_has_not_met_are_measured_as_wrong_and_counted() -> None:
    table, answers = holdouts.classes()
    met = answers * np.array([1.0, 1.0, 0.0])
    given = {"challenger": met / met.sum(axis=1, keepdims=True)}
    account = of_classes({"a": 2_000, "b": 900}, {"a": 1_800, "b": 900, "c": 300})
    found = measure(holdouts.CLASSES, table, given, account)
    assert found.metrics["accuracy"] < 0.9
    card = scorecard(holdouts.CLASSES, table, given, found, account)
    assert card["rows"]["of a class without a training row"] == 300
    assert sentences(json.loads(json.dumps(card, allow_nan=False)))


def test_a_waiting_challengers_shadow_is_of_rows_newer_than_its_window() -> None:
    table, answers = holdouts.binary()
    half = int(table["row.arrived_at"][holdouts.ROWS // 2].as_py())
    both = {"waiting": answers, "champion": np.full_like(answers, 0.5)}
    found = shadow(holdouts.BINARY, table, both, half)
    assert found.outcomes == holdouts.ROWS // 2 - 1
    assert found.ahead is not None
    assert found.ahead.low > 0
    assert shadow(holdouts.BINARY, table, {"waiting": answers}, half) == Shadow(found.outcomes)
    assert shadow(holdouts.BINARY, table, both, 10**12) == Shadow(0)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(0, 5), st.sampled_from(range(4)))
def test_a_holdout_of_a_few_rows_breaks_nothing(rows: int, seed: int, kind: int) -> None:
    contract, _, account = KINDS[kind]
    table, answers = MAKERS[kind](rows, seed)
    both: dict[str, Any] = {"challenger": answers, "champion": answers}
    found = measure(contract, table, both, account)
    assert Measured.from_bytes(found.to_bytes()) == found
    card = scorecard(contract, table, {"challenger": answers}, found, account)
    assert sentences(json.loads(json.dumps(card, allow_nan=False)))


def test_answers_that_are_none_are_refused_and_a_champion_that_gives_none_is_left_out() -> None:
    table, answers = holdouts.binary(60)
    broken = np.where(np.arange(60) == 3, np.nan, answers)
    with pytest.raises(BadArtifact):
        measure(holdouts.PLAIN, table, {"challenger": broken})
    with pytest.raises(BadArtifact):
        measure(holdouts.PLAIN, table, {"challenger": answers[:9]})
    found = measure(holdouts.PLAIN, table, {"challenger": answers, "champion": broken})
    assert (found.champion, found.unsound) == (None, ("champion",))
    assert Measured.from_bytes(found.to_bytes()) == found
    assert measure(holdouts.PLAIN, table, {"challenger": answers}).unsound == ()
    with pytest.raises(BadArtifact):
        measure(holdouts.PLAIN, holdouts.holdout(["2"] * 60), {"challenger": answers})


def test_a_measurement_is_read_as_it_was_written_and_what_is_none_is_refused() -> None:
    table, answers = holdouts.binary(300)
    both = {"challenger": answers, "champion": answers, "waiting": answers}
    found = measure(holdouts.DECIDING, table, both, ACCOUNT)
    waited = shadow(holdouts.DECIDING, table, both, 0)
    assert Measured.from_bytes(found.to_bytes()) == found
    assert Shadow.from_bytes(waited.to_bytes()) == waited
    for broken in (b"", b"[]", b'{"kind": "binary"}', b"null"):
        with pytest.raises(BadArtifact):
            Measured.from_bytes(broken)
        with pytest.raises(BadArtifact):
            Shadow.from_bytes(broken)
