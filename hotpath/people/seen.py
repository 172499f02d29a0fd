"""What was seen of each value of a record: `Seen`, gathered over all rows, of one path. Pure.

What a contract should say of it is infer.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
"""A value's keys from the record's root on, as the record spells them."""


@dataclass
class Seen:
    """The values at one path: `values` that are not null, `missing` rows in which it is null or absent."""

    path: Path
    values: list[Any] = field(default_factory=list)
    missing: int = 0

    @property
    def rows(self) -> int:
        """Rows in which the object around it is there."""
        return len(self.values) + self.missing

    def kinds(self) -> frozenset[type]:
        """The Python types of the values."""
        return frozenset(map(type, self.values))

    def distinct(self) -> int:
        """How many different values there are (of texts, numbers and truth values)."""
        return len(set(self.values))


def seen(rows: Iterable[Mapping[str, Any]], path: Path = ()) -> tuple[Seen, ...]:
    """One Seen a key of the rows, in the order of their first coming."""
    found: dict[str, Seen] = {}
    count = 0
    for count, row in enumerate(rows, start=1):
        for key, value in row.items():
            if key not in found:
                found[key] = Seen((*path, key), missing=count - 1)
            if value is None:
                found[key].missing += 1
            else:
                found[key].values.append(value)
        for key in found.keys() - row.keys():
            found[key].missing += 1
    return tuple(found.values())
