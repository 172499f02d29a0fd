"""`hotpath train …`: one run for an outer scheduler, and what the runs so far came to."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

import typer

from hotpath import deployed, settings
from hotpath.bundle_store import BundleStore, Run
from hotpath.cli.options import AsJson, Name, instant, show

app = typer.Typer(no_args_is_help=True, help="Runs of the trainer.")


@app.command()
def once(name: Name) -> None:
    """Train if a run is due, for cron, Airflow and the like; safe to call twice, also at once.

    Exit code 0: a model was announced. 3: window or gate held it back, or it waits for outcomes (`hotpath
    train runs` says why). 1: the run failed, or was told to end. 2: bad usage or settings. Where nothing is
    due, the last run's; one that failed is due again.
    """
    deployed.contract(settings.load(), name)  # refused where there is no such pipeline
    os.execv(sys.executable, [sys.executable, "-m", "train.job", name, "--once"])


@app.command()
def runs(name: Name, as_json: AsJson = False) -> None:
    """List the runs: when each began (domain time), what it came to and why, and what each stage took."""
    found = settings.load()
    deployed.contract(found, name)
    known = BundleStore(found.bundle_store() / name).runs()
    if as_json:
        print(json.dumps([asdict(run) for run in known]))
    else:
        show(("began", "state", "sequence", "seconds", "why"), [_row(run) for run in known])


def _row(run: Run) -> tuple[str, ...]:
    seconds = ", ".join(f"{stage} {taken:.0f}" for stage, taken in run.seconds.items())
    return instant(run.began_at), run.state, str(run.sequence or ""), seconds, run.why
