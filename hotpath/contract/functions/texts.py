"""Texts, categories, arrays, and numbers cut into a few."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from zlib import crc32

from hotpath.contract.functions.entry import ARRAYS, NULL_LONG, NULL_TEXT, NUMBERS, Function, ex, same
from hotpath.contract.types import ARRAYS as ARRAYS_OF
from hotpath.contract.types import Type, Value

STRING, CATEGORY, BOOL, LONG = Type.STRING, Type.CATEGORY, Type.BOOL, Type.LONG
OTHER = "(other)"
"""What `level` says of a level that was not fitted."""
MOST_BUCKETS = 2**31 - 1

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_LOWER)


def _spark_lower(F: Any, text: Any) -> Any:
    # lower() folds all of Unicode, by the JVM's tables; translate() takes four times as long.
    folded = F.translate(text, ascii_uppercase, ascii_lowercase)
    return F.when(F.length(text) == F.octet_length(text), F.lower(text)).otherwise(folded)


def _contains_any(*parts: str) -> Callable[[str], bool]:
    return lambda text: any(part in text for part in parts)


def _spark_contains_any(F: Any, text: Any, *parts: str) -> Any:
    found = F.contains(text, F.lit(parts[0]))
    for part in parts[1:]:
        found = found | F.contains(text, F.lit(part))
    return found


def _one_of(*values: Value) -> Callable[[Value], bool]:
    return frozenset(values).__contains__


def _hash_bucket(count: int) -> Callable[[str], int]:
    return lambda text: crc32(text.encode()) % count


def _some_buckets(count: int) -> str:
    return "" if 1 <= count <= MOST_BUCKETS else f"1 to {MOST_BUCKETS} buckets"


def _level(levels: Collection[str]) -> Callable[[str], str]:
    known = frozenset(levels)
    return lambda text: text if text in known else OTHER


def _spark_level(F: Any, text: Any, levels: Collection[str]) -> Any:
    other = F.lit(OTHER)
    if not levels:
        return F.when(text.isNotNull(), other)
    return F.when(text.isin(list(levels)), text).when(text.isNotNull(), other)


def _bucket(*bounds: float) -> Callable[[float], int]:
    return lambda x: bisect_right(bounds, x)


def _spark_bucket(F: Any, x: Any, *bounds: float) -> Any:
    # A sum, not CASE: Spark computes once what is repeated, but not within a branch.
    first, *rest = ((x >= F.lit(bound)).cast("bigint") for bound in bounds)
    return sum(rest, first)


def _ascending(*bounds: float) -> str:
    return "" if all(low < high for low, high in pairwise(bounds)) else "ascending bounds"


def _has(value: Value) -> Callable[[list[Any]], bool]:
    return lambda items: value in items


def _item(place: int) -> Callable[[list[Any]], Value]:
    return lambda items: items[place] if place < len(items) else None


def _a_place(place: int) -> str:
    return "" if 0 <= place < 2**31 else "a place from 0 on"


_COUNT: dict[Type, Callable[..., Any]] = {
    STRING: lambda F, a: F.length(a).cast("bigint"),
    **dict.fromkeys(ARRAYS, lambda F, a: F.array_size(a).cast("bigint")),
}

_TEXT = (CATEGORY, STRING)

TEXTS: tuple[Function, ...] = (
    Function(
        "lower", same((CATEGORY, STRING), 1), _lower,
        _spark_lower,
        "In lower case, A to Z only: no two engines fold the rest of Unicode alike.",
        (ex("lower(a)", "zÜrich", a=(CATEGORY, "ZÜRICH")), ex("lower(a)", "ua-1", a=(STRING, "UA-1"))),
        reuses=_TEXT,
    ),
    Function(
        "length", same((STRING, *ARRAYS), 1, LONG), len, _COUNT,
        "Characters of a text (Unicode code points), items of an array.",
        (ex("length(a)", 1, a=(STRING, "\U0001f6eb")), ex("length(a)", 2, a=(Type.LONGS, [7, 7]))),
        bounded=True,
    ),
    Function(
        "contains_any", (((STRING, STRING), BOOL),), _contains_any, _spark_contains_any,
        "Whether a text contains one of some literal texts, byte for byte.",
        (
            ex('contains_any(a, "gift", "card")', True, a=(STRING, "a gift")),
            ex('contains_any(a, "gift", "card")', False, a=(STRING, "Gift")),
        ),
        repeats=True, fixed=slice(1, None), reuses=_TEXT,
    ),
    Function(
        "one_of", tuple(((kind, kind), BOOL) for kind in (STRING, LONG)), _one_of,
        lambda _, a, *values: a.isin(list(values)),
        "Whether it is one of some literals.",
        (
            ex('one_of(a, "UA", "AA")', True, a=(CATEGORY, "AA")), ex("one_of(a, 1, 2)", False, a=(LONG, 3)),
            ex('one_of(a, "UA")', None, a=NULL_TEXT),
        ),
        repeats=True, fixed=slice(1, None),
    ),
    Function(
        "hash_bucket", (((STRING, LONG), LONG),), _hash_bucket,
        lambda F, a, count: F.pmod(F.crc32(F.encode(a, "UTF-8")), F.lit(count)),
        "One of so many buckets, from 0 on: the CRC-32 (IEEE 802.3) of the UTF-8, modulo a literal.",
        (ex("hash_bucket(a, 16)", 8, a=(STRING, "UA")),),
        fixed=slice(1, None), check=_some_buckets, bounded=True,
    ),
    Function(
        "level", (((CATEGORY,), CATEGORY),), _level, _spark_level,
        "A category field where it is one of the levels that training kept (at most `max_levels`), else"
        f' "{OTHER}".',
        (
            ex("level(a)", "UA", a=(CATEGORY, "UA")).fitted(a=("AA", "UA")),
            ex("level(a)", OTHER, a=(CATEGORY, "DL")).fitted(a=("AA", "UA")),
            ex("level(a)", None, a=NULL_TEXT).fitted(a=("AA",)),
        ),
        fixed=slice(1, None), implied="levels",
    ),
    Function(
        "bucket", tuple(((kind, kind), LONG) for kind in NUMBERS), _bucket, _spark_bucket,
        "How many of some ascending literal bounds are at or below it: 0 below the first.",
        (
            ex("bucket(a, 0, 10, 100)", 0, a=(LONG, -1)), ex("bucket(a, 0, 10, 100)", 2, a=(LONG, 10)),
            ex("bucket(a, 0, 10)", 2, a=(Type.DOUBLE, 1e9)), ex("bucket(a, 0)", None, a=NULL_LONG),
        ),
        repeats=True, fixed=slice(1, None), check=_ascending, bounded=True, reuses=NUMBERS,
    ),
    Function(
        "has", tuple(((array, kind), BOOL) for kind, array in ARRAYS_OF.items()), _has,
        lambda F, a, value: F.array_contains(a, F.lit(value)),
        "Whether a literal is an item of an array.",
        (
            ex('has(a, "vip")', True, a=(Type.STRINGS, ["new", "vip"])),
            ex("has(a, 0.0)", False, a=(Type.DOUBLES, [])), ex("has(a, 1)", None, a=(Type.LONGS, None)),
        ),
        fixed=slice(1, None),
    ),
    Function(
        "item", tuple(((array, LONG), kind) for kind, array in ARRAYS_OF.items()), _item,
        lambda F, a, place: F.get(a, F.lit(place)),
        "The item of an array at a literal place, from 0 on; beyond its end: null.",
        (ex("item(a, 0)", 7, a=(Type.LONGS, [7, 8])), ex("item(a, 2)", None, a=(Type.LONGS, [7, 8]))),
        fixed=slice(1, None), check=_a_place, bounded=True,
    ),
)  # fmt: skip
