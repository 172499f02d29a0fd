"""The Open Inference Protocol, version 2 (its JSON form): requests in, answers out. Pure.

One tensor a field of the event, all of shape [n]; a nullable field, the id, the host and the time may be left
out; a null stands for a missing value. Owns shapes and names; what a value must be is the contract's to say.
Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md

    {"id": "42", "inputs": [{"name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["UA"]}, …]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from hotpath.clock import SECOND, Micros
from hotpath.contract.model import Contract
from hotpath.contract.types import Type
from hotpath.errors import BadInput, shown
from serve.answer import Answer
from serve.generation import Generation

MOST_ROWS = 64
LONGEST_ID = 256
PLATFORM = "hotpath_mojo"

DATATYPES: Mapping[Type, str] = {
    Type.STRING: "BYTES",
    Type.CATEGORY: "BYTES",
    Type.TIMESTAMP: "BYTES",
    Type.BOOL: "BOOL",
    Type.LONG: "INT64",
    Type.DOUBLE: "FP64",
}
OUTPUTS = (("score", "FP64"), ("decision", "BYTES"))

_REQUEST = {"id", "parameters", "inputs", "outputs"}
_TENSOR = {"name", "datatype", "shape", "data", "parameters"}


@dataclass(frozen=True)
class Question:
    """What a request asks: its id (echoed) and one mapping a row, field name -> value as it came."""

    id: str | None
    rows: tuple[dict[str, object], ...]


def question(body: object, contract: Contract) -> Question:
    """The request in a parsed body. Raises BadInput naming the field that is wrong."""
    request = _object(body, "body", _REQUEST)
    named = request.get("id")
    if named is not None and (not isinstance(named, str) or len(named) > LONGEST_ID):
        raise BadInput("id", named, f"a string of at most {LONGEST_ID} characters")
    tensors = request.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise BadInput("inputs", tensors, "a list with one tensor a field of the event")
    columns = _columns(tensors, contract)
    sizes = {name: len(data) for name, data in columns.items()}
    if len(set(sizes.values())) != 1:
        raise BadInput("inputs", sizes, "tensors of one and the same length")
    rows = zip(*columns.values(), strict=True)
    return Question(named, tuple(dict(zip(columns, row, strict=True)) for row in rows))


def metadata(generation: Generation) -> dict[str, object]:
    """What GET /v2/models/NAME answers."""
    fields = generation.contract.events.fields
    return {
        "name": generation.contract.name,
        "versions": [str(generation.sequence)],
        "platform": PLATFORM,
        "inputs": [{"name": f.name, "datatype": DATATYPES[f.type], "shape": [-1]} for f in fields],
        "outputs": [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in OUTPUTS],
    }


def response(
    generation: Generation, asked: Question, answers: Sequence[Answer], asked_at: Micros
) -> dict[str, object]:
    """What POST /v2/models/NAME/infer answers; `age_s` is the model's age when it was asked."""
    degraded = sorted({flag for a in answers for flag in a.degraded})
    answer: dict[str, object] = {
        "model_name": generation.contract.name,
        "model_version": str(generation.sequence),
        "parameters": {
            "prediction_ids": [a.prediction_id for a in answers],
            "sequence": generation.sequence,
            "bundle": generation.bundle,
            "fingerprint": generation.contract.fingerprint,
            "threshold": generation.threshold,
            "asked_at": asked_at,
            "age_s": (asked_at - generation.trained_at) / SECOND,
            "degraded": degraded,
        },
        "outputs": [
            _output("score", "FP64", [a.score for a in answers]),
            _output("decision", "BYTES", [a.decision for a in answers]),
        ],
    }
    return answer if asked.id is None else {**answer, "id": asked.id}


def _columns(tensors: list[object], contract: Contract) -> dict[str, list[object]]:
    datatypes = {f.name: DATATYPES[f.type] for f in contract.events.fields}
    columns: dict[str, list[object]] = {}
    for position, raw in enumerate(tensors):
        tensor = _object(raw, f"inputs[{position}]", _TENSOR)
        name = tensor.get("name")
        if not isinstance(name, str) or name not in datatypes:
            raise BadInput(_shown_name(name, position), name, f"a field of the event: {', '.join(datatypes)}")
        if name in columns:
            raise BadInput(name, None, "one tensor, not two")
        columns[name] = _data(name, tensor, datatypes[name])
    return columns


def _double(value: object) -> object:
    """JSON's whole numbers are doubles too; one beyond a double's range is infinite, which no field takes."""
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return inf


def _data(name: str, tensor: Mapping[str, object], datatype: str) -> list[object]:
    if tensor.get("datatype") != datatype:
        raise BadInput(name, tensor.get("datatype"), f"datatype {datatype}")
    data, shape = tensor.get("data"), tensor.get("shape")
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_ROWS:
        raise BadInput(name, data, f"data: a flat list of 1 to {MOST_ROWS} values")
    if not isinstance(shape, list) or [type(n) for n in shape] != [int] or shape != [len(data)]:
        raise BadInput(name, shape, f"shape [{len(data)}], the length of its data")
    return [_double(value) for value in data] if datatype == "FP64" else data


def _object(value: object, thing: str, known: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadInput(thing, value, f"an object with {', '.join(sorted(known))}")
    for key in value:
        if key not in known:
            raise BadInput(f"{thing}.{shown(key, 64)}", key, f"one of {', '.join(sorted(known))}")
    return value


def _shown_name(name: object, position: int) -> str:
    return shown(name, 64) if isinstance(name, str) else f"inputs[{position}].name"


def _output(name: str, datatype: str, data: list[object]) -> dict[str, object]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}
