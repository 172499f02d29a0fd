"""Options that the commands of people share, and how they print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hotpath.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]
Name = Annotated[str, typer.Argument(help="The pipeline: config/pipelines/NAME.yaml.")]
WRONG = 1


def contract_file(found: Settings, name: str) -> Path:
    """The file of a pipeline that is named, or the file itself where a path is given."""
    return Path(name) if name.endswith(".yaml") else found.pipelines / f"{name}.yaml"
