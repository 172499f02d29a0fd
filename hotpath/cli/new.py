"""`hotpath new NAME --from sample.jsonl`: a contract, its tests and its README, from a sample."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hotpath import settings
from hotpath.cli.options import AsJson
from hotpath.contract.model import Contract
from hotpath.contract.types import PIPELINE_NAME
from hotpath.errors import BadInput
from hotpath.people import samples
from hotpath.people.draft import Draft, Wanted, draft
from hotpath.people.evidence import evidence
from hotpath.people.starter import contract_text, plan_text, readme

MOST_ROWS = 5_000
"""Of a sample that is kept beside the contract, spread over the whole file."""


def new(
    name: Annotated[str, typer.Argument(help="The pipeline's name.")],
    source: Annotated[Path, typer.Option("--from", help="Events, one JSON object a line (.gz too).")],
    labels: Annotated[Path | None, typer.Option(help="Answers; without it each event holds its own.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="What the model learns; more: what is known only later too.")
    ] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="The field that is unique.")] = None,
    entity: Annotated[str | None, typer.Option(help="The field that a label refers to.")] = None,
    host: Annotated[str | None, typer.Option(help="The field with the machine's name.")] = None,
    time: Annotated[str | None, typer.Option(help="The field with the event's instant.")] = None,
    fill: Annotated[
        bool, typer.Option("--fill", help="Make up an id, host or time that is missing.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where to (default: config/pipelines).")] = None,
    as_json: AsJson = False,
) -> None:
    """Draft a pipeline from a sample of its events: a contract that loads, trains and scores as it is."""
    if not PIPELINE_NAME.fullmatch(name):
        raise BadInput("NAME", name, "lower-case letters, digits and -, beginning with a letter")
    said = {"id": event_id, "entity": entity, "host": host, "time": time}
    roles = {role: field for role, field in said.items() if field is not None}
    wanted = Wanted(name, tuple(target or ()), roles, fill)
    made = draft(wanted, _sampled(source), _sampled(labels) if labels else ())
    written = write(made, out or settings.load().pipelines)
    if as_json:
        print(json.dumps({"name": name, "files": [str(path) for path in written], "notes": made.notes}))
        return
    print("\n".join(map(str, written)))
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"next: {following(name, written[0], out)}", file=sys.stderr)


def write(made: Draft, out: Path) -> list[Path]:
    """The files of a draft, once its contract has loaded.

    Raises BadInput where one is there already, or none can be written.
    """
    file, folder = out / f"{made.name}.yaml", out / made.name
    for path in (file, folder):
        if path.exists():
            raise BadInput(str(path), "there already", "a new name", "take another, or move it away")
    text = contract_text(made)
    contract = Contract.from_yaml(text, str(file))
    shown = evidence(contract, samples.encoded(made.rows).splitlines(), ())
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise BadInput(str(folder), error.strerror, "a folder that can be made") from error
    sample = samples.write(folder, "sample", made.rows)
    answers = samples.write(folder, "labels", made.answers)
    texts = {file: text, folder / "tests.yaml": plan_text(shown), folder / "README.md": readme(made)}
    for path, content in texts.items():
        path.write_text(content, "utf-8")
    return [file, sample, answers, folder / "tests.yaml", folder / "README.md"]


def following(name: str, file: Path, out: Path | None) -> str:
    """The commands that come next; a contract outside the pipelines' folder is named by its file."""
    called = name if out is None else file
    return f"hotpath check {called} · hotpath try {called} · hotpath test {called} --accept"


def _sampled(path: Path) -> list[dict[str, object]]:
    """Rows spread evenly over the file, in its order."""
    rows = samples.records(path)
    step = max(1, -(-len(rows) // MOST_ROWS))
    return rows[::step]
