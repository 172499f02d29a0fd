"""The command line, as `hotpath --help` shows it.

Composition root. Exit codes: 0 done, 1 something is wrong or unmet, 2 bad usage or bad config. With
`--json`, stdout is one JSON value and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hotpath import deployed, progress, settings
from hotpath.cli.check import check
from hotpath.cli.contract import app as contract_app
from hotpath.cli.deploy import deploy
from hotpath.cli.diff import diff
from hotpath.cli.features import app as features_app
from hotpath.cli.forget import forget
from hotpath.cli.keys import app as keys_app
from hotpath.cli.lake import app as lake_app
from hotpath.cli.models import app as models_app
from hotpath.cli.new import new
from hotpath.cli.options import WRONG, AsJson, show
from hotpath.cli.parity import parity
from hotpath.cli.rejected import app as rejected_app
from hotpath.cli.scorecard import scorecard
from hotpath.cli.test_ import run as test
from hotpath.cli.train import app as train_app
from hotpath.cli.try_ import try_
from hotpath.errors import BadConfig, BadInput, HotpathError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Hotpath: train and score from a stream.")

Pipeline = Annotated[str, typer.Option(help="The pipeline's name.")]

MISUSED = 2
MACHINE = "see that it is what it should be, that you may read and write it, and that the disk has room"


def main() -> None:
    """Entry point: an error of ours, or of the machine's, is one line on stderr, never a traceback."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what cannot be written is told here, not while the interpreter ends
    except HotpathError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(MISUSED if isinstance(error, BadConfig) else WRONG)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(WRONG)
    except OSError as error:
        where, why = error.filename or type(error).__name__, error.strerror or error
        print(f"{where}: {why}; {MACHINE}", file=sys.stderr)
        sys.exit(WRONG)


@app.command()
def demo(
    seconds: Annotated[
        float | None, typer.Option("--for", min=120, help="End by itself after so long.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the earlier run.")] = False,
    report: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("report.json"),
) -> None:
    """Run the whole system on this machine, on real flights."""
    from hotpath.local.demo import demonstrate
    from hotpath.local.story import Story

    sys.exit(demonstrate(settings.load(), seconds, fresh, Story(), report))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what would keep the system from running, and what is wrong with existing topics."""
    from hotpath.local.preflight import examine, is_running, topic_findings

    found = settings.load()
    findings = (*examine(found, is_running(found)), *topic_findings(found))
    if as_json:
        print(json.dumps([vars(f) for f in findings]))
    else:
        show(("subject", "verdict", "says"), [(f.subject, f.verdict, f.says) for f in findings])
    sys.exit(WRONG if any(f.verdict == "wrong" for f in findings) else 0)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say what each part is doing; exit code 1 where nothing runs."""
    folder = settings.load().state("any").parent
    said = {path.stem: progress.read(path) for path in sorted(folder.glob("*.json"))}
    gone = {part for part, facts in said.items() if progress.ended(facts)}
    said |= {part: {**said[part], "state": f"ended (said: {said[part].get('state')})"} for part in gone}
    if as_json:
        print(json.dumps(said))
    else:
        rows = [(p, str(s.pop("state", "")), json.dumps(s)) for p, s in said.items()]
        show(("part", "state", "facts"), rows)
    sys.exit(0 if said.keys() - gone else WRONG)


for command in (new, check, deploy, forget, parity, scorecard):
    app.command()(command)
app.command("try")(try_)
app.command("test")(test)
contract_app.command()(diff)
app.add_typer(contract_app, name="contract")
app.add_typer(features_app, name="features")
app.add_typer(keys_app, name="keys")
app.add_typer(lake_app, name="lake")
app.add_typer(models_app, name="models")
app.add_typer(rejected_app, name="rejected")
app.add_typer(train_app, name="train")


@app.command()
def produce(
    file: Annotated[Path, typer.Argument(help="Events, one JSON object a line.")],
    pipeline: Pipeline = "flights",
    as_json: AsJson = False,
) -> None:
    """Put events into the on-prem topic; exit code 1 where a line was refused."""
    from hotpath.kafka import KafkaLog
    from ingest.produce import produce_file

    found = settings.load()
    contract = deployed.contract(found, pipeline)
    done = produce_file(file, contract, KafkaLog(found.kafka.onprem.address))
    if as_json:
        print(json.dumps(done.to_json()))
    else:
        print(f"{done.sent} sent, {len(done.refused)} refused")
        for line, reason in done.refused.items():
            print(f"line {line}: {reason}", file=sys.stderr)
    sys.exit(WRONG if done.refused else 0)


@app.command()
def score(
    pipeline: Pipeline = "flights",
    request: Annotated[Path | None, typer.Option(help="A request body (JSON); - for stdin.")] = None,
    example: Annotated[bool, typer.Option(help="Ask an example made from the contract.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the scorer."""
    from hotpath.cli.scoring import ask
    from hotpath.contract.example import example_request

    found = settings.load()
    if example:
        body = json.dumps(example_request(deployed.contract(found, pipeline))).encode()
    elif request is not None:
        body = _read(request)
    else:
        raise BadConfig("hotpath score", "no request", "--example or --request FILE")
    answer = ask(f"http://{found.serve.host}:{found.serve.port}", pipeline, body)
    print(json.dumps(answer, indent=None if as_json else 1))


def _read(request: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(request) == "-" else request.read_bytes()
    except OSError as error:
        raise BadInput(str(request), error.strerror, "a readable file with a request") from error


if __name__ == "__main__":
    main()
