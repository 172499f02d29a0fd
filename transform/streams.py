"""What one pipeline's stream job reads, and what each record of it becomes.

Pure: a table of streams (topic, dataset, schema, decoder) built from a contract. Adding a source of
records is one entry in `streams`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import orjson
import pyarrow as pa

from hotpath.contract.decode import Decode, Decoded, Rejected, Skipped, decoder
from hotpath.contract.model import Contract
from hotpath.contract.parts import Source
from hotpath.errors import BadInput
from hotpath.handoffs import Score, scores_topic
from hotpath.lake import INSTANT, PLACE, Dataset, schema
from transform.columns import Take, take

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
        ("predicted", pa.string()),
        ("scores", pa.string()),
        ("parameters", pa.string()),
        ("tiles", pa.string()),
        *PLACE,
    ]
)
"""Score records as the lake stores them; what is no scalar as JSON text."""
SCORES_FOLDER = "scores-3"
"""Names the folder of SCORES: it grows with every change to them."""

REJECTED_FOLDER = "rejected-1"
"""Names the folder of `hotpath.lake.REJECTED`, as a fingerprint names that of events and labels."""

AS_TEXT = ("request", "features", "degraded", "scores", "parameters", "tiles")


def nothing() -> None:
    """The quick way of a stream that has none."""


@dataclass(frozen=True)
class Stream:
    """One topic: its dataset, the lake's schema for it, and the folder that names that schema.

    `consent` names the field without whose consent nothing of a record is kept but its place. `take` is the
    quick way for records that are surely well, where there is one.
    """

    topic: str
    dataset: Dataset
    schema: pa.Schema
    fingerprint: str
    decoder: Callable[[], Decode]
    consent: str | None = None
    take: Callable[[], Take | None] = nothing


def streams(contract: Contract) -> tuple[Stream, ...]:
    """Everything a pipeline lands; the dataset of a further stream is called like it."""
    return (
        _source("events", contract.events, contract.events.consent),
        _source("labels", contract.labels),
        *(_source(stream.name, stream) for stream in contract.streams),
        Stream(scores_topic(contract.name), "scores", SCORES, SCORES_FOLDER, lambda: decode_score),
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
    numbers = {"score": score.score, "threshold": score.threshold}
    doubles = {name: None if number is None else float(number) for name, number in numbers.items()}
    return Decoded({**vars(score), **texts, **doubles}, ())


def _source(dataset: Dataset, source: Source, consent: str | None = None) -> Stream:
    shape = schema([(f.name, f.type) for f in source.fields], {f.name: f.unit for f in source.fields})
    # Whoever does not consent is looked for record by record.
    quick = partial(take, source) if consent is None else nothing
    return Stream(
        source.topic, dataset, shape, source.fingerprint[:16], lambda: decoder(source), consent, quick
    )
