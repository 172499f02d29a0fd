"""Bytes of a topic to decoded values: one table of decoders by format, each total (nothing raises).

A record is Decoded, Rejected with a short reason that names the field and never its value, or Skipped
where it is empty. The stream job's workers and the tests run this same code. To add a format, add an
entry to DECODERS.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hotpath.contract.checks import Check, checks
from hotpath.contract.parts import Events, Labels
from hotpath.contract.types import Value
from hotpath.errors import BadInput


@dataclass(frozen=True, slots=True)
class Decoded:
    """Every field of the contract by name (null: None, timestamps: µs), and names it does not know."""

    values: dict[str, Value]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why: `field: expected …`, or `message: expected …` where no field can be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An empty or absent value: counted, nothing landed."""


Decode = Callable[[bytes | None], Decoded | Rejected | Skipped]


def decoder(source: Events | Labels, kind: str = "json") -> Decode:
    """The decoder of a source's records, composed once. It never raises."""
    return DECODERS[kind](source)


def _json(source: Events | Labels) -> Decode:
    by_name = checks(source)

    def decode(raw: bytes | None) -> Decoded | Rejected | Skipped:
        if not raw:
            return Skipped()
        try:
            return _checked(_parsed(raw, by_name), by_name)
        except BadInput as error:
            return Rejected(f"{error.thing}: expected {error.expected}")

    return decode


DECODERS: Mapping[str, Callable[[Events | Labels], Decode]] = {"json": _json}


def _checked(found: Mapping[str, Any], by_name: Mapping[str, Check]) -> Decoded:
    values = {name: check(found.get(name)) for name, check in by_name.items()}
    if found.keys() == by_name.keys():
        return Decoded(values)
    return Decoded(values, tuple(name for name in found if name not in by_name))


# orjson, because it is strict about UTF-8, NaN, surrogates and depth and takes a third of the time of json
# with an object_pairs_hook; what it does not see is a key that comes twice.
def _parsed(raw: bytes, by_name: Mapping[str, Check]) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        _explain(raw, by_name)
        raise BadInput("message", None, "JSON") from None
    if not isinstance(found, dict):
        raise BadInput("message", None, "an object")
    # In a flat object without escaped quotes every quote belongs to a key or to a text value, so a key that
    # came twice leaves two quotes more than the keys and texts that were kept explain.
    texts = list(map(type, found.values())).count(str)
    if raw.count(b'"') != 2 * (len(found) + texts):
        _refuse_twice(raw)
    return found


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


def _explain(raw: bytes, by_name: Mapping[str, Check]) -> None:
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
        _checked(found, by_name)
