"""`hotpath test NAME`: the four kinds of tests that come with a pipeline, and the mistakes with data.

unit: cases of features. model: trained on the fixed sample with the trainer's fixed seed, against
accepted.json. integration: from an event's bytes to a validated answer. resource: budgets. mistake: made on
purpose, to be caught.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hotpath import child, settings
from hotpath.cli.check import accepted, gathered
from hotpath.cli.options import WRONG, AsJson, contract_file
from hotpath.clock import Clock
from hotpath.contract.load import load
from hotpath.contract.model import Contract
from hotpath.errors import BadInput
from hotpath.people import mistakes, plan, results, samples
from hotpath.people.accepted import Accepted
from hotpath.people.evidence import Evidence
from hotpath.people.results import Kind, Result
from hotpath.people.spread import deciles

if TYPE_CHECKING:
    from hotpath.cli.rehearsal import Rehearsed

ANSWER_S = 120.0
TRAINED = frozenset({Kind.MODEL, Kind.INTEGRATION, Kind.RESOURCE})
"""Kinds that need a model."""


def run(
    pipeline: Annotated[str, typer.Argument(help="A pipeline's name, or its contract's file.")],
    kind: Annotated[list[Kind] | None, typer.Option(help="Only these (default: all).")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Write what came out to accepted.json.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline's own tests; exit code 1 where one fails."""
    file = contract_file(settings.load(), pipeline)
    kinds = frozenset(kind or Kind) | (frozenset({Kind.MODEL}) if accept else frozenset())
    found = list(outcomes(load(file), file.with_suffix(""), kinds, accept))
    if as_json:
        print(json.dumps([asdict(result) for result in found]))
    else:
        for result in found:
            print(
                f"{'ok  ' if result.passed else 'FAIL'} {result.kind}: {result.name}  {result.says}".rstrip()
            )
    sys.exit(0 if all(result.passed for result in found) else WRONG)


def outcomes(
    contract: Contract, folder: Path, kinds: frozenset[Kind], accept: bool = False
) -> Iterator[Result]:
    """The results of a pipeline's tests, as they come. `accept` replaces accepted.json before it is compared.

    Raises BadInput without a sample, BadConfig on a bad tests.yaml.
    """
    todo, shown = _plan(contract, folder), gathered(contract, folder)
    if not shown.rows:
        raise BadInput(str(folder), "no row that the contract takes", "a sample", "hotpath check NAME")
    if Kind.UNIT in kinds:
        yield from results.unit(contract, todo.cases, shown.rows[0])
    if Kind.MISTAKE in kinds:
        spreads = shown.spreads or spread(shown)
        yield from results.mistakes(
            mistakes.caught(Evidence(contract, shown.rows, shown.answers, spreads=spreads))
        )
    if kinds & TRAINED:
        with tempfile.TemporaryDirectory(prefix="hotpath-test-") as scratch:
            yield from _trained(contract, folder, Path(scratch), kinds, todo, shown if accept else None)


def spread(shown: Evidence) -> dict[str, Sequence[float]]:
    """Deciles by numeric field of the sample."""
    found = {name: deciles(values) for name, values in shown.numbers().items()}
    return {name: tenths for name, tenths in found.items() if tenths}


def _plan(contract: Contract, folder: Path) -> plan.Plan:
    path = folder / "tests.yaml"
    try:
        found = plan.read(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise BadInput(
            str(path), error.strerror, "the pipeline's tests", "hotpath new writes a first one"
        ) from error
    plan.unknown(found, contract, str(path))
    return found


def _trained(
    contract: Contract,
    folder: Path,
    scratch: Path,
    kinds: frozenset[Kind],
    todo: plan.Plan,
    new: Evidence | None,
) -> Iterator[Result]:
    """The tests that need a model: one window, one training."""
    # Here, because they import Spark, which every other command would wait for.
    from hotpath.cli import stream_mistakes
    from hotpath.cli.rehearsal import arrivals, rehearse
    from train.account import Account

    lines = samples.lines(samples.needed(folder, "sample"))
    events, labels = arrivals(contract, lines, samples.lines(samples.needed(folder, "labels")))
    if not (spoiled := stream_mistakes.made(contract, events)):
        left = ", ".join(stream_mistakes.NAMES.values())
        print(f"not made of {contract.events.decoder} records: {left}", file=sys.stderr)
    done = rehearse(contract, [*events, *spoiled], labels, scratch)
    if not done.packed:
        yield Result(Kind.MODEL, "a model of the sample", False, f"the run {done.run.state}: {done.run.why}")
        return
    if new is not None:
        rows = Account.from_bytes((scratch / "run" / "account.json").read_bytes()).rows
        said = Accepted(done.run.metrics, {str(k): v for k, v in rows.items()}, spread(new))
        (folder / "accepted.json").write_bytes(said.to_bytes())
    if Kind.MODEL in kinds:
        yield from results.quality(contract, done.run.metrics, accepted(folder), todo)
    if Kind.MISTAKE in kinds:
        yield from stream_mistakes.noticed(done.run.left_out, bool(spoiled))
    if kinds & {Kind.INTEGRATION, Kind.RESOURCE}:
        yield from _answered(done, lines[: todo.rows], scratch, kinds, todo)


def _answered(
    done: Rehearsed, lines: Sequence[bytes], scratch: Path, kinds: frozenset[Kind], todo: plan.Plan
) -> Iterator[Result]:
    """The bundle's answers, out of a scorer's process."""
    folder = scratch / "answering"
    folder.mkdir()
    (folder / "bundle.zip").write_bytes(done.packed)
    shutil.copy(done.verify_key, folder / "verify.pem")
    (folder / "rows.jsonl").write_bytes(b"\n".join(lines))
    command = [sys.executable, "-m", "hotpath.cli.answering", str(folder)]
    child.run("answering", command, scratch / "answering.log", ANSWER_S, Clock())
    said = json.loads((folder / "answered.json").read_bytes())
    if Kind.INTEGRATION in kinds:
        for name, wrong in said["wrong"].items():
            yield Result(Kind.INTEGRATION, name, not wrong, "; ".join(wrong[:3]) or f"{said['rows']} rows")
    if Kind.RESOURCE in kinds:
        yield from results.budgets(todo.budget, said["measured"])
