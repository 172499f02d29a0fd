"""Markdown's tables, for the pages that are rendered."""

from __future__ import annotations

from collections.abc import Iterable


def table(heads: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """A table, a line each; a bar in a cell is escaped."""
    rows = [heads, ("---",) * len(heads), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)
