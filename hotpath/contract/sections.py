"""Typed, strict reading of one mapping of a Document: each value is what it must be, or BadConfig.

Knows percentages and names; not what a key means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nextafter
from typing import Any

from hotpath.clock import Micros
from hotpath.contract.durations import span_of
from hotpath.contract.keys import Key
from hotpath.contract.parts import Sign
from hotpath.contract.strict_yaml import Document, KeyPath, nearest
from hotpath.errors import BadConfig

_PERCENT = re.compile(r"(100|[1-9][0-9]?)%")
_RULE = re.compile(r"(>=|<=) (-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?)")
HUGE = 1e12
"""A rule's number from here on is no bound worth saying."""
_LARGEST = nextafter(HUGE, 0.0)
_A_DURATION = "a duration like 90s, 30m, 24h or 30d"


MOST_NUMBERS = 20
"""Numbers of a list such as a scorecard's tolerances."""


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, each of them one of it or not."""

    low: float
    high: float
    low_too: bool = True
    high_too: bool = True

    def __contains__(self, value: float) -> bool:
        above = value >= self.low if self.low_too else value > self.low
        return above and (value <= self.high if self.high_too else value < self.high)

    def __str__(self) -> str:
        low = f"from {self.low:g}" if self.low_too else f"above {self.low:g}"
        return f"{low} {'to' if self.high_too else 'to below'} {self.high:g}"


@dataclass(frozen=True)
class Section:
    """The mapping at `path` of a document."""

    document: Document
    path: KeyPath
    data: dict[str, Any]

    def only(self, keys: Sequence[Key]) -> Section:
        """This section, if it has all of `keys` that are not optional and no other, and no null."""
        known = {key.name: key for key in keys}
        for name, value in self.data.items():
            if name not in known:
                where = f"{self.document.where_key((*self.path, name))}: {self._dotted(name)}"
                raise BadConfig(where, name, f"one of {', '.join(known)}{nearest(name, list(known))}")
            if value is None:
                raise self.wrong(name, known[name].takes)
        for key in keys:
            if not key.optional and key.name not in self.data:
                raise self.wrong(key.name, f"{key.takes} (the key is missing)")
        return self

    def wrong(self, key: str, expected: str, todo: str = "", offset: int = 0) -> BadConfig:
        """The error for the value of `key`: file:line:column, path, value and expectation."""
        where = f"{self.document.where((*self.path, key), offset)}: {self._dotted(key)}"
        return BadConfig(where, self.data.get(key), expected, todo)

    def section(self, key: str) -> Section:
        """The mapping under `key`."""
        value = self.data[key]
        if not isinstance(value, dict) or not value:
            raise self.wrong(key, "keys with values")
        return Section(self.document, (*self.path, key), value)

    def text(self, key: str, expected: str, pattern: str | re.Pattern[str] = r"(?s).+") -> str:
        """A string that `pattern` matches whole."""
        value = self.data[key]
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.wrong(key, expected)
        return value

    def one_of(self, key: str, known: Sequence[str]) -> str:
        """A string out of `known`."""
        value = self.data[key]
        if not isinstance(value, str) or value not in known:
            raise self.wrong(key, f"one of {', '.join(known)}{nearest(str(value), known)}")
        return value

    def boolean(self, key: str) -> bool:
        """true or false."""
        value = self.data[key]
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self.data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def number(self, key: str) -> float:
        """A finite number; a whole one is accepted."""
        value = self.data[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e300:
            raise self.wrong(key, "a number")
        return float(value)

    def duration(self, key: str) -> Micros:
        """A span such as 90s, 30m, 24h or 30d, in µs."""
        found = span_of(self.text(key, _A_DURATION))
        if found is None:
            raise self.wrong(key, _A_DURATION)
        return found

    def share(self, key: str, most: int) -> float:
        """A percentage such as 20%, as a share of 1."""
        expected = f"a percentage from 1% to {most}%"
        found = _PERCENT.fullmatch(self.text(key, expected))
        if not found or int(found[1]) > most:
            raise self.wrong(key, expected)
        return int(found[1]) / 100

    def rule(self, key: str, sign: str, least: float, most: float) -> float:
        """The number of a rule such as ">= 0.60", from `least` to `most`."""
        span = f"from {least:g} to {most:g}" if most < HUGE else f"from {least:g} on"
        expected = f'a rule like "{sign} {"0.60" if most <= 1 else "10"}", {span}'
        found = _RULE.fullmatch(self.text(key, expected))
        if not found or found[1] != sign or not least <= float(found[2]) <= min(most, _LARGEST):
            raise self.wrong(key, expected)
        return float(found[2])

    def own_rule(self, key: str) -> tuple[Sign, float]:
        """A rule of a metric that nothing is known of: either sign, any number."""
        expected = 'a rule like "<= 3" or ">= 0.5"'
        found = _RULE.fullmatch(self.text(key, expected))
        if not found or abs(float(found[2])) > _LARGEST:
            raise self.wrong(key, expected)
        return (">=" if found[1] == ">=" else "<="), float(found[2]) + 0.0

    def within(self, key: str, span: Span) -> float:
        """A number of a span."""
        value = self.data[key]
        if not _number(value) or value not in span:
            raise self.wrong(key, f"a number {span}")
        return float(value)

    def ascending(self, key: str, span: Span) -> tuple[float, ...]:
        """A list of numbers of a span, each greater than the one before it."""
        value = self.data[key]
        expected = f"a list of 1 to {MOST_NUMBERS} numbers in ascending order, each {span}"
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_NUMBERS:
            raise self.wrong(key, expected)
        if not all(_number(v) and v in span for v in value):
            raise self.wrong(key, expected)
        if any(a >= b for a, b in pairwise(value)):
            raise self.wrong(key, expected, "name each once, the smallest first")
        return tuple(map(float, value))

    def optional_text(self, key: str, expected: str) -> str | None:
        """A string that is not empty, or None where the key is left out."""
        return self.text(key, expected) if key in self.data else None

    def texts(self, key: str, least: int, most: int) -> tuple[str, ...]:
        """A list of `least` to `most` different strings, none of them empty."""
        value, expected = self.data[key], f"a list of {least} to {most} different texts"
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.wrong(key, expected)
        if any(not isinstance(v, str) or not v for v in value) or len(set(value)) != len(value):
            raise self.wrong(key, expected, 'a text that looks like a number is quoted: "1"')
        return tuple(value)

    def _dotted(self, key: str) -> str:
        return ".".join(str(k) for k in (*self.path, key))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def rule_text(sign: str, bound: float) -> str:
    """The shortest text that `Section.rule` reads as `bound`."""
    digits = f"{bound:.6f}".rstrip("0").rstrip(".")
    return f"{sign} {digits}"
