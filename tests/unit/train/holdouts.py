"""Made-up holdouts of each kind of target, and a model's answers to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hotpath.contract.model import Contract
from tests.contract.samples import CONTRACT, small

TRUTH = "truth: {type: bool}"
GATE = 'gate:  {auc: ">= 0.60"}\n'
BINARY = Contract.from_yaml(
    CONTRACT.replace(
        GATE,
        GATE
        + "metrics: {cost: (40 * fn + 5 * fp) / rows, lost: fn_size / rows}\n"
        + "scorecard: {false_positive_rate: [0.01, 0.05], false_negative_rate: [0.05, 0.2]}\n",
    ).replace("expired: 24h}", "expired: 24h, fallback: big}"),
    "small.yaml",
)
DECIDING = Contract.from_yaml(
    BINARY.canonical()
    .decode()
    .replace(
        '"scorecard":{',
        '"scorecard":{"decide":{"false_positive_rate":0.05,"false_negative_rate":0.05},',
    )
    .replace("[0.05,0.2]", "[0.05,0.2]"),
    "small.yaml",
)
CLASSES = Contract.from_yaml(
    CONTRACT.replace(TRUTH, "truth: {type: category, levels: [a, b, c]}").replace(
        GATE, 'gate: {accuracy: ">= 0.3"}\nscorecard: {false_positive_rate: [0.05]}\n'
    ),
    "small.yaml",
)
NUMBER = Contract.from_yaml(
    CONTRACT.replace(TRUTH, "truth: {type: double}").replace(
        GATE, 'gate: {rmse: "<= 9"}\nscorecard: {coverage: [0.9, 0.99]}\n'
    ),
    "small.yaml",
)
PLAIN = small()
ROWS = 3_000


def holdout(labels: list[Any], seed: int = 0, **columns: Any) -> pa.Table:
    """Rows with these labels, three an entity."""
    rows = len(labels)
    chance, entity = np.random.default_rng(seed), np.arange(rows) // 3
    table = {
        "row.arrived_at": pa.array(np.arange(rows) * 1_000, pa.int64()),
        "row.group": pa.array(entity % 20, pa.int32()),
        "row.alone": pa.array(np.arange(rows) % 3 == chance.integers(0, 3, rows // 3 + 1)[entity]),
        **columns,
        "label": pa.array(labels),
    }
    return pa.table(table)


def binary(rows: int = ROWS, seed: int = 0, apart: float = 1.5) -> tuple[pa.Table, NDArray[np.float64]]:
    """A holdout of yes and no, and p1; the rule says yes where `size` is great, nothing of each tenth row."""
    chance = np.random.default_rng(seed)
    yes = chance.random(rows) < 0.3
    score = 1 / (1 + np.exp(-(apart * (2.0 * yes - 1) + chance.normal(size=rows)) + 0.8))
    said = [None if n % 10 == 0 else bool(n % 3 == 0) != bool(y) for n, y in enumerate(yes)]
    columns = {"row.fallback": pa.array(said), "row.amount.size": pa.array(np.full(rows, 2.0))}
    return holdout([str(int(y)) for y in yes], seed, **columns), score


def classes(rows: int = ROWS, seed: int = 0) -> tuple[pa.Table, NDArray[np.float64]]:
    """A holdout of three classes, and the probability of each."""
    chance = np.random.default_rng(seed)
    place = chance.choice(3, rows, p=[0.6, 0.3, 0.1])
    weight = np.exp(1.5 * np.eye(3)[place] + chance.normal(size=(rows, 3)))
    return holdout([("a", "b", "c")[p] for p in place], seed), weight / weight.sum(axis=1, keepdims=True)


def numbers(rows: int = ROWS, seed: int = 0) -> tuple[pa.Table, NDArray[np.float64]]:
    """A holdout of numbers, and estimates that are off by N(0, 2)."""
    chance = np.random.default_rng(seed)
    truth = chance.gamma(3, 5, rows)
    return holdout(truth.tolist(), seed), truth + chance.normal(0, 2, rows)
