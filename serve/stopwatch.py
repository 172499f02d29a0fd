"""Root of the child process that takes the engine's time: `python -m serve.stopwatch ASK.json ANSWER.json`.

Runs the very engine that answers on-prem, in a JVM of its own, so that a search may weigh models by what they
cost there, and learns in time which of them the engine would refuse. ASK.json: `rows` (a Parquet file of
feature.NAME columns), `features` (kinds by name, in order), `kind`, `classes`, `mojos` (paths). ANSWER.json:
for each MOJO the median µs a row (null: refused) and why.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hotpath.clock import Clock
from hotpath.contract.types import Value
from hotpath.errors import BadArtifact, HotpathError
from serve import engine
from serve.generation import Model, Target
from serve.proof import seconds

WARM_UP, CALLS = 3_000, 3_000


def main(argv: list[str]) -> int:
    """0: every MOJO was measured or refused."""
    ask, answer = json.loads(Path(argv[0]).read_bytes()), Path(argv[1])
    try:
        engine.start(engine.JARS)
        answer.write_text(json.dumps([_timed(Path(mojo), ask) for mojo in ask["mojos"]]))
    except HotpathError as error:
        logging.error("%s", error)
        return 1
    return 0


def _timed(mojo: Path, ask: dict[str, Any]) -> dict[str, object]:
    target = Target(ask["kind"], tuple(ask["classes"]))
    try:
        model = engine.load(mojo.read_bytes(), ask["features"], target)
        return {"us": _us(model, _rows(Path(ask["rows"]), ask["features"]), Clock().elapsed), "why": ""}
    except BadArtifact as error:
        return {"us": None, "why": str(error)}


def _rows(file: Path, features: Sequence[str]) -> list[tuple[Value, ...]]:
    table = pq.read_table(file, columns=[f"feature.{name}" for name in features])
    return list(zip(*(table[f"feature.{name}"].to_pylist() for name in features), strict=True))


def _us(model: Model, rows: Sequence[tuple[Value, ...]], elapsed: Callable[[], float]) -> float:
    """The median, once the JVM has compiled what a request will run."""
    for call in range(WARM_UP):
        model(rows[call % len(rows)])
    asked = (rows[call % len(rows)] for call in range(CALLS))
    return round(seconds(model, asked, elapsed) * 1e6, 2)


if __name__ == "__main__":
    engine.live_and_leave(main)
