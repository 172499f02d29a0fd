"""Asking the scorer from the command line, over the Open Inference Protocol v2."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import orjson

from hotpath.errors import BadConfig, BadInput, Unavailable


def ask(url: str, pipeline: str, body: bytes) -> Any:
    """The scorer's answer. Raises Unavailable where it is away, BadConfig where it does not know the
    pipeline, BadInput where it refuses.
    """
    where = f"{url}/v2/models/{quote(pipeline, safe='')}/infer"
    try:
        answer = httpx.post(where, content=body, headers={"Content-Type": "application/json"}, timeout=10)
    except httpx.HTTPError as error:
        raise Unavailable(where, str(error), "a scorer that answers", "start it: hotpath demo") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unavailable(where, answer.text, "an answer", "hotpath status")
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise BadConfig("pipeline", pipeline, "one that is served", "see config/pipelines")
    if answer.status_code != httpx.codes.OK:
        raise BadInput("the request", answer.text, "one that the scorer accepts")
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise Unavailable(where, answer.text, "a scorer's answer", "is it another program's port?") from error
