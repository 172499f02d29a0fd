"""The Open Inference Protocol, version 2 (its JSON form): requests in, answers out. Pure.

One tensor a field of the event, nested ones by their dotted names, all of shape [n]; a nullable field, one
with a default, the id, the host and the time may be left out; a null stands for a missing value. What the
protocol has no type for travels as BYTES: an instant in RFC 3339, a duration in ISO 8601, an array as the
text of its JSON. The request's own `parameters` are the contract's, as plain JSON, one set for all rows. Owns
shapes and names; what a value must be is the contract's to say.
Source: https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md

    {"id": "42", "parameters": {"channel": "web"},
     "inputs": [{"name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["UA"]},
                {"name": "device.tags", "datatype": "BYTES", "shape": [1], "data": ["[\\"new\\"]"]}, …]}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import orjson

from hotpath.clock import SECOND, Micros
from hotpath.contract.parts import Field
from hotpath.contract.tensors import DATATYPES, LONGEST_ID, MOST_ROWS
from hotpath.contract.types import ARRAYS, Type, Value
from hotpath.errors import BadInput, shown
from serve import strict_json
from serve.answer import Answer, Parameters
from serve.generation import Generation

PLATFORM = "hotpath_mojo"

_REQUEST = {"id", "parameters", "inputs", "outputs"}
_TENSOR = {"name", "datatype", "shape", "data", "parameters"}
_AN_ARRAY = "the text of a JSON array"


@dataclass(frozen=True)
class Question:
    """What a request asks: its id (echoed) and one mapping a row, field name -> value as it came.

    `parameters`: the declared ones that came, checked; `unknown`: how many tensors and parameters were passed
    over.
    """

    id: str | None
    rows: tuple[dict[str, object], ...]
    parameters: Parameters
    unknown: int = 0


def question(body: object, generation: Generation) -> Question:
    """The request in a parsed body. Raises BadInput naming the field that is wrong."""
    request = _object(body, "body", _REQUEST)
    named = request.get("id")
    if named is not None and (not isinstance(named, str) or len(named) > LONGEST_ID):
        raise BadInput("id", named, f"a string of at most {LONGEST_ID} characters")
    tensors = request.get("inputs")
    if not isinstance(tensors, list) or not tensors:
        raise BadInput("inputs", tensors, "a list with one tensor a field of the event")
    columns, passed_over = _columns(tensors, generation)
    sizes = {name: len(data) for name, data in columns.items()}
    if len(set(sizes.values())) != 1:
        raise BadInput("inputs", sizes, "tensors of one and the same length")
    rows = tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    parameters, strangers = _parameters(request.get("parameters", {}), generation)
    return Question(named, rows, parameters, passed_over + strangers)


def metadata(generation: Generation) -> dict[str, object]:
    """What GET /v2/models/NAME answers; `parameters`: what a request's own may hold."""
    contract = generation.contract
    return {
        "name": contract.name,
        "versions": [str(generation.sequence)],
        "platform": PLATFORM,
        "inputs": [_declared(field) for field in contract.events.fields],
        "outputs": [_declared(field) for field in generation.response],
        "parameters": {field.name: field.type.value for field in contract.serve.parameters},
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
            "accept_below": generation.cuts.accept_below if generation.cuts else None,
            "asked_at": asked_at,
            "age_s": (asked_at - generation.trained_at) / SECOND,
            "degraded": degraded,
        },
        "outputs": [_output(field, answers) for field in generation.response],
    }
    return answer if asked.id is None else {**answer, "id": asked.id}


def _columns(tensors: list[object], generation: Generation) -> tuple[dict[str, list[object]], int]:
    """Values by field, and how many tensors were passed over because the contract does not name them."""
    fields = {f.name: f for f in generation.contract.events.fields}
    ignores = generation.contract.serve.unknown == "ignore"
    columns: dict[str, list[object]] = {}
    passed_over = 0
    for position, raw in enumerate(tensors):
        tensor = _object(raw, f"inputs[{position}]", _TENSOR)
        name = tensor.get("name")
        if isinstance(name, str) and name not in fields and ignores:
            passed_over += 1
            continue
        if not isinstance(name, str) or name not in fields:
            raise BadInput(_shown_name(name, position), name, f"a field of the event: {', '.join(fields)}")
        if name in columns:
            raise BadInput(name, None, "one tensor, not two")
        columns[name] = _data(fields[name], tensor)
    return columns, passed_over


def _parameters(sent: object, generation: Generation) -> tuple[Parameters, int]:
    """The declared ones as they came, and how many others. Raises BadInput naming `parameters.NAME`."""
    if not isinstance(sent, dict):
        raise BadInput("parameters", sent, "an object of the model's parameters")
    generation.parameters(sent)
    known = {f.name: sent[f.name] for f in generation.contract.serve.parameters if f.name in sent}
    return known, len(sent) - len(known)


def _data(field: Field, tensor: Mapping[str, object]) -> list[object]:
    name, datatype = field.name, DATATYPES[field.type]
    if tensor.get("datatype") != datatype:
        raise BadInput(name, tensor.get("datatype"), f"datatype {datatype}")
    data, shape = tensor.get("data"), tensor.get("shape")
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_ROWS:
        raise BadInput(name, data, f"data: a flat list of 1 to {MOST_ROWS} values")
    if not isinstance(shape, list) or [type(n) for n in shape] != [int] or shape != [len(data)]:
        raise BadInput(name, shape, f"shape [{len(data)}], the length of its data")
    read = _READ.get(field.type)
    return data if read is None else [None if value is None else read(name, value) for value in data]


def _double(_: str, value: object) -> object:
    """JSON's whole numbers are doubles too; one beyond a double's range is infinite, which no field takes."""
    try:
        return float(value) if type(value) is int else value
    except OverflowError:
        return inf


def _array(name: str, value: object) -> object:
    try:
        found = strict_json.parse(value.encode()) if isinstance(value, str) else None
    except BadInput as error:
        raise BadInput(name, value, _AN_ARRAY) from error
    if not isinstance(found, list):
        raise BadInput(name, value, _AN_ARRAY)
    return found


_READ: Mapping[Type, Callable[[str, object], object]] = {
    Type.DOUBLE: _double,
    **dict.fromkeys(ARRAYS.values(), _array),
}
"""What a tensor's value is made into before it is checked; others are checked as they come."""


def _object(value: object, thing: str, known: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadInput(thing, value, f"an object with {', '.join(sorted(known))}")
    for key in value:
        if key not in known:
            raise BadInput(f"{thing}.{shown(key, 64)}", key, f"one of {', '.join(sorted(known))}")
    return value


def _shown_name(name: object, position: int) -> str:
    return shown(name, 64) if isinstance(name, str) else f"inputs[{position}].name"


def _declared(field: Field) -> dict[str, object]:
    return {"name": field.name, "datatype": DATATYPES[field.type], "shape": [-1]}


def _output(field: Field, answers: Sequence[Answer]) -> dict[str, object]:
    data = [_said(answer.outputs[field.name]) for answer in answers]
    return {"name": field.name, "datatype": DATATYPES[field.type], "shape": [len(data)], "data": data}


def _said(value: Value) -> Value:
    return orjson.dumps(value).decode() if isinstance(value, list) else value
