"""An expression of a contract's section: parsed, of a type that fits its place, in its one spelling."""

from __future__ import annotations

from collections.abc import Sequence

from hotpath.contract.expressions import LONGEST, Scope, Tree, normal, parse
from hotpath.contract.sections import Section
from hotpath.contract.types import Type


def expression(section: Section, key: str, scope: Scope, types: Sequence[Type]) -> tuple[str, Tree]:
    """The text under `key` in its one spelling, and its tree. Raises BadConfig with line and column."""
    text, path = section.text(key, "an expression as text"), (*section.path, key)
    dotted = ".".join(map(str, path))
    tree = parse(text, scope, lambda offset: f"{section.document.where(path, offset)}: {dotted}")
    if tree.type not in types:
        expected = f"an expression of type {', '.join(types)}, not {tree.type}"
        raise section.wrong(key, expected, _todo(tree.type))
    spelt = normal(text)
    if len(spelt) > LONGEST:  # it travels in this spelling, and must be read again
        raise section.wrong(key, f"at most {LONGEST} characters in its one spelling, not {len(spelt)}")
    return spelt, tree


def _todo(kind: Type) -> str:
    return "use minutes(…) or hours(…)" if kind == Type.DURATION else ""
