"""Plain data as YAML in the look of config/pipelines: sections in blocks, a field on one line. Pure.

What it writes, strict_yaml.py reads back as the same data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )")
_SPAN = re.compile(r"[0-9]+[smhd%]")
_CONSTANTS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def block(data: Mapping[str, Any], depth: int = 0) -> str:
    """Keys and values, a mapping within on further lines where it does not fit on one.

    >>> print(block({"train": {"window": "30d"}, "question": "Is it?"}), end="")
    train: {window: 30d}
    question: "Is it?"
    """
    return "".join(_entry(key, value, "  " * depth, depth) for key, value in data.items())


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(k)}: {flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A text quoted where it must be; a number in decimals that YAML 1.2 reads."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _CONSTANTS
        return value if plain or _SPAN.fullmatch(value) else _quoted(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value)


def _quoted(text: str) -> str:
    """In JSON's quotes; what YAML holds for unprintable, escaped."""
    escaped = (c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(text, ensure_ascii=False))
    return "".join(escaped)


def _entry(key: str, value: Any, margin: str, depth: int) -> str:
    if isinstance(value, Mapping) and (_deep(value) or len(flow(value)) > 90):
        return f"{margin}{scalar(key)}:\n{block(value, depth + 1)}"
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return f"{margin}{scalar(key)}:\n{''.join(_item(item, depth + 1) for item in value)}"
    return f"{margin}{scalar(key)}: {flow(value)}\n"


def _item(value: Mapping[str, Any], depth: int) -> str:
    lines = block(value, depth + 1)
    margin = "  " * depth
    return f"{margin}- {lines[len(margin) + 2 :]}"


def _deep(value: Mapping[str, Any]) -> bool:
    return any(isinstance(inner, Mapping) for inner in value.values())
