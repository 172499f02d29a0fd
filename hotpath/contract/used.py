"""What an expression is made of, without rendering it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hotpath.contract.tree import Call, Literal, Ref, Tree, Widen
from hotpath.contract.types import Type


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
