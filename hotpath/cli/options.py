"""Options that the commands of people share, and how they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hotpath.clock import SECOND, Micros
from hotpath.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]
Name = Annotated[str, typer.Argument(help="The pipeline: config/pipelines/NAME.yaml.")]
WRONG = 1
UNBOUNDED = 100_000
"""Columns of what is no terminal: whoever reads a pipe wants whole names."""


def contract_file(found: Settings, name: str) -> Path:
    """The file of a pipeline that is named, or the file itself where a path is given."""
    return Path(name) if name.endswith(".yaml") else found.pipelines / f"{name}.yaml"


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Draw a table on stdout; what it holds is data, whatever brackets and colons it has."""
    drawn = Table(*columns, title=printable(title) or None)
    for row in rows:
        drawn.add_row(*map(printable, row))
    width = None if sys.stdout.isatty() else UNBOUNDED
    Console(markup=False, emoji=False, highlight=True, width=width).print(drawn)


def instant(at: Micros) -> str:
    """An instant as people read it, to the second; beyond what calendars hold it is not known.

    >>> instant(1_000_000), instant(2**62)
    ('1970-01-01T00:00:01Z', 'not known')
    """
    try:
        return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return "not known"


def printable(text: str) -> str:
    """A text that moves no cursor and sets no colour: what a terminal would obey is spelt out."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
