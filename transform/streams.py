"""What one pipeline's stream job reads, and what each record of it becomes.

Pure: a table of streams (topic, dataset, schema, decoder) built from a contract. Adding a source of
records is one entry in `streams`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pyarrow as pa

from hotpath.contract.decode import Decode, Decoded, Rejected, Skipped, decoder
from hotpath.contract.model import Contract, Events, Labels
from hotpath.errors import BadInput
from hotpath.handoffs import Score, scores_topic
from hotpath.lake import INSTANT, PLACE, Dataset, schema

SCORES = pa.schema(
    [
        ("prediction_id", pa.string()),
        ("pipeline", pa.string()),
        ("entity", pa.string()),
        ("request", pa.string()),
        ("features", pa.string()),
        ("score", pa.float64()),
        ("decision", pa.string()),
        ("threshold", pa.float64()),
        ("bundle", pa.string()),
        ("sequence", pa.int64()),
        ("fingerprint", pa.string()),
        ("asked_at", INSTANT),
        ("answered_at", INSTANT),
        ("degraded", pa.string()),
        *PLACE,
    ]
)
"""Score records as the lake stores them; request, features and degraded flags as JSON text."""

REJECTED_FOLDER = "rejected-1"
"""Names the folder of `hotpath.lake.REJECTED`, as a fingerprint names that of events and labels."""

AS_TEXT = ("request", "features", "degraded")


@dataclass(frozen=True)
class Stream:
    """One topic: its dataset, the lake's schema for it, and the folder that names that schema."""

    topic: str
    dataset: Dataset
    schema: pa.Schema
    fingerprint: str
    decoder: Callable[[], Decode]


def streams(contract: Contract) -> tuple[Stream, ...]:
    """Everything a pipeline lands."""
    return (
        _source("events", contract.events),
        _source("labels", contract.labels),
        Stream(scores_topic(contract.name), "scores", SCORES, "scores-1", lambda: decode_score),
    )


def decode_score(value: bytes | None) -> Decoded | Rejected | Skipped:
    """A score record's columns; never raises."""
    if not value:
        return Skipped()
    try:
        score = Score.from_bytes(value)
        texts = {name: orjson.dumps(getattr(score, name)).decode() for name in AS_TEXT}
    except (BadInput, orjson.JSONEncodeError):  # the second: nested deeper than orjson writes
        return Rejected("message: expected a score record")
    # JSON may spell a double without a point, and Arrow refuses such a number where it is large.
    doubles = {
        "score": None if score.score is None else float(score.score),
        "threshold": float(score.threshold),
    }
    return Decoded({**vars(score), **texts, **doubles}, ())


def _source(dataset: Dataset, source: Events | Labels) -> Stream:
    shape = schema([(f.name, f.type) for f in source.fields])
    return Stream(source.topic, dataset, shape, source.fingerprint[:16], lambda: decoder(source))
