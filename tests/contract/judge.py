"""What a JSON Schema accepts, by the library `jsonschema`, told what BEYOND says that no schema can say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from hotpath.contract.schema import Schema
from hotpath.contract.times import instant, span

FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time")(lambda text: not isinstance(text, str) or instant(text) is not None)
FORMATS.checks("hotpath-duration")(lambda text: not isinstance(text, str) or span(text) is not None)


def accepts(document: Schema, name: str, value: object) -> bool:
    """Whether `value` is what `document` says under `$defs`/`name`."""
    return _i_json(value) and _holds({**document, "$ref": f"#/$defs/{name}"}, value)


def _holds(schema: Schema, value: object) -> bool:
    return bool(Judge(schema, format_checker=FORMATS).is_valid(value))


def _i_json(value: object) -> bool:
    """Whether there is a JSON text of it: neither NaN nor infinite, no lone surrogate."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def _ecma_pattern(_: Any, pattern: str, text: object, __: object) -> Iterator[ValidationError]:
    # In ECMA 262 `$` is the end; in Python it is before a last line break too.
    if isinstance(text, str) and not re.search(pattern.removesuffix("$") + r"\Z", text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


def _content(_: Any, schema: Mapping[str, Any], text: object, __: object) -> Iterator[ValidationError]:
    if not isinstance(text, str):
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield ValidationError("no JSON")
        return
    if not (_i_json(value) and _holds(dict(schema), value)):
        yield ValidationError(f"{text!r} holds something else")


Judge = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={"pattern": _ecma_pattern, "contentSchema": _content},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)
