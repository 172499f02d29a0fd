"""The reference page of contracts (docs/contract.md), rendered from the tables that the code runs on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hotpath.contract.functions import FUNCTIONS, Example, Function
from hotpath.contract.keys import RESERVED, SECTIONS
from hotpath.contract.types import EPOCH, FIELD_TYPES, LONGEST_TEXT, MOST_LEVELS, UNITS, Type, Value

_INTRO = """# The contract: keys, types, functions

Rendered from the tables in `hotpath/contract` by `make docs`; a test compares. Do not edit.

A contract is one YAML file in `config/pipelines`, called like its pipeline. It is read strictly: an unknown
key, a wrong type or a null is refused with file, line and column. `hotpath check FILE` says what is wrong.
YAML has one reading here: no tags, anchors or duplicate keys; `no`, `on` and dates are text. The order of
keys has no meaning: fields and features are kept sorted by name.
"""
_EXPRESSIONS = """## Expressions

Python's grammar, static types, nothing evaluated as Python. An expression may use event fields (never a
label's), literals (`1` is a long, `1.0` a double, `"UA"` a string, `True`, `False`) and the table below;
parentheses group. A feature must come out as category, bool, long or double.

- Null in, null out, unless the function says otherwise. Nothing raises at run time.
- A long result beyond 64 bits is null; a double result that is infinite or NaN is null.
- A long meets a double as the nearest double; a category meets a text as text.
- One comparison at a time: write `a < b and b < c`.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *_keys(), *_types(), _EXPRESSIONS, *_functions()])


def _keys() -> Iterable[str]:
    for title, keys in SECTIONS.items():
        lines = [(f"`{k.name}`" + (" (optional)" if k.optional else ""), k.takes, k.doc) for k in keys]
        yield f"## {title}\n\n{_table(('key', 'takes', 'meaning'), lines)}"
    yield "A duration is a whole number of `s`, `m`, `h` or `d`. Units: " + ", ".join(UNITS) + ".\n"
    yield f"No field may be called {', '.join(RESERVED)}: the lake adds columns of these names.\n"


def _types() -> Iterable[str]:
    lines = [
        (f"`{t.type}`", t.wire, ", ".join(t.options) or "none", "yes" if t.feature else "no")
        for t in FIELD_TYPES
    ]
    heads = ("type", "on the wire", "options", "as a feature")
    yield f"## Field types\n\n{_table(heads, lines)}"
    yield (
        f"`max_length` counts characters (default {LONGEST_TEXT}), `max_levels` is declared, not yet enforced"
        f" (default {MOST_LEVELS}). A value that fails its check rejects the record, with the field's name.\n"
    )


def _functions() -> Iterable[str]:
    lines = [(_called(f), " or ".join(_signatures(f)), f.doc, _examples(f)) for f in FUNCTIONS]
    yield _table(("name", "takes → gives", "meaning", "examples"), lines)
    yield "Row function and Spark agree to the bit (tolerance 0) unless a function states a tolerance.\n"


def _called(function: Function) -> str:
    return f"`{function.name}`" + (f" (tolerance {function.tolerance})" if function.tolerance else "")


def _signatures(function: Function) -> Iterable[str]:
    return (f"{', '.join(takes)} → {gives}" for takes, gives in function.signatures)


def _examples(function: Function) -> str:
    return "; ".join(map(_example, function.examples))


def _example(example: Example) -> str:
    row = ", ".join(f"{name} = {_value(value, kind)}" for name, kind, value in example.row)
    return f"`{example.text}` is {_value(example.value)} for {row}"


def _value(value: Value, kind: Type | None = None) -> str:
    if kind == Type.TIMESTAMP and isinstance(value, int):
        return (EPOCH + timedelta(microseconds=value)).isoformat().replace("+00:00", "Z")
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _table(heads: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    rows = [heads, ("---",) * len(heads), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
