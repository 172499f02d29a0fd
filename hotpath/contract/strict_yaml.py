"""YAML with one reading only: plain data, and the position of every key and value.

Refuses what makes YAML surprising or dangerous: tags, anchors and aliases, duplicate keys, keys that
are no text, several documents, deep nesting. Scalars follow YAML 1.2: `no`, `on`, `1:30` and dates are
text. Knows nothing of contracts or settings; both are read with it.

    >>> tree = load_yaml("serve: {port: 8080}", "settings.yaml")
    >>> tree.data, tree.where(("serve", "port"))
    ({'serve': {'port': 8080}}, 'settings.yaml:1:15')
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml
from yaml import events

from hotpath.contract.types import WELL_FORMED, well_formed
from hotpath.errors import BadConfig

KeyPath = tuple[str | int, ...]
DEEPEST = 16
"""Levels of mappings and lists."""
LARGEST = 1 << 18
"""Characters of a file."""

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True)
class Spot:
    """A place in a file, from 1; `exact`: the text at it runs on one line, as written, from here."""

    line: int
    column: int
    exact: bool = False


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) of one file, and where each part stands."""

    name: str
    data: dict[str, Any]
    values: Mapping[KeyPath, Spot] = field(default_factory=dict)
    keys: Mapping[KeyPath, Spot] = field(default_factory=dict)

    def where(self, path: Sequence[str | int], offset: int = 0) -> str:
        """`file:line:column` of the value at `path` (of its nearest parent where there is none).

        `offset` characters into a text scalar, where it stands on one line without escapes.
        """
        key = tuple(path)
        while key and key not in self.values:
            key, offset = key[:-1], 0
        return self._shown(self.values.get(key), offset)

    def where_key(self, path: Sequence[str | int]) -> str:
        """`file:line:column` of the key that ends `path`."""
        return self._shown(self.keys.get(tuple(path)), 0)

    def _shown(self, spot: Spot | None, offset: int) -> str:
        if spot is None:
            return self.name
        return f"{self.name}:{spot.line}:{spot.column + (offset if spot.exact else 0)}"


def load_yaml(text: str, name: str) -> Document:
    """Read one document whose top level is a mapping.

    Raises BadConfig as `name:line:column`, with what was found and what was expected.
    """
    if len(text) > LARGEST:
        raise BadConfig(name, f"{len(text)} characters", f"at most {LARGEST} characters")
    try:
        return _Reader(name).read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise BadConfig(place, error.problem, "valid YAML") from error
    except (ValueError, OverflowError) as error:  # the scanner's own, on an escape beyond Unicode
        raise BadConfig(name, str(error), "escapes of Unicode characters") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise BadConfig(f"{name}:{line}:{column}", error.character, "printable characters") from error


def nearest(key: str, known: Sequence[str]) -> str:
    """The end of a message: `; did you mean NAME?`, or nothing where no known name is near."""
    found = get_close_matches(key, known, 1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""


class _Reader:
    """Builds data from the parser's events; no recursion, so depth cannot exhaust the stack."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._values: dict[KeyPath, Spot] = {}
        self._keys: dict[KeyPath, Spot] = {}
        self._open: list[tuple[dict[str, Any] | list[Any], KeyPath]] = []
        self._key: str | None = None
        self._root: Any = None
        self._documents = 0

    def read(self, text: str) -> Document:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            self._take(event)
        if not isinstance(self._root, dict):
            raise BadConfig(self._name, self._root, "a mapping of keys to values at the top level")
        return Document(self._name, self._root, self._values, self._keys)

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.DocumentStartEvent):
            self._documents += 1
            self._refuse_if(self._documents > 1 or bool(event.tags), event, "one document without directives")
        elif isinstance(event, events.AliasEvent):
            self._refuse_if(True, event, "no alias", f"*{event.anchor}")
        elif isinstance(event, events.NodeEvent):
            self._refuse_if(event.anchor is not None, event, "no anchor", f"&{event.anchor}")
            tag = getattr(event, "tag", None)
            self._refuse_if(tag is not None, event, "no tag", tag)
            text = getattr(event, "value", "")
            self._refuse_if(not well_formed(text), event, WELL_FORMED, text)
            self._node(event)
        elif isinstance(event, events.MappingEndEvent | events.SequenceEndEvent):
            self._open.pop()

    def _node(self, event: events.NodeEvent) -> None:
        if self._open and isinstance(self._open[-1][0], dict) and self._key is None:
            self._name_key(event)
            return
        if isinstance(event, events.ScalarEvent):
            self._place(_plain(event), event)
            return
        self._refuse_if(len(self._open) == DEEPEST, event, f"at most {DEEPEST} levels")
        holder: dict[str, Any] | list[Any] = {} if isinstance(event, events.MappingStartEvent) else []
        self._open.append((holder, self._place(holder, event)))

    def _name_key(self, event: events.NodeEvent) -> None:
        holder, path = self._open[-1]
        key = _plain(event) if isinstance(event, events.ScalarEvent) else None
        if not isinstance(key, str):
            raise BadConfig(self._at(event), key, "a key that is text")
        if key in holder:
            first = self._keys[(*path, key)]
            raise BadConfig(self._at(event), key, f"each key once (first at {first.line}:{first.column})")
        self._keys[(*path, key)] = _spot(event)
        self._key = key

    def _place(self, value: Any, event: events.NodeEvent) -> KeyPath:
        path: KeyPath = ()
        if not self._open:
            self._root = value
        else:
            holder, parent = self._open[-1]
            path = (*parent, len(holder) if self._key is None else self._key)
            if isinstance(holder, list):
                holder.append(value)
            elif self._key is not None:
                holder[self._key], self._key = value, None
        self._values[path] = _spot(event)
        return path

    def _refuse_if(self, wrong: bool, event: events.Event, expected: str, found: object = "more") -> None:
        if wrong:
            raise BadConfig(self._at(event), found, expected)

    def _at(self, event: events.Event) -> str:
        spot = _spot(event)
        return f"{self._name}:{spot.line}:{spot.column}"


def _plain(event: events.ScalarEvent) -> str | int | float | bool | None:
    if event.style is not None:
        return str(event.value)
    text: str = event.value
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _spot(event: events.Event) -> Spot:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:  # never, for events read from text
        return Spot(1, 1)
    line, column = start.line + 1, start.column + 1
    if not isinstance(event, events.ScalarEvent):
        return Spot(line, column)
    quotes = 1 if event.style in ("'", '"') else 0
    exact = start.line == end.line and end.column - start.column == len(event.value) + 2 * quotes
    return Spot(line, column + (quotes if exact else 0), exact)
