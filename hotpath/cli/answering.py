"""A bundle in a process of its own, as a scorer has it: `python -m hotpath.cli.answering FOLDER`.

Reads FOLDER/bundle.zip, verify.pem and rows.jsonl, loads the bundle and asks it each row twice: as an event
(the topic's bytes) and as a request (the protocol's body). Leaves FOLDER/answered.json: what was measured
and what was wrong. A process of its own, for a JVM lives in it, and its memory is measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from statistics import median

import psutil

from hotpath.bundle import opened
from hotpath.clock import Clock
from hotpath.contract.decode import Decoded, decoder
from hotpath.contract.parts import Field
from hotpath.contract.tensors import DATATYPES
from hotpath.contract.types import ARRAYS, Type, Value
from hotpath.contract.used import unread
from hotpath.errors import BadInput
from hotpath.keys import verify_key
from hotpath.people import samples
from hotpath.people.wire import request
from serve import engine
from serve.answer import INVALID, NO_SCORE, Answer, answer
from serve.generation import Generation, build
from serve.infer import question
from serve.state import Held

WARM_UP = 2_000
"""Rows until the JVM has compiled what a request runs."""
Row = dict[str, Value]


@dataclass(frozen=True)
class Answered:
    """`measured` by the budget's names; `wrong` by test, empty lists where all held; rows that were asked."""

    rows: int
    measured: dict[str, float]
    wrong: dict[str, list[str]] = field(default_factory=dict)


def main(argv: Sequence[str]) -> int:
    """Answer the rows in the folder that `argv` names."""
    folder = Path(argv[0])
    found = asked(folder, Clock().elapsed)
    (folder / "answered.json").write_text(json.dumps(asdict(found)))
    return 0


def asked(folder: Path, elapsed: Callable[[], float]) -> Answered:
    """What became of the rows. Raises BadArtifact where the bundle does not load."""
    engine.start(engine.JARS)
    packed = (folder / "bundle.zip").read_bytes()
    began = elapsed()
    bundle = opened(packed, verify_key(folder / "verify.pem"))
    generation = build(bundle, 1, str(bundle.facts["pipeline"]), engine.load)
    loaded = elapsed() - began
    rows = list(_decoded(generation, samples.lines(folder / "rows.jsonl")))
    answers = [_answer(generation, row) for row in rows]
    wrong = {
        "a request gives the features of the event": list(_other_features(generation, rows, answers)),
        "every row has a score": [a.prediction_id for a in answers if not _scored(a)],
        "every answer is as the contract declares": [
            flag for a in answers for flag in a.degraded if flag.startswith(f"{INVALID}:")
        ],
        "a wrong value is refused by the field's name": list(_unrefused(generation, rows[0])),
    }
    measured = {
        "row_us": _row_us(generation, rows, elapsed),
        "load_ms": loaded * 1e3,
        "memory_mib": psutil.Process().memory_info().rss / 2**20,
    }
    return Answered(len(rows), measured, wrong)


def _decoded(generation: Generation, lines: Sequence[bytes]) -> Iterator[Row]:
    """The rows that decode; what they read of tiles is null."""
    decode, nothing_read = decoder(generation.contract.events), unread(generation.contract.features)
    return ({**nothing_read, **found.values} for found in map(decode, lines) if isinstance(found, Decoded))


def _answer(generation: Generation, row: Row) -> Answer:
    """The answer to a row that is sent as a request, at the row's own time."""
    asked = question(request(generation.contract.events.fields, [row]), generation)
    at = row[generation.contract.events.time]
    name = str(row[generation.contract.events.id])
    held = Held({reading: row[reading] for reading in generation.reads.names}, {})
    return answer(generation, asked.rows[0], at if isinstance(at, int) else 0, name, held=held)


def _other_features(generation: Generation, rows: Sequence[Row], answers: Sequence[Answer]) -> Iterator[str]:
    for row, answered in zip(rows, answers, strict=True):
        named = zip(generation.contract.features, generation.features(row), answered.features, strict=True)
        for feature, of_event, of_request in named:
            if of_event != of_request:
                yield f"{feature.name} of {answered.prediction_id}: {of_event!r}, asked {of_request!r}"


def _scored(answered: Answer) -> bool:
    return answered.score is not None and isfinite(answered.score) and NO_SCORE not in answered.degraded


def _unrefused(generation: Generation, row: Row) -> Iterator[str]:
    """Fields whose value may be of a wrong type, and nobody says so by the field's name."""
    for spoiled in generation.contract.events.fields:
        body = request(generation.contract.events.fields, [row])
        _spoil(body, spoiled)
        try:
            answer(generation, question(body, generation).rows[0], 0, "spoiled")
            yield f"{spoiled.name}: a wrong value was taken"
        except BadInput as error:
            if error.thing != spoiled.name:
                yield f"{spoiled.name}: the error names {error.thing}"


def _spoil(body: dict[str, object], spoiled: Field) -> None:
    """Put into the field's tensor what no value of its type can be."""
    tensors = body["inputs"]
    assert isinstance(tensors, list)
    tensor = next(t for t in tensors if t["name"] == spoiled.name)
    texts = spoiled.type in ARRAYS.values() or DATATYPES[spoiled.type] != "BYTES" or spoiled.type in _SPELT
    tensor["data"] = ["no such value"] if texts else [17]


_SPELT = (Type.TIMESTAMP, Type.DURATION)


def _row_us(generation: Generation, rows: Sequence[Row], elapsed: Callable[[], float]) -> float:
    for number in range(WARM_UP):
        generation.model(generation.features(rows[number % len(rows)]))
    taken = []
    for row in rows:
        began = elapsed()
        generation.model(generation.features(row))
        taken.append(elapsed() - began)
    return median(taken) * 1e6


if __name__ == "__main__":
    engine.live_and_leave(main)
