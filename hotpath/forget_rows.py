"""Which rows of the lake's tables are an entity's. Pure.

A rejected record has only its bytes. Where they are JSON, one of their texts or numbers must be the entity;
of anything else it is enough that they hold its name: rather a record too many is erased than one too few.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hotpath.contract.model import Contract
from hotpath.lake import PLACE, Dataset


def columns(contract: Contract, dataset: Dataset, there: pa.Schema) -> tuple[str, ...]:
    """The columns that may name the entity, of those that a file has: the contract's, or, where an older
    contract called it otherwise and of a further stream, every text.
    """
    if dataset == "rejected":
        return ("raw",)
    named = {"events": contract.events.entity, "labels": contract.labels.entity, "scores": "entity"}
    column = named.get(dataset)
    if column is not None and column in there.names and pa.types.is_string(there.field(column).type):
        return (column,)
    place = {name for name, _ in PLACE}
    return tuple(f.name for f in there if pa.types.is_string(f.type) and f.name not in place)


def theirs(table: pa.Table, entity: str) -> pa.Array:
    """Which rows are the entity's, told by these columns: a bool each, never null."""
    found = pa.repeat(False, len(table))
    for column in (chunked.combine_chunks() for chunked in table.columns):
        if pa.types.is_binary(column.type):
            same = pa.array([mentions(raw or b"", entity) for raw in column.to_pylist()], pa.bool_())
        else:
            same = pc.fill_null(pc.equal(column, entity), False)
        found = pc.or_(found, same)
    return found


def mentions(raw: bytes, entity: str) -> bool:
    """Whether a record that could not be decoded is, or may be, about the entity."""
    try:
        return _holds(json.loads(raw, object_pairs_hook=_values), entity)
    except (ValueError, RecursionError):
        escaped = json.dumps(entity)[1:-1].lower().encode()
        return entity.encode("utf-8", "replace") in raw or escaped in raw.lower()


def _values(pairs: list[tuple[str, Any]]) -> list[Any]:
    """An object's values, those of a key that stands there twice too: such a record is a rejected one."""
    return [value for _, value in pairs]


def _holds(value: Any, entity: str) -> bool:
    todo = [value]
    while todo:
        match todo.pop():
            case list() as found:
                todo += found
            case str() | int() as found if str(found) == entity:
                return True
    return False
