"""`hotpath contract …`: what a contract says of itself, for callers, readers and other cores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hotpath import settings
from hotpath.cli.options import contract_file
from hotpath.contract.fitted import NOTHING, Fitted
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.contract.program import program as program_of
from hotpath.contract.reference import page
from hotpath.contract.schema_bodies import as_yaml, document
from hotpath.errors import BadArtifact
from hotpath.files import replace

app = typer.Typer(no_args_is_help=True, help="What a contract says of itself.")

Name = Annotated[str, typer.Argument(help="A pipeline's name, or a contract file.")]


@app.command()
def schema(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json/--yaml", help="How it is written.")] = False,
) -> None:
    """Print requests, answers and records as JSON Schema."""
    made = document(_contract(name))
    print(json.dumps(made, ensure_ascii=False) if as_json else as_yaml(made), end="\n" if as_json else "")


@app.command()
def docs(
    name: Name, out: Annotated[Path | None, typer.Option(help="A file, rather than the screen.")] = None
) -> None:
    """Render a pipeline's reference page."""
    made = page(_contract(name))
    if out is None:
        print(made, end="")
    else:
        replace(out, made.encode())


@app.command()
def program(
    name: Name,
    fitted: Annotated[
        Path | None, typer.Option(help="A bundle's fitted.json; without it no level is known.")
    ] = None,
) -> None:
    """Print the features as a compact program (docs/program.md), one JSON value."""
    print(json.dumps(program_of(_contract(name), NOTHING if fitted is None else _fitted(fitted))))


def _contract(name: str) -> Contract:
    return load(contract_file(settings.load(), name))


def _fitted(path: Path) -> Fitted:
    try:
        return Fitted.from_bytes(path.read_bytes())
    except OSError as error:
        raise BadArtifact(str(path), error.strerror, "a readable fitted.json") from error
