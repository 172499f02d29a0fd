"""JSON records: strict about UTF-8, NaN, surrogates, depth, and keys that come twice. Pure."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from hotpath.contract.parts import Source
from hotpath.contract.records import Decoded, Read, flattened
from hotpath.errors import BadConfig, BadInput


def json_records(source: Source) -> Read:
    """The reader of JSON objects. Raises BadConfig where a schema file is given: it needs none."""
    if source.schema is not None:
        raise BadConfig("schema", source.schema[:80], "no schema file: the decoder json needs none")
    checked = flattened(source)
    return lambda raw: checked(_parsed(raw, checked))


# orjson, because it is strict about UTF-8, NaN, surrogates and depth and takes a third of the time of json
# with an object_pairs_hook; what it does not see is a key that comes twice.
def _parsed(raw: bytes, checked: Callable[[Mapping[str, Any]], Decoded]) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        _explain(raw, checked)
        raise BadInput("message", None, "JSON") from None
    if not isinstance(found, dict):
        raise BadInput("message", None, "an object")
    # Without escaped quotes every quote belongs to a key or to a text value, so a key that came twice leaves
    # two quotes more than the keys and texts that were kept explain.
    quotes = raw.count(b'"')
    texts = list(map(type, found.values())).count(str)
    if quotes != 2 * (len(found) + texts) and quotes != 2 * _texts(found):
        _refuse_twice(raw)
    return found


def _texts(found: dict[str, Any]) -> int:
    """Keys and texts at any depth; a stack, because what is nested is as deep as its sender likes."""
    count, todo = 0, list[Any]([found])
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            count += len(value)
            todo += value.values()
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, str):
            count += 1
    return count


_TOKEN = re.compile(rb'("(?:[^"\\]|\\.)*")\s*(:?)|[{}]')


def _refuse_twice(raw: bytes) -> None:
    """Raise BadInput where an object of `raw` (JSON that parses) has a key twice."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(raw):
        if token[0] == b"{":
            objects.append(set())
        elif token[0] == b"}":
            objects.pop()
        elif token[2]:
            key = orjson.loads(token[1])
            if key in objects[-1]:
                raise BadInput("message", None, "each key once")
            objects[-1].add(key)


def _explain(raw: bytes, checked: Callable[[Mapping[str, Any]], Decoded]) -> None:
    """Raise BadInput with something better than "no JSON", where bytes that orjson refused allow it.

    Python's reader takes NaN, 1e999 and lone surrogates; the field's check then names the field.
    """
    try:
        found = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInput("message", None, "UTF-8") from None
    except RecursionError:
        raise BadInput("message", None, "less nesting") from None
    except ValueError:
        if raw.startswith(BOM_UTF8):
            raise BadInput("message", None, "no byte order mark") from None
        return
    if isinstance(found, dict):
        checked(found)
