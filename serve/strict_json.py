"""JSON as RFC 8259 and RFC 7493 (I-JSON) mean it: nothing that two readers could read differently.

Refuses a byte order mark, bad UTF-8, lone surrogates, duplicate keys, trailing bytes, endless integers and
deep nesting. `NaN`, `Infinity` and numbers too large for a double come through as such floats, so that
whoever knows the field can name it.
"""

from __future__ import annotations

import json

from hotpath.errors import BadInput

_SURROGATE = b"\\ud"


def parse(body: bytes) -> object:
    """The value in `body`. Raises BadInput where it is not strict JSON; the message holds none of it."""
    try:
        value = _PARSER.decode(body.decode("utf-8"))
        if _SURROGATE in body.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise BadInput("body", None, "JSON that is not nested this deep") from error
    except UnicodeError as error:
        raise BadInput("body", None, "JSON in UTF-8, without lone surrogates") from error
    except ValueError as error:
        raise BadInput("body", None, _fault(error)) from error
    return value


def _fault(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"JSON; it breaks at line {error.lineno} column {error.colno}"
    return "JSON with unique keys and integers of a sane length"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


_PARSER = json.JSONDecoder(object_pairs_hook=_once)
