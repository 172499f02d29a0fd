"""Answers and labels as columns, and which label counts for which answer. Pure: tables in, arrays out.

A label counts for an answer of its entity if it arrived from the question on and within the contract's
horizon; of several the newest by (arrived_at, partition, offset) does, so that a revision changes an outcome.
The bounds are the training window's (`train.window`): what is measured live is what was taught.

    question ├──────────── horizon ───────────┤
                 label 1      label 2             label 3
                              └ counts            └ too late

A truth is a number whatever the target: 0 or 1, the place of a class among the contract's, the number itself.
Ids and entities are kept as 64 bits of their BLAKE2b: of ten million, two share one with a chance of 3 in a
million, and then one outcome of millions is wrong.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hotpath.clock import Micros
from hotpath.contract.parts import Labels

Rows = NDArray[np.void]
"""Rows of one of the types below."""

_PLACE = [("arrived_at", "<i8"), ("partition", "<i4"), ("offset", "<i8")]
ANSWER = np.dtype(
    [
        ("id", "<u8"),
        ("entity", "<u8"),
        ("score", "<f8"),
        ("threshold", "<f8"),
        ("sequence", "<i8"),
        ("asked_at", "<i8"),
        *_PLACE,
    ]
)
"""An answer; a score that was null (or no number) is NaN, an entity that was null is NOBODY."""
LABEL = np.dtype([("entity", "<u8"), ("target", "<f8"), *_PLACE])
NOBODY = 0
"""The key of no entity: no label has it."""
UNKNOWN = np.nan
"""The truth of an answer that has no label."""

SCORE_COLUMNS = (
    "prediction_id", "entity", "score", "threshold", "bundle", "sequence", "asked_at",
    "arrived_at", "partition", "offset",
)  # fmt: skip
"""What `answers` and `bundles` need of the lake's scores."""
CLASS_COLUMNS = ("predicted", "scores")
"""And beside them of many classes; records of before they were known lack them."""


def answer_type(labels: Labels) -> np.dtype[np.void]:
    """ANSWER, and of many classes the probability of each; NaN where they are not known."""
    if labels.kind != "classes":
        return ANSWER
    return np.dtype([*ANSWER.descr, ("scores", "<f8", (len(labels.classes),))])


def label_columns(labels: Labels) -> tuple[str, ...]:
    """What `told` needs of the lake's labels."""
    return labels.entity, labels.target, "arrived_at", "partition", "offset"


def answers(scores: pa.Table, labels: Labels) -> Rows:
    """Score records as rows of `answer_type`."""
    rows = np.zeros(len(scores), answer_type(labels))
    if len(scores):
        score = _numbers(scores["score"], pa.float64(), np.nan)
        rows["id"], rows["entity"] = keys(scores["prediction_id"]), keys(scores["entity"])
        rows["score"] = np.where(np.isfinite(score), score, np.nan)
        rows["threshold"] = _numbers(scores["threshold"], pa.float64(), np.nan)
        rows["sequence"] = _numbers(scores["sequence"], pa.int64(), 0)
        rows["asked_at"] = _numbers(scores["asked_at"], pa.int64(), 0)
        _place(rows, scores)
        if labels.kind == "classes":
            rows["scores"] = _by_class(scores, labels.classes)
            rows["score"] = np.where(np.isnan(rows["scores"]).any(axis=1), np.nan, rows["score"])
    return rows


def told(labels: pa.Table, contract: Labels) -> Rows:
    """Label records as rows of LABEL; without a truth that the contract knows one tells nothing: left out."""
    known = labels.filter(pc.is_valid(labels[contract.target])) if len(labels) else labels
    rows = np.zeros(len(known), LABEL)
    if len(known):
        rows["entity"] = keys(known[contract.entity])
        rows["target"] = _truths(known[contract.target], contract)
        _place(rows, known)
    told: Rows = rows[~np.isnan(rows["target"])]
    return told


def bundles(scores: pa.Table) -> dict[int, str]:
    """The bundle that each sequence names."""
    if not len(scores):
        return {}
    pairs = scores.select(["sequence", "bundle"]).group_by(["sequence", "bundle"]).aggregate([])
    return dict(zip(pairs["sequence"].to_pylist(), pairs["bundle"].to_pylist(), strict=True))


