"""Which models a new one may be held against."""

from __future__ import annotations

import pytest

from hotpath.contract.model import Contract
from train.rivals import apart

TODAY = """
name: shops
question: Will it be late?
events:
  topic: shops.asked
  id: id
  entity: sale
  host: host
  time: time
  fields:
    id: {type: string}
    sale: {type: string}
    host: {type: string}
    time: {type: timestamp}
    shop: {type: category}
    price: {type: double, min: 0, max: 100, unit: EUR}
    weight: {type: double, unit: km}
labels:
  topic: shops.done
  entity: sale
  fields: {sale: {type: string}, late: {type: bool}, lost: {type: bool}, cost: {type: double}}
  target: late
  horizon: 12h
aggregates:
  sold: {over: events, by: shop, value: price, digits: 2, tile: 10m, horizon: 2h, delay: 15m}
features:
  price: price
  hour: hour(time, "America/New_York")
  sold_1h: mean(sold, "1h")
  sold_2h: mean(sold, "2h")
train: {window: 1d, holdout: 20%, retrain_every: 2h}
gate: {auc: ">= 0.60"}
serve: {fresh: 3h, expired: 24h}
"""


def contract(*changes: tuple[str, str]) -> Contract:
    text = TODAY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Contract.from_yaml(text, "shops.yaml")


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [("price: price", "price: price * 2")],
        [('  sold_1h: mean(sold, "1h")\n', "")],
        [("train: {window: 1d", "train: {window: 2d"), (">= 0.60", ">= 0.7")],
        [("shops.done", "shops.finished")],
        [("unit: km}", "unit: km, max: 90}")],
        [("delay: 15m", "delay: 15m, default: {mean: 4}")],
        [("{type: double, unit: km}", "{type: long}")],
    ],
    ids=["the same", "another feature", "fewer readings", "other rules", "another topic of labels",
         "a narrower range", "another default", "a field that no feature uses"],
)  # fmt: skip
def test_a_model_of_the_same_question_over_what_is_there_can_be_compared(
    changes: list[tuple[str, str]],
) -> None:
    assert apart(contract(*changes), contract()) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([("target: late", "target: lost")], "it answers lost (binary), today's question is late (binary)"),
        (
            [("target: late", "target: cost"), ('auc: ">= 0.60"', 'rmse: "<= 1"')],
            "it answers cost (number), today's question is late (binary)",
        ),
        (
            [("  weight: {", "  length: {type: double}\n    weight: {"), ("price: price", "price: length")],
            "its features need the field length, which today's events do not have",
        ),
        ([("unit: EUR", "unit: USD")], "its field price is of another type or unit than today's"),
        ([("delay: 15m", "delay: 20m")], "its aggregate sold is defined otherwise than today's"),
        ([("digits: 2", "digits: 3")], "its aggregate sold is defined otherwise than today's"),
        (
            [("sold_1h: mean", "sold_1h: max")],
            "its features read sold.max.3600s, which today's do not",
        ),
        (
            [("  sold: {", "  all: {over: labels, by: sale, tile: 10m, horizon: 1h, delay: 15m}\n  sold: {"),
             ("  price: price", "  price: price\n  all: count(all)")],
            "its features read the aggregate all, which today's contract does not have",
        ),
    ],
)  # fmt: skip
def test_a_model_that_needs_something_else_cannot_and_it_says_why(
    changes: list[tuple[str, str]], why: str
) -> None:
    assert apart(contract(*changes), contract()) == why


def test_classes_must_agree() -> None:
    levels = ("late: {type: bool}", "late: {type: category, levels: [a, b]}")
    other = ("late: {type: bool}", "late: {type: category, levels: [a, b, c]}")
    gate = ('auc: ">= 0.60"', 'accuracy: ">= 0.60"')
    assert apart(contract(levels, gate), contract(levels, gate)) == ""
    said = "its classes are a, b, today's are a, b, c"
    assert apart(contract(levels, gate), contract(other, gate)) == said
