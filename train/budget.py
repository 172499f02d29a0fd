"""The row budget: how many rows of each class a window keeps, and what each then weighs. Pure.

Rows are kept newest first, and of each class in proportion, so that neither the times nor the classes of a
window are shifted against each other. What rounding shifts, weights put right.

    >>> shares({"0": 90, "1": 10}, most=50)
    {'0': 45, '1': 5}
    >>> weights({"0": 999, "1": 1}, {"0": 9, "1": 1})
    {'0': 1.11, '1': 0.01}
"""

from __future__ import annotations

from collections.abc import Mapping


def shares(rows: Mapping[str, int], most: int) -> dict[str, int]:
    """Of `rows` by class (each at least one) how many are kept: all, or `most` in proportion.

    By the largest remainder (Hare's quota; ties by name), at least one of each class: of more classes than
    `most` each keeps one.
    """
    total = sum(rows.values())
    if total <= most:
        return dict(rows)
    kept = {name: max(1, most * count // total) for name, count in rows.items()}
    left = most - sum(kept.values())
    owed = sorted(rows, key=lambda name: (-_remainder(rows[name], most, total), name))
    for name in owed[: max(0, left)]:
        kept[name] += 1
    for _ in range(left, 0):  # the classes that were given their one row have it from the largest
        kept[max(kept, key=lambda name: (kept[name], name))] -= 1
    return {name: max(1, count) for name, count in kept.items()}


def weights(rows: Mapping[str, int], kept: Mapping[str, int]) -> dict[str, float]:
    """What a kept row of each class weighs: 1 on average, and classes together what they did in the whole."""
    scale = sum(kept.values()) / sum(rows.values()) if rows else 1.0
    return {name: count / kept[name] * scale for name, count in rows.items()}


def _remainder(count: int, most: int, total: int) -> int:
    """What is owed beyond whole rows; nothing to a class that already has more than its due."""
    return most * count % total if most * count >= total else -1
