"""`hotpath deploy NAME`: a contract goes into the running system, and a model of it live."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hotpath import settings
from hotpath.cli.options import WRONG, AsJson, Name
from hotpath.clock import Clock
from hotpath.contract.load import load

WAIT_S = 900.0


def deploy(
    name: Name,
    wait: Annotated[bool, typer.Option(help="Until a model of it is live.")] = True,
    within: Annotated[float, typer.Option(min=1, help="Seconds to wait for that.")] = WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Add a contract to the running system, or change one, without a restart; wait until a model is live."""
    from hotpath.local.deploying import Following
    from hotpath.local.deploying import deploy as hand_over
    from hotpath.local.preflight import is_running

    found = settings.load()
    contract = load(found.pipelines / f"{name}.yaml")
    before = hand_over(found, contract)
    what = "is new" if before is None else "runs already" if before == contract else "replaces the one before"
    _say(f"{name}: deployed, {what} ({contract.fingerprint[:12]})")
    running, sequence = is_running(found), None
    if not running:
        _say(f"{name}: nothing runs here: `hotpath demo` takes it up")
    elif wait:
        sequence = Following(found, contract, _say, Clock()).follow(within)
        live = f"no model of it is live after {within:.0f} s"
        _say(f"{name}: {live if sequence is None else f'sequence {sequence} is live'}")
    if as_json:
        said = {"name": name, "fingerprint": contract.fingerprint, "running": running, "live": sequence}
        print(json.dumps(said))
    sys.exit(WRONG if running and wait and sequence is None else 0)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
