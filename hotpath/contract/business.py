"""What the contract's own metrics come to: an expression over counts and sums of outcomes. Pure.

Counts are of decisions by how they turned out: `tp` declined and yes, `fp` declined and no, `tn` accepted and
no, `fn` accepted and yes. `rows` are all, those too that were neither declined nor accepted. `fn_amount` is
the sum of the event's field `amount` over the rows of `fn`; a null counts 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from hotpath.contract.model import Contract
from hotpath.contract.parts import TURNS
from hotpath.contract.row import compose
from hotpath.contract.tree import Tree
from hotpath.contract.used import fields_used


def values(tree: Tree, counts: Mapping[str, float]) -> float | None:
    """The metric on these counts and sums; None where it divides by zero or leaves a double's range.

    >>> from hotpath.contract.expressions import Scope, parse
    >>> from hotpath.contract.types import Type
    >>> cost = parse("(40 * fn + 5 * fp) / rows", Scope(dict.fromkeys(("fn", "fp", "rows"), Type.DOUBLE)))
    >>> values(cost, {"fn": 1, "fp": 2, "rows": 10}), values(cost, {"fn": 0, "fp": 0, "rows": 0})
    (5.0, None)
    """
    found = compose(tree)({name: float(value) for name, value in counts.items()})
    return None if found is None else float(found)


def amounts(contract: Contract) -> tuple[str, ...]:
    """The event's numeric fields whose sums the contract's own metrics ask for, sorted."""
    named = {name for own in contract.metrics for name in fields_used(own.tree)}
    summed = (name.partition("_") for name in named if name not in TURNS)
    return tuple(sorted({field for turn, _, field in summed if turn in TURNS}))
