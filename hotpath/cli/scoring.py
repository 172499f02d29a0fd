"""Asking the scorer from the command line, over the Open Inference Protocol v2."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import orjson

from hotpath.contract.model import Contract
from hotpath.errors import BadInput, Unavailable

DATATYPES = {"string": "BYTES", "category": "BYTES", "timestamp": "BYTES", "double": "FP64", "long": "INT64"}
EXAMPLES: dict[str, Any] = {
    "category": "example",
    "string": "example",
    "bool": True,
    "timestamp": "2030-01-01T12:00:00Z",
}


def example_request(contract: Contract) -> dict[str, object]:
    """A valid question made from the contract: every required field but those the scorer fills."""
    filled = {contract.events.id, contract.events.host, contract.events.time}
    wanted = [f for f in contract.events.fields if not f.nullable and f.name not in filled]
    inputs = [
        {
            "name": f.name,
            "shape": [1],
            "datatype": DATATYPES.get(f.type, "BOOL"),
            "data": [EXAMPLES.get(f.type, f.min if f.min is not None else 1)],
        }
        for f in wanted
    ]
    return {"inputs": inputs}


def ask(url: str, pipeline: str, body: bytes) -> Any:
    """The scorer's answer. Raises Unavailable where it is away, BadInput where it refuses."""
    where = f"{url}/v2/models/{quote(pipeline, safe='')}/infer"
    try:
        answer = httpx.post(where, content=body, headers={"Content-Type": "application/json"}, timeout=10)
    except httpx.HTTPError as error:
        raise Unavailable(where, str(error), "a scorer that answers", "start it: hotpath demo") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unavailable(where, answer.text, "an answer", "hotpath status")
    if answer.status_code != httpx.codes.OK:
        raise BadInput("the request", answer.text, "one that the scorer accepts")
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise Unavailable(where, answer.text, "a scorer's answer", "is it another program's port?") from error
