"""What an entry of the table of functions is. The entries are in the modules beside this one.

Rules that hold for every entry, so that none repeats them:

- null in, null out, except where `sees_null` says that the function decides (`and`, `or`, `coalesce`);
- a long is widened to a double, a category read as a string, where the signature asks for it;
- a long, an instant or a duration beyond 64 bits is null; a double that is not finite is null;
- nothing raises: the row rendering gets values of its signature's types and gives a value or None.

Values are Python's; an instant and a duration are µs, in Spark a bigint. `spark` gets pyspark.sql.functions,
then columns. It must not raise under ANSI mode, and must use an argument that can itself be a call only once,
because a nested expression would grow exponentially: where it cannot, `reuses` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import nan
from typing import Any, Literal

from hotpath.contract.tables import Table
from hotpath.contract.types import EPOCH, LONG_MAX, Type, Value

Signature = tuple[tuple[Type, ...], Type]
"""What a function takes and gives; to give COLUMN is to give the type of the column that was named."""
Rendering = Callable[..., Any] | Mapping[Type, Callable[..., Any]]
"""A function, or one by the type of the first argument that is not fixed."""


@dataclass(frozen=True)
class Example:
    """`text` over a row of (name, type, value) is `value`; its time field is called event_time."""

    text: str
    row: tuple[tuple[str, Type, Value], ...]
    value: Value
    tables: tuple[Table, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def over(self, *tables: Table) -> Example:
        """The same with these tables."""
        return replace(self, tables=tables)

    def fitted(self, **levels: tuple[str, ...]) -> Example:
        """The same with these levels."""
        return replace(self, levels=levels)


def _anything(*_: Any) -> str:
    return ""


@dataclass(frozen=True)
class Function:
    """One function or operator; the first signature that the arguments fit is taken.

    `repeats`: the last type of a signature may come again. `fixed`: which arguments are known when a contract
    is read, written as literals; the row rendering gets them first and gives the function of the others, the
    Spark rendering gets them in their place, as Python values, Zone and Table. `check` of them says what was
    expected ("": they are right). `implied`: an argument that nobody writes, the event's time before the
    others or the fitted levels after them. `bounded`: a result is never out of range, in Spark at most NaN.
    `reuses`: first types with which Spark uses arguments more than once. `tolerance`: by how much the two
    renderings may differ, of a value beyond 1 relative to it.
    """

    name: str
    signatures: tuple[Signature, ...]
    row: Rendering
    spark: Rendering
    doc: str
    examples: tuple[Example, ...]
    sees_null: bool = False
    repeats: bool = False
    fixed: slice | None = None
    check: Callable[..., str] = _anything
    implied: Literal["time", "levels"] | None = None
    bounded: bool = False
    reuses: tuple[Type, ...] = ()
    tolerance: float = 0.0


def rendering(found: Rendering, kind: Type) -> Callable[..., Any]:
    """The rendering for a first argument of type `kind`."""
    return found[text_is_text(kind)] if isinstance(found, Mapping) else found


def text_is_text(kind: Type) -> Type:
    """`kind`, a category read as the string that it is."""
    return Type.STRING if kind == Type.CATEGORY else kind


def ex(text: str, value: Value, **row: tuple[Type, Value]) -> Example:
    """An example; `row` is name=(type, value)."""
    return Example(text, tuple((name, *typed) for name, typed in row.items()), value)


def at(text: str) -> tuple[Type, Value]:
    """An instant for `ex`, from RFC 3339."""
    return Type.TIMESTAMP, (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def same(kinds: tuple[Type, ...], count: int, gives: Type | None = None) -> tuple[Signature, ...]:
    """A signature a kind: `count` arguments of it give one of it, or `gives`."""
    return tuple(((kind,) * count, gives or kind) for kind in kinds)


def spark_texts(F: Any, values: tuple[Any, ...]) -> Any:
    """A literal array of texts without NUL (of numbers: their texts): one node of the plan, not thousands."""
    return F.split(F.lit("\0".join(map(str, values))), "\0")


def let(F: Any, value: Any, body: Callable[[Any], Any]) -> Any:
    """`body` of `value`, which may then use it as often as it likes: the plan holds it once."""
    return F.get(F.transform(F.array(value), body), F.lit(0))


def spark_most(F: Any, *values: Any) -> Any:
    """The greatest of doubles, NaN where one is null; to_spark.py makes a NaN null."""
    # greatest() passes nulls over, but a NaN is the greatest of all.
    return F.greatest(*(F.coalesce(v, F.lit(nan)) for v in values))


def spark_least(F: Any, *values: Any) -> Any:
    """The least of doubles, NaN where one is null."""
    return F.negate(spark_most(F, *map(F.negate, values)))


NUMBERS = (Type.LONG, Type.DOUBLE)
COUNTED = (*NUMBERS, Type.TIMESTAMP, Type.DURATION)
"""Types that have an order."""
SCALARS = (Type.BOOL, *COUNTED, Type.CATEGORY, Type.STRING)
ARRAYS = (Type.STRINGS, Type.LONGS, Type.DOUBLES)
NULL_LONG, NULL_BOOL, NULL_TEXT = (Type.LONG, None), (Type.BOOL, None), (Type.CATEGORY, None)
MOST = (Type.LONG, LONG_MAX)
