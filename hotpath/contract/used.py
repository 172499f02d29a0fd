"""What an expression is made of, without rendering it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hotpath.contract.tree import Call, Literal, Reading, Ref, Tree, Typed, Widen
from hotpath.contract.types import Type, Value


def nodes(tree: Tree) -> Iterator[Tree]:
    """Every node of a tree, those within before those around."""
    if isinstance(tree, Widen):
        yield from nodes(tree.arg)
    elif isinstance(tree, Call):
        for arg in tree.args:
            yield from nodes(arg)
    yield tree


def fields_used(tree: Tree) -> tuple[str, ...]:
    """Names of the event's fields, sorted."""
    return tuple(sorted({node.name for node in nodes(tree) if isinstance(node, Ref)}))


def tables_used(tree: Tree) -> tuple[str, ...]:
    """Names of the tables that are looked into, sorted."""
    found = (node for node in nodes(tree) if isinstance(node, Literal) and node.type == Type.TABLE)
    return tuple(sorted({str(node.value) for node in found}))


def made_of(tree: Tree) -> tuple[str, ...]:
    """Names of the event's fields, the tables and the aggregates that it is made of."""
    aggregates = {node.aggregate for node in nodes(tree) if isinstance(node, Reading)}
    return (*fields_used(tree), *tables_used(tree), *sorted(aggregates))


def unread(features: Iterable[Typed]) -> dict[str, Value]:
    """The readings of a row for which no tiles are at hand, such as one of a sample: each is null."""
    return {reading.name: None for reading in readings_used(features)}


def readings_used(features: Iterable[Typed]) -> tuple[Reading, ...]:
    """What the features read of tiles, each once, by name."""
    found = {node for feature in features for node in nodes(feature.tree) if isinstance(node, Reading)}
    return tuple(sorted(found, key=lambda reading: reading.name))
