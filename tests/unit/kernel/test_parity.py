"""Answers computed again: what agrees, what came late, what differs and is named with both values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hotpath.clock import Micros
from hotpath.contract.fitted import NOTHING
from hotpath.contract.model import Contract
from hotpath.contract.types import Value
from hotpath.parity import Differs, Logged, Model, Row, judge, tally

CONTRACT = Contract.from_yaml(
    """
name: shops
question: Is it fraud?
events:
  topic: shops.paid
  id: id
  entity: id
  host: till
  time: at
  fields: {id: {type: string}, till: {type: string}, at: {type: timestamp}, shop: {type: category}}
labels:
  topic: shops.known
  entity: id
  fields: {id: {type: string}, fraud: {type: bool}, shop: {type: category}}
  target: fraud
  horizon: 1d
aggregates:
  frauds: {over: labels, by: shop, value: fraud, tile: 5m, horizon: 1h, delay: 10m}
  paid: {over: events, by: shop, tile: 5m, horizon: 1h, delay: 2m}
features:
  share: mean(frauds, "1h")
  paid: count(paid, "1h")
  shop: shop
train: {window: 30d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.5"}
serve: {fresh: 3h, expired: 24h}
""",
    "shops.yaml",
)
SHARE, PAID = "frauds.mean.3600s", "paid.count.3600s"
NOW: Micros = 1_700_000_000_000_000
ASKED = Logged(
    prediction_id="p1",
    bundle="b1",
    asked_at=NOW,
    request={"id": "1", "till": "t", "shop": "a"},
    features=(7, 0.25, "a"),
    degraded=(),
    batches={"frauds": 4, "paid": 6},
)


class Lakes:
    """What the lake gives now, and what it gave of the batches up to one; remembers what it was asked."""

    def __init__(self, now: Row, upto: dict[int, Row] | None = None) -> None:
        self.now, self.upto = now, upto or {}
        self.asked: list[tuple[Micros, tuple[str | None, ...]]] = []

    def __call__(
        self, asked: Sequence[tuple[Micros, tuple[str | None, ...]]], upto: int | None
    ) -> Sequence[Row]:
        self.asked += asked
        return [self.now if upto is None else self.upto[upto]] * len(asked)


def of(share: Value, paid: Value) -> Row:
    return {SHARE: share, PAID: paid}


def judged(one: Logged, lakes: Lakes) -> tuple[str, tuple[Differs, ...]]:
    (found,) = judge([one], Model(CONTRACT, NOTHING), lakes)
    return found.verdict, found.differs


def test_an_answer_that_the_lake_gives_is_equal() -> None:
    lakes = Lakes(of(0.25, 7))
    assert judged(ASKED, lakes) == ("equal", ())
    assert lakes.asked == [(NOW, ("a", "a"))], "its instant is when it was asked, its keys are the row's"


def test_a_value_that_the_lake_does_not_give_is_named_with_both() -> None:
    lakes = Lakes(of(0.5, 7), {4: of(0.5, 1), 6: of(1.0, 7)})
    assert judged(ASKED, lakes) == ("differing", (Differs("p1", "share", 0.25, 0.5),))


def test_an_answer_that_had_read_an_older_tile_is_late_not_different() -> None:
    # batch:  4 (frauds read up to here)   6 (paid read up to here)   9 a label lands in a closed tile
    lakes = Lakes(of(0.5, 7), {4: of(0.25, 1), 6: of(0.5, 7)})
    assert judged(ASKED, lakes)[0] == "late"


def test_an_answer_that_said_its_tile_was_late_is_late() -> None:
    assert judged(replace(ASKED, degraded=("late:frauds",)), Lakes(of(0.5, 7)))[0] == "late"


def test_an_answer_without_tiles_is_degraded() -> None:
    said = replace(ASKED, features=(None, None, "a"), degraded=("aggregates",), batches={})
    assert judged(said, Lakes(of(0.5, 7)))[0] == "degraded"


def test_what_was_late_or_absent_excuses_no_other_feature() -> None:
    lakes = Lakes(of(0.5, 7), {4: of(0.25, 1), 6: of(0.5, 7)})
    assert judged(replace(ASKED, features=(7, 0.25, "b"), degraded=("late:frauds",)), lakes)[0] == "differing"
    absent = replace(ASKED, features=(8, None, "a"), degraded=("aggregates",), batches={"paid": 6})
    assert judged(absent, lakes)[0] == "differing", "paid was had, and is not what the lake gives"


def test_an_answer_without_some_tiles_may_have_read_others_before_they_changed() -> None:
    said = replace(ASKED, features=(7, None, "a"), degraded=("aggregates",), batches={"paid": 6})
    assert judged(said, Lakes(of(0.5, 8), {6: of(0.5, 7)}))[0] == "degraded"


def test_records_that_were_erased_since_make_no_difference() -> None:
    lakes = Lakes(of(0.5, 7), {4: of(0.5, 7), 6: of(0.5, 7)})
    (found,) = judge([ASKED], Model(CONTRACT, NOTHING), lakes, lambda: frozenset({"frauds"}))
    assert found.verdict == "late"


def test_each_batch_is_read_once_for_all_answers() -> None:
    reads: list[int | None] = []
    lakes = Lakes(of(0.5, 7), {4: of(0.25, 1), 6: of(0.5, 7)})
    answers = [replace(ASKED, prediction_id=str(n)) for n in range(5)]

    def find(asked: Sequence[tuple[Micros, tuple[str | None, ...]]], upto: int | None) -> Sequence[Row]:
        reads.append(upto)
        return lakes(asked, upto)

    assert tally(judge(answers, Model(CONTRACT, NOTHING), find)) == {"late": 5}
    assert sorted(reads, key=str) == [4, 6, None]


def test_of_two_batches_both_must_give_what_was_answered() -> None:
    lakes = Lakes(of(0.5, 9), {4: of(0.25, 7), 6: of(0.25, 8)})
    assert judged(ASKED, lakes)[0] == "differing"


def test_a_request_that_the_contract_refuses_was_never_answered_by_it() -> None:
    found = judged(replace(ASKED, request={"id": "1"}), Lakes(of(0.25, 7)))
    assert found == (
        "differing",
        (Differs("p1", "the request", "answered", "refused by the bundle's contract"),),
    )


def test_a_row_of_another_length_is_another_contract_s() -> None:
    found = judged(replace(ASKED, features=(7,), batches={}), Lakes(of(0.25, 7)))
    assert found == ("differing", (Differs("p1", "features", 1, 3),))


@given(st.lists(st.sampled_from([(7, 0.25, "a"), (7, 0.5, "a"), (7, 0.25, "b")]), max_size=8))
def test_every_answer_has_one_verdict(features: list[tuple[Value, ...]]) -> None:
    answers = [replace(ASKED, prediction_id=str(n), features=f, batches={}) for n, f in enumerate(features)]
    found = judge(answers, Model(CONTRACT, NOTHING), Lakes(of(0.25, 7)))
    assert [one.prediction_id for one in found] == [one.prediction_id for one in answers]
    assert tally(found)["equal"] == features.count((7, 0.25, "a"))
    assert sum(tally(found).values()) == len(answers)
