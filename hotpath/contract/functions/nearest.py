"""The nearest of some points of the unit sphere: a k-d tree of plain tuples.

The answer is the least `chord2` to the bit, as if every point had been tried: a half space is left out only
where the distance to its border alone, rounded as `chord2` rounds, is no less than the least so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from hotpath.contract.functions.angles import Point

_LEAF = 8
Node = tuple[int, float, "Node", "Node"] | list[Point]
"""Axis, border, points at or below it, points at or above it; or a few points."""


def nearest(points: Sequence[Point]) -> Callable[[Point], float]:
    """The function that gives the square of the chord from a point to the nearest of `points`."""
    root = _tree(list(points))
    return lambda here: _least(root, here, inf)


def _tree(points: list[Point]) -> Node:
    if len(points) <= _LEAF:
        return points
    axis = max(range(3), key=lambda a: max(p[a] for p in points) - min(p[a] for p in points))
    points.sort(key=lambda p: p[axis])
    middle = len(points) // 2
    return axis, points[middle][axis], _tree(points[:middle]), _tree(points[middle:])


def _least(node: Node, here: Point, best: float) -> float:
    if isinstance(node, list):
        return _least_of(node, here, best)
    axis, border, below, above = node
    gap = here[axis] - border
    first, second = (below, above) if gap < 0.0 else (above, below)
    best = _least(first, here, best)
    return _least(second, here, best) if gap * gap < best else best


def _least_of(points: list[Point], here: Point, best: float) -> float:
    x, y, z = here
    for there_x, there_y, there_z in points:
        # chord2, written out: a call a point would take twice the time.
        on_x, on_y, on_z = x - there_x, y - there_y, z - there_z
        found = on_x * on_x + on_y * on_y + on_z * on_z
        if found < best:
            best = found
    return best
