"""A run's folder as the window's builder would leave it, without Spark: small, and hard on a model.

Its rows have nulls, a category of thirty levels, a column that is null in the whole window and one that never
changes. The rows that are asked (holdout and golden ones) have levels that were never met and numbers as far
as a double goes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hotpath.clock import HOUR, MINUTE, Micros
from hotpath.contract.model import Contract
from hotpath.contract.parts import Kind
from train.account import Account, Side, Span
from train.folder import Folder

NOW: Micros = 1_780_000_000_000_000
CLASSES: Mapping[Kind, tuple[str, ...]] = {
    "binary": ("0", "1"),
    "classes": ("air", "rail", "road", "sea"),
    "number": (),
}
_TARGETS: Mapping[Kind, str] = {
    "binary": "bool",
    "classes": "category, levels: [air, rail, road, sea]",
    "number": "double",
}
_GATES: Mapping[Kind, str] = {
    "binary": 'auc: ">= 0.5"',
    "classes": 'accuracy: ">= 0"',
    "number": 'mae: "<= 1000000"',
}
_CONTRACT = """
name: goods
question: How will it go?
events:
  topic: goods.asked
  id: id
  entity: good
  host: host
  time: time
  fields:
    id: {{type: string}}
    good: {{type: string}}
    host: {{type: string}}
    time: {{type: timestamp}}
    mass: {{type: double, nullable: true}}
    size: {{type: double, nullable: true}}
    void: {{type: double, nullable: true}}
    same: {{type: double}}
    kind: {{type: category, nullable: true}}
    port: {{type: category, nullable: true}}
labels:
  topic: goods.sent
  entity: good
  fields: {{good: {{type: string}}, way: {{type: {target}}}}}
  target: way
  horizon: 12h
features: {{mass: mass, size: size, void: void, same: same, kind: kind, port: port}}
train: {{window: 30d, holdout: 20%, retrain_every: 2h{search}}}
gate: {{{gate}}}
serve: {{fresh: 3h, expired: 24h}}
"""
FEATURES = {"mass": "real", "size": "real", "void": "real", "same": "real", "kind": "enum", "port": "enum"}
_EXTREMES = (None, 1e308, -1e308, 5e-324, 0.0, -0.0, 1e18, -1e-300)
_STRANGE = "never met"
Row = dict[str, float | str | None]


def contract(kind: Kind, search: str = "") -> Contract:
    """`search`: the contract's train.search, such as `{every: 24h, budget: 10s, algorithms: [gbm]}`."""
    said = f", search: {search}" if search else ""
    text = _CONTRACT.format(target=_TARGETS[kind], search=said, gate=_GATES[kind])
    return Contract.from_yaml(text, "goods.yaml")


def window(
    place: Path, kind: Kind, search: str = "", rows: int = 2_000, weights: Sequence[float] = (1.0,)
) -> Folder:
    """The folder of a run whose window is built: so many training rows, 500 asked ones, 3 slices."""
    folder, made = Folder(place).begun(contract(kind, search).canonical()), contract(kind, search)
    draw = random.Random(3)
    train, asked = [_row(draw) for _ in range(rows)], [strange(draw, n) for n in range(500)]
    slices: dict[str, Sequence[object]] = {
        "row.weight": [draw.choice(weights) for _ in train],
        "row.slice": _slices(rows),
    }
    groups = [n // 2 % 20 for n in range(rows)]
    _write(
        folder, "train", table(train, {**slices, "row.group": groups, "label": _labels(kind, train, draw)})
    )
    facts: dict[str, Sequence[object]] = {
        "row.arrived_at": [NOW - HOUR + n for n in range(len(asked))],
        "row.group": [n % 20 for n in range(len(asked))],
        "row.alone": [True] * len(asked),
        "label": _labels(kind, asked, draw),
    }
    _write(folder, "holdout", table(asked, facts))
    _write(folder, "golden", table(asked[::-1], {"event.id": [f"e{n}" for n in range(len(asked))]}))
    sides: dict[Side, int] = {"train": rows, "holdout": len(asked)}
    account = Account(
        Span(NOW - made.train.window, NOW), kind, sides, {}, {}, {}, {}, (0,), {},
        slices=tuple(NOW - n * MINUTE for n in (30, 20, 10)),
    )  # fmt: skip
    folder.account.write_bytes(account.to_bytes())
    return folder


def table(rows: Sequence[Row], more: Mapping[str, Sequence[object]]) -> pa.Table:
    """Rows as columns feature.NAME, and what stands beside them."""
    types = {"real": pa.float64(), "enum": pa.string()}
    found = {
        f"feature.{name}": pa.array([row[name] for row in rows], types[FEATURES[name]]) for name in FEATURES
    }
    return pa.table({**found, **{name: pa.array(column) for name, column in more.items()}})


def vectors(rows: pa.Table) -> list[tuple[float | str | None, ...]]:
    """The rows as the engine is asked."""
    return list(zip(*(rows[f"feature.{name}"].to_pylist() for name in FEATURES), strict=True))


def _row(draw: random.Random) -> Row:
    return {
        "mass": None if draw.random() < 0.1 else draw.gauss(0, 1),
        "size": None if draw.random() < 0.05 else draw.expovariate(0.01),
        "void": None,
        "same": 1.0,
        "kind": None if draw.random() < 0.1 else draw.choices("xyz", (6, 3, 1))[0],
        "port": f"p{draw.randrange(30):02d}",
    }


def strange(draw: random.Random, number: int) -> Row:
    """A row as it may be asked, and as none was in the window."""
    row = _row(draw)
    ways: tuple[tuple[int, str, float | str | None], ...] = (
        (3, "mass", _EXTREMES[number % len(_EXTREMES)]),
        (5, "size", _EXTREMES[number // 5 % len(_EXTREMES)]),
        (7, "kind", _STRANGE),
        (11, "port", None),
        (13, "port", _STRANGE),
        (17, "same", None),
        (19, "same", 7.0),
        (4, "void", 3.0),
    )
    return {**row, **{name: value for every, name, value in ways if number % every == 0}}


def _labels(kind: Kind, rows: Sequence[Row], draw: random.Random) -> list[object]:
    """By mass, kind and port, with noise; nothing ever went by road."""
    say: Mapping[Kind, Callable[[float], object]] = {
        "binary": lambda s: str(int(s > 1)),
        "classes": lambda s: "air" if s < 0 else "rail" if s < 1.2 else "sea",
        "number": lambda s: 30 * s,
    }
    return [say[kind](_size(row) + draw.gauss(0, 1)) for row in rows]


def _size(row: Row) -> float:
    mass, port = row["mass"], row["port"]
    known = float(mass) if mass is not None and abs(float(mass)) < inf and abs(float(mass)) < 1e6 else 0.0
    number = int(str(port)[1:]) if port is not None and port != _STRANGE else 0
    return known + (row["kind"] == "x") + 0.3 * (number % 3)


def _slices(rows: int) -> list[float]:
    """Two thirds to learn from, then three slices; every tenth row's label had not arrived."""
    return [-1.0 if n % 10 == 9 else max(0.0, 9 * n // rows - 5.0) for n in range(rows)]


def _write(folder: Folder, part: str, rows: pa.Table) -> None:
    place = folder.path / f"{part}.parquet"
    place.mkdir()
    half = rows.num_rows // 2
    pq.write_table(rows.slice(0, half), place / "part-0.parquet")
    pq.write_table(rows.slice(half), place / "part-1.parquet")