def keys(texts: pa.ChunkedArray) -> NDArray[np.uint64]:
    """64 bits a text, NOBODY for null; each distinct text is hashed once."""
    encoded = texts.combine_chunks().dictionary_encode()
    hashed = np.array([NOBODY, *map(_key, encoded.dictionary.to_pylist())], np.uint64)
    places: NDArray[np.int64] = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return hashed[places + 1]


def once(answered: Rows) -> Rows:
    """Each prediction id once, sorted by id: of two records the first to arrive, whichever landed first."""
    found = answered[np.argsort(answered["id"], kind="stable")]
    if not (again := _again(found)).any():  # nearly always: sorting by one column takes a quarter of by four
        return found
    order = np.lexsort((found["offset"], found["partition"], found["arrived_at"], found["id"]))
    return found[order][~again]  # sorted further, the ids stand as they stood


def targets(answered: Rows, labels: Rows, horizon: Micros) -> NDArray[np.float64]:
    """The truth of each answer, UNKNOWN where no label counts for it (yet)."""
    if not len(labels):
        return np.full(len(answered), UNKNOWN)
    order = np.lexsort((labels["offset"], labels["partition"], labels["arrived_at"], labels["entity"]))
    known = labels[order]
    newest = _newest(known, answered["entity"], answered["asked_at"] + horizon)
    found = known[np.maximum(newest, 0)]
    counts = (newest >= 0) & (found["entity"] == answered["entity"])
    counts &= found["arrived_at"] >= answered["asked_at"]
    return np.where(counts, found["target"], UNKNOWN)


def _again(found: Rows) -> NDArray[np.bool_]:
    """Which rows (sorted by id) have the id of the row before."""
    again = np.zeros(len(found), bool)
    again[1:] = found["id"][1:] == found["id"][:-1]
    return again


def _newest(known: Rows, entity: NDArray[Any], until: NDArray[Any]) -> NDArray[np.int64]:
    """Place in `known` (sorted) of the last label at or before (entity, until); -1 where there is none.

    Entity and instant become one number, their ranks side by side, so that one binary search finds both.
    """
    entities, instants = np.unique(known["entity"]), np.unique(known["arrived_at"])
    width = len(instants) + 1

    def place(entity: NDArray[Any], at: NDArray[Any]) -> NDArray[np.int64]:
        rank = np.searchsorted(instants, at, side="right")
        return np.searchsorted(entities, entity).astype(np.int64) * width + rank

    found = np.searchsorted(place(known["entity"], known["arrived_at"]), place(entity, until), side="right")
    return found - 1


def _place(rows: Rows, table: pa.Table) -> None:
    for name, kind in (("arrived_at", pa.int64()), ("partition", pa.int32()), ("offset", pa.int64())):
        rows[name] = _numbers(table[name], kind, 0)


def _truths(column: pa.ChunkedArray, labels: Labels) -> NDArray[np.float64]:
    if labels.kind != "classes":  # a whole number beyond a double's digits is the nearest one
        return _numbers(column.cast(pa.float64(), safe=False), pa.float64(), UNKNOWN)
    return _numbers(pc.index_in(column, pa.array(labels.classes)), pa.float64(), UNKNOWN)


def _by_class(scores: pa.Table, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """A row an answer, NaN where its probabilities are not those of these classes: an older contract's."""
    found = np.full((len(scores), len(classes)), np.nan)
    told = zip(scores["scores"].to_pylist(), scores["predicted"].to_pylist(), strict=True)
    for place, (text, predicted) in enumerate(told):
        row = _probabilities(text)
        if len(row) == len(classes) and classes[int(np.argmax(row))] == predicted:
            found[place] = row
    return found


def _probabilities(text: str | None) -> list[float]:
    match orjson.loads(text or "[]"):
        case [*row] if all(isinstance(p, float | int) for p in row):
            return row
    return []


def _numbers(column: pa.ChunkedArray, kind: pa.DataType, null: float) -> NDArray[Any]:
    values: NDArray[Any] = pc.fill_null(column.cast(kind), pa.scalar(null, kind)).to_numpy()
    return values


def _key(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") or 1
