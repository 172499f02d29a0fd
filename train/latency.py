"""What models cost where they will answer: the scorer's own engine, timed in a process of its own.

Starts `serve.stopwatch` as a program, for no stage imports another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotpath.child import run
from hotpath.clock import Clock
from hotpath.contract.parts import Labels

DEADLINE_S = 120.0


@dataclass(frozen=True)
class Timed:
    """Median µs a row; None where the engine refuses the model, and why."""

    us: float | None
    why: str = ""


def timed(
    mojos: Sequence[Path], rows: Path, features: Mapping[str, str], labels: Labels, folder: Path, clock: Clock
) -> list[Timed]:
    """The cost of each model on some rows (a Parquet file with feature.NAME columns).

    `features`: "number" or "category" by name. Raises Unavailable where it cannot be measured.
    """
    ask, answer = folder / "ask.json", folder / "answer.json"
    plan = {"rows": str(rows), "features": features, "kind": labels.kind, "classes": labels.classes}
    ask.write_text(json.dumps({**plan, "mojos": [str(mojo) for mojo in mojos]}))
    command = [sys.executable, "-m", "serve.stopwatch", str(ask), str(answer)]
    run("serve.stopwatch", command, folder / "stopwatch.log", DEADLINE_S, clock)
    return [Timed(**found) for found in json.loads(answer.read_bytes())]
